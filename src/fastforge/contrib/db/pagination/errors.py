"""What can be wrong with a page: with what a client asks for, and with the statement behind it."""

from __future__ import annotations

from typing import ClassVar

from ..errors import DatabaseError

__all__ = ["InvalidCursor", "PaginationError"]


class PaginationError(DatabaseError):
    """A statement that cannot be given in pages, or not in the pages that are asked for."""


class InvalidCursor(DatabaseError):
    """A cursor that the list did not give out; a request is answered with 422."""

    status: ClassVar[int] = 422
