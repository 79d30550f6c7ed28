"""Bulk: many rows in few statements, below every driver's limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from itertools import islice
from typing import Any, Final, Literal, cast

from sqlalchemy import Insert, inspect, literal_column
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper

from ..._utils import nearest
from .dialects import dialect_of
from .errors import DatabaseError, WriteOutsideAtomic
from .sessions.guarded import GuardedSession

__all__ = ["BulkInsertError", "bulk_insert"]

ROWS_AT_A_TIME: Final = 1000
"""Rows whose values are made ready at once: other requests have their turn in between."""


class BulkInsertError(DatabaseError):
    """What `bulk_insert` is given cannot be rows of the model."""


async def bulk_insert(
    session: AsyncSession,
    model: type[Any],
    rows: Iterable[Mapping[str, Any]],
    *,
    on_conflict: Literal["ignore"] | None = None,
) -> int:
    """Insert rows, and return how many; `Session.bulk_insert` says the rest."""
    if not cast(GuardedSession, session.sync_session).depth:
        raise WriteOutsideAtomic(
            f"bulk_insert of {model.__name__} outside a transaction",
            code="db.E066",
            hint="put it inside `async with db.atomic():`",
        )
    statement = _insert(session, model, on_conflict)
    inserted = 0
    for chunk in _chunks(inspect(model), rows):
        result = await session.execute(statement, chunk, execution_options={"render_nulls": True})
        # What was ignored does not come back; without a conflict it is all of them or an error.
        inserted += len(result.all()) if on_conflict else len(chunk)
    return inserted


def _insert(session: AsyncSession, model: type[Any], on_conflict: str | None) -> Insert:
    # The engine has imported it; the other databases' would cost each process a tenth of a second.
    of_dialect: Any = import_module(f"sqlalchemy.dialects.{dialect_of(session).name}")
    statement: Any = of_dialect.insert(model)
    if on_conflict is None:
        return cast(Insert, statement)
    several = len(inspect(model).tables) > 1
    if on_conflict != "ignore" or several:
        raise BulkInsertError(
            f"bulk_insert of {model.__name__} has no on_conflict={on_conflict!r}"
            f"{', because its columns stand in several tables' if several else ''}",
            code="db.E067",
            hint="leave it out" if several else 'leave it out, or write on_conflict="ignore"',
        )
    ignoring: Insert = statement.on_conflict_do_nothing().returning(literal_column("1"))
    return ignoring


def _chunks(
    mapper: Mapper[Any], rows: Iterable[Mapping[str, Any]]
) -> Iterator[list[dict[str, Any]]]:
    names = frozenset(mapper.column_attrs.keys())
    remaining = iter(rows)
    while chunk := [_checked(mapper, names, row) for row in islice(remaining, ROWS_AT_A_TIME)]:
        yield chunk


def _checked(mapper: Mapper[Any], names: frozenset[str], row: Mapping[str, Any]) -> dict[str, Any]:
    if not names >= row.keys():
        name = min(row.keys() - names)
        near = nearest(name, names)
        raise BulkInsertError(
            f"bulk_insert of {mapper.class_.__name__} has no attribute {name!r} that is a column",
            code="db.E067",
            hint=f"did you mean {near!r}?" if near else "give columns: author_id, not author",
        )
    return dict(row)
