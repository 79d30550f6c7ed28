"""Lazy loads: the error for an attribute that is not loaded, by its name and with the remedies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from sqlalchemy import event, orm

from .errors import LazyLoad
from .internals import attributes_loaded

__all__ = ["refuse_lazy_load"]


def refuse_lazy_load(
    session: orm.Session, call: Callable[..., Any], *arguments: Any, **options: Any
) -> NoReturn:
    """Raise LazyLoad for a statement that an attribute would run where nothing can be awaited.

    SQLAlchemy tells what a statement loads to its `do_orm_execute` hook alone. A hook costs every
    statement, so it is set now that the statement is known not to run.
    """
    event.listen(session, "do_orm_execute", _raise)
    try:
        call(*arguments, **options)
    finally:
        event.remove(session, "do_orm_execute", _raise)
    raise LazyLoad(
        "a statement was run without await",
        code="db.E005",
        hint="call the methods of the async session, or `await db.run_sync(function)`",
    )


def _raise(state: orm.ORMExecuteState) -> None:
    if state.is_relationship_load:
        raise _relationship(state)
    if state.is_column_load:
        raise _columns(state)


def _relationship(state: orm.ORMExecuteState) -> LazyLoad:
    path: Any = state.loader_strategy_path
    attribute = next(
        step for step in reversed(path.path) if isinstance(step, orm.RelationshipProperty)
    )
    name = f"{attribute.parent.class_.__name__}.{attribute.key}"
    return LazyLoad(
        f"{name} is not loaded, and touching it cannot wait for the database",
        code="db.E006",
        hint=f"add .options(selectinload({name})) to the select,"
        f" or `await {_variable(name)}.awaitable_attrs.{attribute.key}`",
    )


def _columns(state: orm.ORMExecuteState) -> LazyLoad:
    mapper: Any = state.bind_mapper
    model = mapper.class_.__name__
    keys = attributes_loaded(state)
    names = ", ".join(f"{model}.{key}" for key in keys[:3]) or f"an attribute of {model}"
    return LazyLoad(
        f"{names}{', ...' if len(keys) > 3 else ''} is not loaded: it is deferred, made by the"
        " database, or was expired by a rollback",
        code="db.E015",
        hint=f"`await db.refresh({_variable(model)})`, or `await"
        f" {_variable(model)}.awaitable_attrs.{keys[0] if keys else 'NAME'}`",
    )


def _variable(name: str) -> str:
    return name.partition(".")[0].lower()
