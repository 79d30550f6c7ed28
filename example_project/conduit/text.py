"""Text as every database keeps it."""

from typing import Annotated, Final

from pydantic import StringConstraints

NO_NUL: Final = r"^[^\x00]*$"
"""PostgreSQL has no text with a NUL, and SQLite's tools end a text there."""

Text = Annotated[str, StringConstraints(pattern=NO_NUL)]
