"""Paging: one page of what a statement gives, in one round trip, or two with the total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from sqlalchemy import Result, Select, func, select
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

from ..dialects import dialect_of
from ..sessions.session import Session
from .errors import PaginationError
from .internals import distinct_on, has_limit, must_be_unique
from .keyset import Places
from .ordering import Ordering, ordering_of
from .pages import CursorPage, Page
from .requests import Keyset, Offset

__all__ = ["paginate"]


@overload
async def paginate(
    db: Session,
    statement: Select[*tuple[Any, ...]],
    page: Offset,
    *,
    total: bool = ...,
    unique_by: Sequence[Any] = ...,
) -> Page[Any]: ...
@overload
async def paginate(
    db: Session,
    statement: Select[*tuple[Any, ...]],
    page: Keyset,
    *,
    total: bool = ...,
    unique_by: Sequence[Any] = ...,
) -> CursorPage[Any]: ...
async def paginate(
    db: Session,
    statement: Select[Any],
    page: Offset | Keyset,
    *,
    total: bool = False,
    unique_by: Sequence[Any] = (),
) -> Page[Any] | CursorPage[Any]:
    """Return one page of what a statement gives.

    The order is completed by the primary key, so that no two rows have the same place; NULL is
    larger than all values, on every database, unless the statement says otherwise. The items are
    what the statement selects: objects or values for one thing, rows for several.

    ```python
    @router.get("/orders")
    async def list_orders(db: DbSession, page: OffsetPage) -> Page[OrderOut]:
        return await paginate(db, select(Order).order_by(Order.placed_at.desc()), page)
    ```

    Args:
        db: The session.
        statement: A select without a limit of its own.
        page: Which page.
        total: Count all rows too. That is a second statement, unless the page shows the end.
        unique_by: What tells the rows apart, where the statement reads what has no primary key.

    Raises:
        PaginationError: The statement cannot be given in such pages.
        InvalidCursor: The cursor of `page` is not one of this order.
    """
    _check(statement, page)
    ordering = ordering_of(statement, unique_by)
    if isinstance(page, Offset):
        return await _offset_page(db, statement, page, ordering, total=total)
    places = Places(ordering, dialect_of(db))
    return await _cursor_page(db, statement, page, places, total=total)


async def _offset_page(
    db: Session, statement: Select[Any], page: Offset, ordering: Ordering, *, total: bool
) -> Page[Any]:
    wanted = ordering.applied(statement).limit(page.limit + 1).offset(page.offset)
    rows = _rows(await db.execute(wanted), ordering)
    shown = rows[: page.limit]
    shows_the_end = len(rows) <= page.limit and bool(rows or not page.offset)
    end = page.offset + len(shown)
    return Page[Any].model_construct(
        items=[row[0] for row in shown] if _is_one(statement) else shown,
        limit=page.limit,
        offset=page.offset,
        has_next=len(rows) > page.limit,
        total=(end if shows_the_end else await _count(db, statement)) if total else None,
    )


async def _cursor_page(
    db: Session, statement: Select[Any], page: Keyset, places: Places, *, total: bool
) -> CursorPage[Any]:
    backward = page.before is not None
    wanted = places.selected(places.ordering.applied(statement, backward=backward))
    cursor = page.before if backward else page.after
    if cursor is not None:
        wanted = places.behind(wanted, cursor, backward=backward)
    rows = _rows(await db.execute(wanted.limit(page.limit + 1)), places.ordering)
    shown, goes_on = rows[: page.limit], len(rows) > page.limit
    if backward:
        shown = shown[::-1]
    has_next, has_previous = (True, goes_on) if backward else (goes_on, cursor is not None)
    return CursorPage[Any].model_construct(
        items=[row[0] for row in shown] if _is_one(statement) else _narrowed(shown, statement),
        limit=page.limit,
        next=places.cursor(shown[-1]) if shown and has_next else None,
        previous=places.cursor(shown[0]) if shown and has_previous else None,
        total=await _count(db, statement) if total else None,
    )


async def _count(db: Session, statement: Select[Any]) -> int:
    everything = statement.order_by(None).subquery()
    return await db.scalar(select(func.count()).select_from(everything)) or 0


def _rows(result: Result[Any], ordering: Ordering) -> list[Any]:
    """Return the rows, without those that an eager load by a join has repeated."""
    if not must_be_unique(result):
        return list(result.all())
    if ordering.multiplies:
        raise PaginationError(
            "the statement joins what has several rows for one, and loads a collection by a join:"
            " its pages would be cut in the middle of an object",
            code="db.E065",
            hint="load the collection by .options(selectinload(...)), and filter by"
            " .where(Model.collection.any(...)) in place of the join",
        )
    return list(result.unique().all())


def _is_one(statement: Select[Any]) -> bool:
    return len(statement.column_descriptions) == 1


def _narrowed(rows: Sequence[Any], statement: Select[Any]) -> list[Any]:
    """Return rows without what stands behind the columns of a statement."""
    selected = enumerate(statement.column_descriptions)
    names = [each["name"] or f"column_{number}" for number, each in selected]
    cut = (tuple(row)[: len(names)] for row in rows)
    return list(IteratorResult(SimpleResultMetaData(names), cut).all())


def _check(statement: Any, page: Offset | Keyset) -> None:
    """Refuse what cannot be given in pages."""
    fault = ""
    if not isinstance(statement, Select):
        fault = f"it is a {type(statement).__name__} and no select"
    elif has_limit(statement):
        fault = "it has a limit or an offset of its own"
    elif distinct_on(statement) and isinstance(page, Keyset):
        fault = "it has DISTINCT ON, which a condition would change"
    if fault:
        raise PaginationError(
            f"the statement cannot be given in pages: {fault}",
            code="db.E063",
            hint="make it a subquery: select(statement.subquery()), with unique_by=[columns]",
        )
