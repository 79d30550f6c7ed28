"""Requests: which page a client asks for, as parameters of a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Query

from .cursors import LONGEST_CURSOR
from .errors import InvalidCursor, PaginationError

__all__ = ["Keyset", "KeysetPage", "Offset", "OffsetPage", "keyset_page", "offset_page"]

DEFAULT_LIMIT: Final = 20
MAXIMUM_LIMIT: Final = 100
DEEPEST_OFFSET: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """A page by its distance from the beginning.

    Args:
        limit: How many items it has at most.
        offset: How many items come before it.
    """

    limit: int = DEFAULT_LIMIT
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """A page by the item that it follows, or that it comes before.

    Args:
        limit: How many items it has at most.
        after: The cursor of the item before the page.
        before: The cursor of the item behind it; the page is the one that ends there.
    """

    limit: int = DEFAULT_LIMIT
    after: str | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if self.after is not None and self.before is not None:
            raise InvalidCursor(
                "`after` and `before` exclude each other", code="db.E068", hint="send one of them"
            )


def offset_page(
    *,
    default: int = DEFAULT_LIMIT,
    maximum: int = MAXIMUM_LIMIT,
    deepest: int = DEEPEST_OFFSET,
) -> Any:
    """Return the dependency that reads `limit` and `offset`, with limits of your own.

    ```python
    OrdersPage = Annotated[Offset, offset_page(default=50, maximum=500)]
    ```

    Args:
        default: The limit of a request that gives none.
        maximum: The largest limit; a request for more is answered with 422.
        deepest: The largest offset. The database reads all that it skips.

    Raises:
        PaginationError: The limits contradict each other.
    """
    _check(default, maximum)

    async def offset_of(
        limit: int = Query(default, ge=1, le=maximum, description="How many items to return."),
        offset: int = Query(0, ge=0, le=deepest, description="How many items to skip."),
    ) -> Offset:
        return Offset(limit=limit, offset=offset)

    return Depends(offset_of)


def keyset_page(*, default: int = DEFAULT_LIMIT, maximum: int = MAXIMUM_LIMIT) -> Any:
    """Return the dependency that reads `limit`, `after` and `before`, with limits of your own.

    ```python
    Feed = Annotated[Keyset, keyset_page(default=50, maximum=500)]
    ```

    Args:
        default: The limit of a request that gives none.
        maximum: The largest limit; a request for more is answered with 422.

    Raises:
        PaginationError: The limits contradict each other.
    """
    _check(default, maximum)

    async def keyset_of(
        limit: int = Query(default, ge=1, le=maximum, description="How many items to return."),
        after: str | None = Query(
            None, max_length=LONGEST_CURSOR, description="`next` of the page before."
        ),
        before: str | None = Query(
            None, max_length=LONGEST_CURSOR, description="`previous` of the page behind."
        ),
    ) -> Keyset:
        return Keyset(limit=limit, after=after, before=before)

    return Depends(keyset_of)


def _check(default: int, maximum: int) -> None:
    if not 1 <= default <= maximum:
        raise PaginationError(
            f"the default limit {default} does not lie between 1 and the maximum {maximum}",
            code="db.E069",
            hint="change one of them",
        )


OffsetPage = Annotated[Offset, offset_page()]
"""`limit` (20, at most 100) and `offset` of a request."""

KeysetPage = Annotated[Keyset, keyset_page()]
"""`limit` (20, at most 100), `after` and `before` of a request."""
