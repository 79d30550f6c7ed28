"""Refreshing: what was read before a transaction is compared with what is there inside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, Executable, orm, select, tuple_
from sqlalchemy.orm.exc import StaleDataError

from ..errors import DatabaseError

__all__ = ["StaleObject", "refresh_stale", "reload"]

ROWS_PER_STATEMENT: Final = 500
_UNKNOWN: Final = object()

_State = orm.InstanceState[Any]
_Group = tuple[orm.Mapper[Any], tuple[str, ...]]


class StaleObject(DatabaseError, StaleDataError):  # type: ignore[misc]
    """An attribute was changed here from a value that another transaction has changed meanwhile.

    Writing it would undo the other's work. A request is answered with 409.
    """

    status: ClassVar[int] = 409


def refresh_stale(session: orm.Session) -> None:
    """Load the columns that another transaction has changed since the session read them.

    Without it `order.total += 10` would start from an old total and undo somebody's work. One
    SELECT a model and 500 objects tells which are stale; only those are refreshed, by SQLAlchemy
    itself, so that its events and loaded collections stay right. Objects whose row is gone are
    expired.

    Raises:
        StaleObject: An attribute that was changed here was changed by somebody else as well.
    """
    with session.no_autoflush:
        for (mapper, keys), states in _groups(session).items():
            for some in _portions(states):
                _refresh(session, mapper, keys, some)


def reload(session: orm.Session, states: Sequence[orm.InstanceState[Any]]) -> None:
    """Load objects anew that a rollback has expired; one SELECT a model and 500 objects."""
    groups: dict[orm.Mapper[Any], list[_State]] = defaultdict(list)
    for state in states:
        if state.obj() is not None and state.session is session:
            groups[state.mapper].append(state)
    with session.no_autoflush:
        for mapper, of_mapper in groups.items():
            for some in _portions(of_mapper):
                statement = select(mapper.class_).where(_are_among(mapper, map(_identity, some)))
                session.execute(statement.execution_options(populate_existing=True)).unique().all()


def _portions(states: list[_State]) -> Iterator[list[_State]]:
    for start in range(0, len(states), ROWS_PER_STATEMENT):
        yield states[start : start + ROWS_PER_STATEMENT]


def _groups(session: orm.Session) -> dict[_Group, list[_State]]:
    """Group the objects by their model and by which of its columns they have loaded."""
    groups: dict[_Group, list[_State]] = defaultdict(list)
    deleted = {orm.attributes.instance_state(instance) for instance in session.deleted}
    for state in session.identity_map.all_states():
        if state.obj() is None or state in deleted:
            continue
        keys = tuple(
            key
            for key in state.mapper.column_attrs.keys()  # noqa: SIM118
            if _base(state, key) is not _UNKNOWN
        )
        if keys:
            groups[state.mapper, keys].append(state)
    return groups


def _base(state: _State, key: str) -> Any:
    """Return the value of an attribute that was read, also where it has been changed since."""
    base = state.committed_state.get(key, _UNKNOWN)
    if base is _UNKNOWN:
        base = state.dict.get(key, _UNKNOWN)
    return _UNKNOWN if isinstance(base, orm.LoaderCallableStatus) else base


def _refresh(
    session: orm.Session, mapper: orm.Mapper[Any], keys: tuple[str, ...], states: list[_State]
) -> None:
    identities = [_identity(state) for state in states]
    width = len(mapper.primary_key)
    rows = session.execute(_current(mapper, keys, identities))
    current = {tuple(row[:width]): row[width:] for row in rows}
    for state, identity in zip(states, identities, strict=True):
        instance = state.obj()
        if instance is None:
            continue
        if identity not in current:
            if not state.modified:  # else its UPDATE will meet no row, and say so
                session.expire(instance)
            continue
        changed = list(_changed(state, keys, current[identity]))
        if changed:
            _refuse_overwriting(state, changed)
            session.refresh(instance, changed)
            references = list(_references(state, changed))
            if references:  # an empty list would mean every attribute
                session.expire(instance, references)


def _refuse_overwriting(state: _State, changed: list[str]) -> None:
    name = state.class_.__name__
    for key in changed:
        if key in state.committed_state and _is_another(state, key, state.dict.get(key)):
            raise StaleObject(
                f"{name}.{key} was changed here, and by another transaction since it was read"
                " here: writing it would undo the other's work",
                code="db.E037",
                hint="read and change it inside one `async with db.atomic():`, or call"
                f" `await db.refresh({name.lower()})` before you change it",
            )


def _identity(state: _State) -> tuple[Any, ...]:
    return state.key[1] if state.key else ()


def _current(
    mapper: orm.Mapper[Any], keys: tuple[str, ...], identities: Sequence[tuple[Any, ...]]
) -> Executable:
    primary = _primary_key(mapper)
    loaded = [mapper.column_attrs[key].class_attribute for key in keys]
    return select(*primary, *loaded).where(_are_among(mapper, identities))


def _are_among(
    mapper: orm.Mapper[Any], identities: Iterable[tuple[Any, ...]]
) -> ColumnElement[bool]:
    primary = _primary_key(mapper)
    if len(primary) == 1:
        return primary[0].in_([identity[0] for identity in identities])
    return tuple_(*primary).in_([*identities])


def _primary_key(mapper: orm.Mapper[Any]) -> list[orm.InstrumentedAttribute[Any]]:
    return [mapper.get_property_by_column(column).class_attribute for column in mapper.primary_key]


def _changed(state: _State, keys: tuple[str, ...], values: Sequence[Any]) -> Iterator[str]:
    for key, value in zip(keys, values, strict=True):
        if _is_another(state, key, value):
            yield key


def _is_another(state: _State, key: str, value: Any) -> bool:
    """Return whether a value is not the one that was read."""
    type_ = state.mapper.column_attrs[key].columns[0].type
    return not type_.compare_values(_base(state, key), value)


def _references(state: _State, changed: list[str]) -> Iterator[str]:
    """Yield the loaded references (many to one) whose foreign key has changed."""
    columns = {column for key in changed for column in state.mapper.column_attrs[key].columns}
    for relationship in state.mapper.relationships:
        if relationship.key in state.dict and columns & relationship.local_columns:
            yield relationship.key
