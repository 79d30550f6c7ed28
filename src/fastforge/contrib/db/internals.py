"""Internals: the private names of SQLAlchemy and alembic that are used, each behind one word.

A new version may rename them without notice. They stand here so that one test of this module
tells it, in place of a guard that is silently gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Constraint, FetchedValue
from sqlalchemy.orm import InstanceState, Mapper, ORMExecuteState, RelationshipProperty, Session
from sqlalchemy.orm.strategies import _LoadDeferredColumns
from sqlalchemy.types import TypeEngine

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations import ops

__all__ = [
    "SessionOfLentConnections",
    "TakesNoDdl",
    "attributes_loaded",
    "belongs_to_type",
    "copy_of",
    "creation_with_constraints",
    "failure_of_flush",
    "forget_class",
    "has_unwritten",
    "locks_rows",
    "note_enum_types",
    "relationship_loaded",
    "replace_loaders",
    "same_affinity",
    "source_of_default",
    "source_of_type",
    "variants_of",
]


def locks_rows(statement: object) -> bool:
    """Return whether a statement is a SELECT with FOR UPDATE."""
    return getattr(statement, "_for_update_arg", None) is not None


def has_unwritten(session: Session) -> bool:
    """Return whether there are new, changed or deleted objects; an equal value counts as a change.

    What is public makes sets of them, and every statement of a request asks.
    """
    return not session._is_clean()


def failure_of_flush(session: Session) -> BaseException | None:
    """Return the error of the flush after which a session is not active any more."""
    transaction = session.get_nested_transaction() or session.get_transaction()
    return None if transaction is None else transaction._rollback_exception


def attributes_loaded(state: ORMExecuteState) -> list[str]:
    """Return the names of the columns that a statement loads for an attribute."""
    options: Any = state._orm_compile_options()
    return sorted(() if options is None else options._only_load_props or ())


def relationship_loaded(context: Any) -> str | None:
    """Return `Model.attribute` of the relationship that a statement loads for one object.

    Its loader has put into the execution which object that is, and into the statement the path.
    """
    options = context.execution_options.get("_sa_orm_load_options")
    if getattr(options, "_lazy_loaded_from", None) is None:
        return None
    path = context.invoked_statement._compile_options._current_path.path
    step = next((each for each in reversed(path) if isinstance(each, RelationshipProperty)), None)
    return None if step is None else f"{step.parent.class_.__name__}.{step.key}"


def replace_loaders(mapper: Mapper[Any], wrap: Callable[[Any, str], Any]) -> None:
    """Put something around whatever loads an attribute of a model when it is touched.

    Args:
        mapper: That of the model, configured.
        wrap: Gets what loads, and the attribute's name: empty for what loads expired columns.
    """
    manager: Any = mapper.class_manager
    manager.expired_attribute_loader = wrap(manager.expired_attribute_loader, "")
    for key in mapper.attrs.keys():  # noqa: SIM118 - it is no dict
        attribute = manager.get(key)
        if attribute is not None and attribute.impl.callable_ is not None:
            attribute.impl.callable_ = wrap(attribute.impl.callable_, key)
    for column in mapper.column_attrs:
        loader = wrap(_LoadDeferredColumns(column.key), column.key)  # of `defer` and `load_only`
        deferred: Any = column
        deferred._deferred_column_loader = InstanceState._instance_level_callable_processor(
            manager, loader, column.key
        )


def forget_class(mapper: Mapper[Any]) -> None:
    """Take one mapped class back; what is public takes all of them."""
    registry, manager = mapper.registry, mapper.class_manager
    registry._dispose_manager_and_mapper(manager)
    registry._managers.pop(manager, None)


def copy_of(column: Column[Any]) -> Column[Any]:
    """Return a copy of a column that belongs to no table."""
    return column._copy()


def same_affinity(one: TypeEngine[Any], other: TypeEngine[Any]) -> bool:
    """Return whether two types are of one kind: String and Text are."""
    return one._type_affinity is other._type_affinity


def variants_of(type_: TypeEngine[Any]) -> dict[str, TypeEngine[Any]]:
    """Return what `with_variant` gave a type, by dialect."""
    return dict(type_._variant_mapping)


def belongs_to_type(constraint: Constraint) -> bool:
    """Return whether a constraint is made and dropped with a column's type: a Boolean's CHECK."""
    return constraint._type_bound


def source_of_type(type_: TypeEngine[Any], context: AutogenContext) -> str:
    """Return a type as the source that alembic writes for it."""
    from alembic.autogenerate.render import _repr_type

    return _repr_type(type_, context)


def source_of_default(default: FetchedValue, context: AutogenContext) -> str:
    """Return a server default as the source that alembic writes for it."""
    from alembic.autogenerate.render import _render_server_default

    return _render_server_default(default, context) or "None"


def creation_with_constraints(
    name: str, parts: Iterable[Any], *, schema: str | None, comment: str | None, **options: Any
) -> ops.CreateTableOp:
    """Return the operation that makes a table with these constraints and no others."""
    from alembic.operations import ops

    return ops.CreateTableOp(
        name, list(parts), schema=schema, comment=comment, _constraints_included=True, **options
    )


def note_enum_types(memo: dict[Any, Any], types: Iterable[tuple[str | None, str]]) -> None:
    """Note in alembic's memo which enum types are there, so that no CREATE TABLE makes them."""
    memo["pg_enum"] = set(types)


class SessionOfLentConnections(Session):
    """A session that may be lent a connection, in place of one that a transaction of its own has.

    Without a transaction of the session's, and without events of SQLAlchemy's on its way, one read
    of a session takes 207 us in place of 239.
    """

    def lent_connection(self, bind: Any) -> Connection | None:
        """Return the connection for a statement; None for that of the session's transaction."""
        raise NotImplementedError

    def _connection_for_bind(
        self, engine: Any, execution_options: Any = None, **options: Any
    ) -> Connection:
        connection = self.lent_connection(engine)
        if connection is None:
            return super()._connection_for_bind(engine, execution_options, **options)
        if execution_options:
            return connection.execution_options(**execution_options)
        return connection


class TakesNoDdl:
    """A connection for which `sa.Enum(...).create(connection)` and its like do nothing."""

    def _run_ddl_visitor(self, *_arguments: Any, **_options: Any) -> None:
        """Skip it."""
