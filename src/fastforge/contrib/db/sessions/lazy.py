"""Lazy loads: the error for an attribute that is not loaded, by its name and with the remedies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from sqlalchemy import event, orm
from sqlalchemy.orm.exc import DetachedInstanceError

from ..errors import LazyLoad
from ..internals import attributes_loaded, replace_loaders

__all__ = ["name_what_is_detached", "refuse_lazy_load"]


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
    raise AssertionError  # the hook has raised


def _raise(state: orm.ORMExecuteState) -> NoReturn:
    if state.is_relationship_load:
        raise _relationship(state)
    if state.is_column_load:
        raise _columns(state)
    raise LazyLoad(
        "a statement was run without await",
        code="db.E005",
        hint="call the methods of the async session, or `await db.run_sync(function)`",
    )


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


def name_what_is_detached(model: type[orm.DeclarativeBase]) -> None:
    """Let an attribute that is touched after the end of its session say which one it is.

    SQLAlchemy raises DetachedInstanceError then, without asking a hook. It costs nothing where
    nothing is missing.
    """
    event.listen(model, "mapper_configured", _name_attributes)


def _name_attributes(mapper: orm.Mapper[Any], _model: type) -> None:
    replace_loaders(
        mapper, lambda loader, key: loader if type(loader) is _Named else _Named(loader, key)
    )


class _Named:
    """What loads an attribute, or the expired columns of a row, and knows which they are.

    It may be pickled with a row, as what it stands for.
    """

    __slots__ = ("key", "loader")

    def __init__(self, loader: Callable[..., Any], key: str) -> None:
        self.loader = loader
        self.key = key

    def __call__(self, state: orm.InstanceState[Any], *arguments: Any) -> Any:
        try:
            return self.loader(state, *arguments)
        except LazyLoad:  # it is told already
            raise
        except DetachedInstanceError as error:
            mapper = state.mapper
            expired = () if self.key else set(arguments[0]) & set(mapper.column_attrs.keys())
            raise _detached(mapper, sorted(expired) or [self.key]) from error


def _detached(mapper: orm.Mapper[Any], keys: list[str]) -> LazyLoad:
    model = mapper.class_.__name__
    row = _variable(model)
    if keys[0] in mapper.relationships:
        hint = (
            f"add .options(selectinload({model}.{keys[0]})) to the select,"
            f" or `await {row}.awaitable_attrs.{keys[0]}` before the session ends"
        )
    else:
        hint = (
            f"`await db.refresh({row})`, or `await {row}.awaitable_attrs.{keys[0]}`,"
            " before the session ends"
        )
    names = ", ".join(f"{model}.{key}" for key in keys[:3])
    return LazyLoad(
        f"{names}{', ...' if len(keys) > 3 else ''} is not loaded, and the session of this {model}"
        " has ended",
        code="db.E057",
        hint=hint,
    )


def _variable(name: str) -> str:
    return name.partition(".")[0].lower()
