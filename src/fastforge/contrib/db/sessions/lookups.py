"""Lookups: what a session finds, asks and writes in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeVar, TypeVarTuple, overload

from sqlalchemy import Row, Select, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper

from ..bulk import bulk_insert
from ..dialects import can_hold, dialect_of
from ..errors import DatabaseError

__all__ = ["Lookups", "NotFound"]

T = TypeVar("T")
U = TypeVar("U")
Ts = TypeVarTuple("Ts")


class NotFound(DatabaseError):
    """There is no such row; a request is answered with 404."""

    status: ClassVar[int] = 404


class Lookups(AsyncSession):
    """What `Session` adds to reading and writing; there is no repository."""

    @overload
    async def get_or_404(
        self, what: type[T] | Select[T], identity: Any = ..., **options: Any
    ) -> T: ...
    @overload
    async def get_or_404(
        self, what: Select[T, U, *Ts], identity: Any = ..., **options: Any
    ) -> Row[T, U, *Ts]: ...
    async def get_or_404(self, what: Any, identity: Any = None, **options: Any) -> Any:
        """Return the object with a primary key, or what a select gives; else the answer is 404.

        ```python
        order = await db.get_or_404(Order, order_id)
        article = await db.get_or_404(select(Article).where(Article.slug == slug))
        ```

        Surprises: a key that no row can have (a number of 30 digits) is a 404 too, without a
        statement. Outside requests it is an error as any other.

        Args:
            what: A model, or a select that gives one row: it is returned as it is where the
                select has several columns.
            identity: The primary key; of several columns a tuple or a dict.
            options: Of `get`: `options=`, `with_for_update=`, `populate_existing=`.

        Raises:
            NotFound: There is none. Its message names the model and not the key.
            MultipleResultsFound: The select gives several.
        """
        found: Any
        if isinstance(what, Select):
            result = (await self.execute(what, **options)).unique()
            is_row = len(what.column_descriptions) > 1
            found = result.one_or_none() if is_row else result.scalar_one_or_none()
        else:
            could_be = _could_be(inspect(what), identity, self)
            found = await self.get(what, identity, **options) if could_be else None
        if found is None:
            raise NotFound(f"there is no such {_name(what)}", code="db.E061")
        return found

    async def exists(self, statement: Select[*tuple[Any, ...]]) -> bool:
        """Return whether a select gives any row; nothing of it is loaded.

        ```python
        if await db.exists(select(User).where(User.email == email)): ...
        ```
        """
        return bool(await self.scalar(select(statement.exists())))

    async def bulk_insert(
        self,
        model: type[Any],
        rows: Iterable[Mapping[str, Any]],
        *,
        on_conflict: Literal["ignore"] | None = None,
    ) -> int:
        """Insert many rows without making objects, and return how many were inserted.

        ```python
        async with db.atomic():
            await db.bulk_insert(Order, ({"total": total} for total in totals))
        ```

        Surprises: nothing is loaded and no events of objects are called. None is written as NULL,
        where a missing name means the default.

        Args:
            model: A mapped class.
            rows: The values by attribute; the defaults and types of the model are applied. A
                generator is read piece by piece.
            on_conflict: "ignore": leave out rows that clash with a unique constraint.

        Raises:
            WriteOutsideAtomic: There is no transaction. Nothing has been written.
            BulkInsertError: The model has no such attribute.
        """
        return await bulk_insert(self, model, rows, on_conflict=on_conflict)


def _could_be(mapper: Mapper[Any], identity: Any, session: AsyncSession) -> bool:
    """Return whether a row can have a primary key; drivers fail of one that it cannot."""
    if isinstance(identity, dict):
        return True
    values = identity if isinstance(identity, tuple | list) else (identity,)
    dialect = dialect_of(session)
    return any(value is not None for value in values) and all(
        can_hold(column.type, value, dialect)
        for column, value in zip(mapper.primary_key, values, strict=False)
    )


def _name(what: Any) -> str:
    if not isinstance(what, Select):
        return str(what.__name__)
    entity = what.column_descriptions[0].get("entity")
    return "row" if entity is None else inspect(entity).mapper.class_.__name__
