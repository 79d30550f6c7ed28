"""Text and time as every database keeps them, and as RealWorld writes them."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import PlainSerializer, StringConstraints, WithJsonSchema

NO_NUL: Final = r"^[^\x00]*$"
"""PostgreSQL has no text with a NUL, and SQLite's tools end a text there."""

Text = Annotated[str, StringConstraints(pattern=NO_NUL)]


def _to_milliseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(_to_milliseconds, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in UTC with its milliseconds, also where there are none: clients read it by a pattern."""
