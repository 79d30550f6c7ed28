"""Constraints: indexes and constraints that a table in use gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations, ops
from sqlalchemy import MetaData

from .....checks import Level, Message
from ...internals import copy_of
from ...model import NAMING_CONVENTION
from ..items import Item, item_columns, items_of, referent_key
from ..rendering import postgresql_dialect
from .recorded import Recorded

__all__ = ["constraints"]


def constraints(step: Recorded) -> Iterator[Message]:
    """Find what locks a table in use while it is checked against all its rows."""
    for item in _items(step):
        match item:
            case ops.CreateIndexOp():
                yield from _index(step, item)
            case ops.CreateForeignKeyOp():
                yield from _foreign_key(step, item)
            case ops.CreateCheckConstraintOp():
                yield from _check(step, item)
            case ops.CreateUniqueConstraintOp() | ops.CreatePrimaryKeyOp():
                yield _unique(step, item)


def _items(step: Recorded) -> Iterable[object]:
    operation = step.operation
    if isinstance(operation, (ops.AddConstraintOp, ops.CreateIndexOp)):
        return (_with_final_name(operation),)
    if not isinstance(operation, ops.AddColumnOp):
        return ()
    # index=True, unique=True and a ForeignKey of a new column become items of their own.
    column = copy_of(operation.column)
    schema_objects = Operations(_context()).schema_obj
    alone = schema_objects.table(operation.table_name, column, schema=operation.schema)
    return items_of(alone).values()


def _with_final_name(operation: Item) -> Item:
    """Return an operation with the name that the convention makes of the one in the file."""
    context = _context()
    if isinstance(operation, ops.CreateIndexOp):
        return ops.CreateIndexOp.from_index(operation.to_index(context))
    return ops.AddConstraintOp.from_constraint(operation.to_constraint(context))


def _context() -> MigrationContext:
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    return MigrationContext.configure(
        dialect=postgresql_dialect(), opts={"target_metadata": metadata}
    )


def _index(step: Recorded, item: ops.CreateIndexOp) -> Iterator[Message]:
    if not item.kw.get("postgresql_concurrently"):
        yield Message(
            id="db.W108",
            level=Level.WARNING,
            text=f"the index {_named(item)} lets nobody write to {step.name} until it is built",
            hint="op.create_index(..., postgresql_concurrently=True), alone in a file with"
            " atomic = False",
            where=step.where,
        )


def _foreign_key(step: Recorded, item: ops.CreateForeignKeyOp) -> Iterator[Message]:
    if not item.kw.get("postgresql_not_valid"):
        yield Message(
            id="db.W109",
            level=Level.WARNING,
            text=f"the foreign key {_named(item)} lets nobody write to {step.name} or"
            f" {_referred(item)} until every row is checked",
            hint="postgresql_not_valid=True here, and in the next migration: ALTER TABLE"
            f" {step.name} VALIDATE CONSTRAINT {_named(item)}",
            where=step.where,
        )


def _check(step: Recorded, item: ops.CreateCheckConstraintOp) -> Iterator[Message]:
    if not item.kw.get("postgresql_not_valid"):
        yield Message(
            id="db.W110",
            level=Level.WARNING,
            text=f"the CHECK {_named(item)} lets nobody read or write {step.name} until every row"
            " is checked, and fails where one does not fit",
            hint="postgresql_not_valid=True here, and in the next migration: ALTER TABLE"
            f" {step.name} VALIDATE CONSTRAINT {_named(item)}",
            where=step.where,
        )


def _unique(step: Recorded, item: Any) -> Message:
    columns = ", ".join(f'"{name}"' for name in item_columns(item))
    return Message(
        id="db.W111",
        level=Level.WARNING,
        text=f"the constraint {_named(item)} lets nobody read or write {step.name} until its index"
        " is built, and fails where two rows are alike",
        hint=f'a unique index in its place: Index("{_named(item)}", {columns}, unique=True) in the'
        " model, made with postgresql_concurrently=True",
        where=step.where,
    )


def _named(item: Any) -> str:
    name = item.index_name if isinstance(item, ops.CreateIndexOp) else item.constraint_name
    return str(name) if name else "without a name"


def _referred(item: ops.CreateForeignKeyOp) -> str:
    return referent_key(item)
