"""Rendering: operations and their parts as Python source that every database understands.

Two tables are equal when their parts are written equally, so what is compared and what is
written are one thing: a file that was just written, replayed, shows no difference.
"""

from __future__ import annotations

import re
from typing import Any, Final

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import Column, Dialect, Enum, FetchedValue, Integer
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import DefaultClause
from sqlalchemy.sql import functions
from sqlalchemy.sql.elements import False_, True_
from sqlalchemy.types import SchemaType, TypeDecorator, TypeEngine

from ..internals import source_of_default, source_of_type, variants_of

__all__ = ["Renderer", "postgresql_dialect"]

_FINAL_NAME: Final = re.compile(r"""\b(?:batch_)?op\.f\(('[^']*'|"[^"]*")\)""")
_NOT_VALID: Final = re.compile(r",\s*postgresql_not_valid=True")


def postgresql_dialect() -> Dialect:
    """Return the dialect in which files are replayed and written.

    PostgreSQL's, whatever the project uses: it is the one with the most operations, and the
    files have to come out the same for everybody who works on them.
    """
    # The named style, because the others double every percent sign.
    dialect: Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return dialect


class Renderer:
    """Writes operations. `imports` collects the import lines that the source needs."""

    def __init__(self) -> None:
        self.dialect = postgresql_dialect()
        context = MigrationContext.configure(dialect=self.dialect)
        options = {
            "sqlalchemy_module_prefix": "sa.",
            "alembic_module_prefix": "op.",
            "user_module_prefix": None,
            "render_as_batch": True,
            "render_item": self._item,
        }
        self._context = AutogenContext(context, opts=options, autogenerate=False)

    @property
    def imports(self) -> tuple[str, ...]:
        """The import lines that were needed so far, beyond `import sqlalchemy as sa`."""
        return tuple(sorted(self._context.imports))

    def statements(self, operation: ops.MigrateOperation) -> list[str]:
        """Return the statements of an operation; those of a batch follow its `with` line."""
        if isinstance(operation, ops.RenameTableOp):  # the one that alembic does not write
            schema = f", schema={operation.schema!r}" if operation.schema else ""
            names = f"{operation.table_name!r}, {operation.new_table_name!r}"
            return [f"op.rename_table({names}{schema})"]
        return [line for line in render_op(self._context, operation) if line]

    def text(self, operation: ops.MigrateOperation) -> str:
        """Return what tells an operation apart from others, for comparing.

        That a constraint was made without a look at the rows is no part of it: a later migration
        looks at them.
        """
        source = _NOT_VALID.sub("", "\n".join(self.statements(operation)))
        return _FINAL_NAME.sub(r"\1", source)

    def type(self, type_: TypeEngine[Any]) -> str:
        """Return the source of a column's type."""
        return source_of_type(type_, self._context)

    def same_type(self, one: TypeEngine[Any], other: TypeEngine[Any]) -> bool:
        """Return whether two types make the same column: `Uuid(as_uuid=False)` is a `Uuid()`."""
        return self.type(one) == self.type(other) or _ddl(one) == _ddl(other)

    def default(self, default: FetchedValue | None) -> str:
        """Return the source of a server default, or an empty string."""
        if default is None:
            return ""
        probe = Column("probe", Integer)
        probe.server_default = default
        return self.text(ops.AddColumnOp("probe", probe))

    def server_default(self, default: FetchedValue) -> str:
        """Return the source of a server default by itself."""
        return source_of_default(default, self._context)

    def sql_type(self, type_: TypeEngine[Any]) -> str:
        """Return the type as PostgreSQL writes it."""
        return type_.compile(dialect=self.dialect)

    def _item(self, kind: str, value: Any, context: AutogenContext) -> str | bool:
        if kind == "server_default":
            return _portable_default(value)
        if kind == "type" and isinstance(value, TypeEngine):
            return self._portable_type(value, context)
        return False

    def _portable_type(self, type_: TypeEngine[Any], context: AutogenContext) -> str | bool:
        if variants_of(type_):
            return False
        if isinstance(type_, TypeDecorator):
            return source_of_type(_behind(type_), context)
        if isinstance(type_, Enum) and not (type_.native_enum or type_.create_constraint):
            # Its values are the matter of its CHECK: see enum_checks.
            return f"sa.String(length={type_.length})"
        module = type(type_).__module__
        if module.partition(".")[0] != "sqlalchemy":
            context.imports.add(f"import {module}")
        return False


def _ddl(type_: TypeEngine[Any]) -> object:
    """Return how the databases write a type; for one that none can write, an object like no other.

    What an Enum or a Boolean stands for is not in its name.
    """
    parts = [type_, *variants_of(type_).values(), getattr(type_, "item_type", None)]
    if any(isinstance(part, (SchemaType, postgresql.ENUM)) for part in parts):
        return object()
    dialects: tuple[Dialect, ...] = (postgresql_dialect(), sqlite.dialect())
    try:
        return [type_.compile(dialect=dialect) for dialect in dialects]
    except CompileError:
        return object()


def _behind(type_: TypeDecorator[Any]) -> TypeEngine[Any]:
    """Return the SQL type of a decorator, so that a file outlives the class it was made from."""
    base = type_.load_dialect_impl(DefaultDialect())
    dialects: tuple[Dialect, ...] = (postgresql_dialect(), sqlite.dialect())
    for dialect in dialects:
        own = _public(type_.load_dialect_impl(dialect))
        if repr(own) not in (repr(base), repr(base.dialect_impl(dialect))):
            base = base.with_variant(own, dialect.name)
    return base


def _public(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type that a user would write for one that a dialect adapted for itself."""
    public = next(kind for kind in type(type_).__mro__ if not kind.__name__.startswith("_"))
    return type_ if public is type(type_) else type_.adapt(public)


def _portable_default(default: Any) -> str | bool:
    """Write functions and booleans as SQLAlchemy's objects: each database has its own words."""
    argument = default.arg if isinstance(default, DefaultClause) else None
    if isinstance(argument, str):
        return repr(argument)  # alembic would take quotes off its ends
    if isinstance(argument, True_):
        return "sa.true()"
    if isinstance(argument, False_):
        return "sa.false()"
    if isinstance(argument, functions.FunctionElement) and not tuple(argument.clauses):
        return f"sa.func.{argument.name}()"
    return False
