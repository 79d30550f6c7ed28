"""Columns: those that come or change in a table that is in use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from alembic.operations import ops
from sqlalchemy import Column, Numeric, String, Text
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import DefaultClause
from sqlalchemy.sql import functions
from sqlalchemy.types import TypeEngine

from .....checks import Level, Message
from ..rendering import postgresql_dialect
from ..shapes import TableShape
from .recorded import Recorded, RecordedMigration

__all__ = ["columns"]

_VOLATILE: Final = re.compile(
    r"\b(?:random|gen_random_uuid|uuid_generate_v\w+|uuidv[47]|clock_timestamp|timeofday|nextval"
    r"|statement_timestamp|txid_current)\s*\(",
    re.IGNORECASE,
)


def columns(step: Recorded, migration: RecordedMigration) -> Iterator[Message]:
    """Find new and changed columns that lock the table, fail, or break the code that runs."""
    if isinstance(step.operation, ops.AddColumnOp):
        yield from _added(step, step.operation.column)
    if isinstance(step.operation, ops.AlterColumnOp):
        yield from _retyped(step, step.operation)
        yield from _made_required(step, step.operation, migration)
        yield from _default_dropped(step, step.operation, migration)


def _added(step: Recorded, column: Column[Any]) -> Iterator[Message]:
    name = f"{step.name}.{column.name}"
    fills_itself = column.server_default is not None or column.identity or column.computed
    if not column.nullable and not fills_itself:
        yield _cannot_be_filled(step, name, fails="this fails where the table has rows, and ")
    if why := _computed_by_row(column):
        yield Message(
            id="db.W112",
            level=Level.WARNING,
            text=f"{name} gets {why}, so that PostgreSQL writes the whole table anew, and nobody"
            " can read or write it meanwhile",
            hint="add it nullable and without; set the default in a second step, which only new"
            " rows see; fill the old ones in batches",
            where=step.where,
        )
    if _ddl(column.type) == "JSON":
        yield Message(
            id="db.W113",
            level=Level.WARNING,
            text=f"{name} is json, which has no equality: SELECT DISTINCT, GROUP BY and UNION fail"
            " for whoever reads the table, and no index helps",
            hint='use jsonb: sa.JSON().with_variant(JSONB(), "postgresql")',
            where=step.where,
        )


def _cannot_be_filled(step: Recorded, name: str, *, fails: str = "") -> Message:
    return Message(
        id="db.W107",
        level=Level.WARNING,
        text=f"{name} is NOT NULL and has no server default: {fails}the code that still runs"
        " cannot insert rows, since it does not know the column",
        hint="give it a server_default; or add it nullable, fill it, and make it NOT NULL once the"
        " old code is gone",
        where=step.where,
    )


def _computed_by_row(column: Column[Any]) -> str:
    if column.identity is not None:
        return "an identity"
    if column.computed is not None and column.computed.persisted:
        return "a stored, computed value"
    default = column.server_default.arg if isinstance(column.server_default, DefaultClause) else ""
    named = f"{default.name}(" if isinstance(default, functions.FunctionElement) else str(default)
    return "a default that is another in each row" if _VOLATILE.search(named) else ""


def _retyped(step: Recorded, operation: ops.AlterColumnOp) -> Iterator[Message]:
    if operation.modify_type is None:
        return
    new = Column("new", operation.modify_type).type
    old = _old_type(step.table, operation)
    if old is not None and (_ddl(old) == _ddl(new) or _is_wider(old, new)):
        return
    before = f" from {_ddl(old)}" if old is not None else ""
    yield Message(
        id="db.W105",
        level=Level.WARNING,
        text=f"changing {step.name}.{operation.column_name}{before} to {_ddl(new)} writes the"
        " whole table anew, nobody can read or write it meanwhile, and the code that still runs"
        " expects the old type",
        hint="add a new column, write both, copy the values in batches, read the new one, and drop"
        " the old one later",
        where=step.where,
    )


def _old_type(table: TableShape | None, operation: ops.AlterColumnOp) -> TypeEngine[Any] | None:
    if table is not None and operation.column_name in table.columns:
        return table.columns[operation.column_name].type
    given = operation.existing_type
    return None if given is None else Column("old", given).type


def _is_wider(old: TypeEngine[Any], new: TypeEngine[Any]) -> bool:
    """Return whether PostgreSQL only notes the new type: every old value is one of the new."""
    if isinstance(old, Numeric) and isinstance(new, Numeric):
        known = None not in (old.precision, new.precision) and old.scale == new.scale
        return known and (new.precision or 0) >= (old.precision or 0)
    if not (_is_text(old) and _is_text(new)):
        return False
    limit = getattr(new, "length", None)
    return limit is None or limit >= (getattr(old, "length", None) or float("inf"))


def _is_text(type_: TypeEngine[Any]) -> bool:
    return isinstance(type_, (String, Text)) and _ddl(type_).startswith(("VARCHAR", "TEXT"))


def _made_required(
    step: Recorded, operation: ops.AlterColumnOp, migration: RecordedMigration
) -> Iterator[Message]:
    column = operation.column_name
    known = step.table.columns.get(column) if step.table is not None else None
    is_required = known is not None and not known.nullable
    if operation.modify_nullable is not False or is_required:
        return
    if (step.name, column) in migration.added:
        # Filled in between, perhaps; the old code fills nothing.
        if known is None or known.server_default is None:
            yield _cannot_be_filled(step, f"{step.name}.{column}")
        return
    if _is_proven(step, column):
        return
    yield Message(
        id="db.W106",
        level=Level.WARNING,
        text=f"making {step.name}.{column} NOT NULL reads the whole table while nobody can read or"
        " write it, fails where a row has none, and the code that still runs may write none",
        hint=f'first a CHECK "{column} IS NOT NULL" with postgresql_not_valid=True, and VALIDATE'
        " CONSTRAINT in a second migration; then this one is quick",
        where=step.where,
    )


def _is_proven(step: Recorded, column: str) -> bool:
    """Return whether a validated CHECK says already that the column has a value."""
    name_of_column = rf'"?{re.escape(column)}"?'
    proof = re.compile(rf"[\s(]*{name_of_column}\s+is\s+not\s+null[\s)]*", re.IGNORECASE)
    for name, item in (step.table.items if step.table is not None else {}).items():
        if isinstance(item, ops.CreateCheckConstraintOp) and proof.fullmatch(str(item.condition)):
            return not item.kw.get("postgresql_not_valid") or name in step.validated
    return False


def _default_dropped(
    step: Recorded, operation: ops.AlterColumnOp, migration: RecordedMigration
) -> Iterator[Message]:
    """Find a default that only filled the old rows: the old code needs it as well."""
    is_new = (step.name, operation.column_name) in migration.added
    if operation.modify_server_default is None and is_new and step.table is not None:
        column = step.table.columns.get(operation.column_name)
        if column is not None and not column.nullable:
            yield Message(
                id="db.W118",
                level=Level.WARNING,
                text=f"{step.name}.{operation.column_name} loses its default in the migration that"
                " adds it: the code that still runs cannot insert, since it does not know the"
                " column",
                hint="keep the default, and drop it in a later release",
                where=step.where,
            )


def _ddl(type_: TypeEngine[Any]) -> str:
    try:
        return type_.compile(dialect=postgresql_dialect())
    except CompileError:  # SQLite's own, or none at all: the type of what it refers to
        return type(type_).__name__
