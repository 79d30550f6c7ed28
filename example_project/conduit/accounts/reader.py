"""Reader: who looks at an answer, which says what they follow and like."""

from typing import Annotated

from fastapi import Depends

from fastforge.contrib.auth import OptionalIdentity


async def reader_id(me: OptionalIdentity) -> int | None:
    """Return the id of whoever asks, or None; known without a query."""
    return None if me is None else me.id


Reader = Annotated[int | None, Depends(reader_id)]
"""The id of whoever asks, or None."""
