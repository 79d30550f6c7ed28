"""Refreshing: what was read before a transaction is compared with what is there inside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Executable, orm, select, tuple_

__all__ = ["refresh_stale"]

ROWS_PER_STATEMENT: Final = 500

_State = orm.InstanceState[Any]
_Group = tuple[orm.Mapper[Any], tuple[str, ...]]


def refresh_stale(session: orm.Session) -> None:
    """Load the columns that another transaction has changed since the session read them.

    Without it `order.total += 10` would start from an old total and undo somebody's work. One
    SELECT a model and 500 objects tells which are stale; only those are refreshed, by SQLAlchemy
    itself, so that its events and loaded collections stay right. Objects with changes of their
    own are left alone; those whose row is gone are expired.
    """
    with session.no_autoflush:
        for (mapper, keys), states in _groups(session).items():
            for start in range(0, len(states), ROWS_PER_STATEMENT):
                _refresh(session, mapper, keys, states[start : start + ROWS_PER_STATEMENT])


def _groups(session: orm.Session) -> dict[_Group, list[_State]]:
    """Group the clean objects by their model and by which of its columns they have loaded."""
    groups: dict[_Group, list[_State]] = defaultdict(list)
    for state in session.identity_map.all_states():
        if state.modified or state.obj() is None:
            continue
        keys = tuple(key for key in state.mapper.column_attrs.keys() if key in state.dict)  # noqa: SIM118
        if keys:
            groups[state.mapper, keys].append(state)
    return groups


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
            session.expire(instance)
            continue
        changed = list(_changed(state, keys, current[identity]))
        if changed:
            session.refresh(instance, changed)
            references = list(_references(state, changed))
            if references:  # an empty list would mean every attribute
                session.expire(instance, references)


def _identity(state: _State) -> tuple[Any, ...]:
    return state.key[1] if state.key else ()


def _current(
    mapper: orm.Mapper[Any], keys: tuple[str, ...], identities: Sequence[tuple[Any, ...]]
) -> Executable:
    primary = [
        mapper.get_property_by_column(column).class_attribute for column in mapper.primary_key
    ]
    loaded = [mapper.column_attrs[key].class_attribute for key in keys]
    if len(primary) == 1:
        condition = primary[0].in_([identity[0] for identity in identities])
    else:
        condition = tuple_(*primary).in_(identities)
    return select(*primary, *loaded).where(condition)


def _changed(state: _State, keys: tuple[str, ...], values: Sequence[Any]) -> Iterator[str]:
    for key, value in zip(keys, values, strict=True):
        type_ = state.mapper.column_attrs[key].columns[0].type
        if not type_.compare_values(state.dict.get(key), value):
            yield key


def _references(state: _State, changed: list[str]) -> Iterator[str]:
    """Yield the loaded references (many to one) whose foreign key has changed."""
    columns = {column for key in changed for column in state.mapper.column_attrs[key].columns}
    for relationship in state.mapper.relationships:
        if relationship.key in state.dict and columns & relationship.local_columns:
            yield relationship.key
