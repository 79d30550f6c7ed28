"""Holders: who has a connection of the pool, and since when."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextvars import Context
from typing import TYPE_CHECKING, Final

from ..queries.origin import Origin
from ..sessions.current import current_unit

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["Holder", "told"]

SHOWN: Final = 5
"""How many are named in a message."""


class Holder:
    """One use of a connection.

    The context of whoever took it is kept, and asked who it is when somebody wants to know: every
    statement has a holder, and hardly one is ever told.

    Args:
        entry: The connection's place in the pool.
        context: That of whoever took it.
        since: When, on the monotonic clock.
    """

    __slots__ = ("context", "entry", "since")

    def __init__(self, entry: ConnectionPoolEntry, context: Context, since: float) -> None:
        self.entry = entry
        self.context = context
        self.since = since

    def told(self, database: str) -> str:
        """Return who it is, for how long and where: `GET /orders, request 7 (6.2 s, in atomic)`."""
        origin = self.context.run(Origin.here)
        held_s = time.monotonic() - self.since
        return f"{origin} ({held_s:.1f} s, {self.context.run(_where_it_stands, database)})"


def _where_it_stands(database: str) -> str:
    unit = current_unit()
    session = None if unit is None else unit.opened_of(database)
    if session is None:
        return "outside of a session"
    guarded = session.guarded
    if guarded.depth:
        return "in atomic"
    if guarded.pin is not None:
        return "in pinned"
    return "in a stream" if guarded.streams else "not in atomic"


def told(holders: Iterable[Holder], database: str) -> str:
    """Return who holds the connections of a pool, in one line, the longest first.

    Args:
        holders: Who has taken one.
        database: The database's name in DATABASES.
    """
    # One that was lost to the garbage collector has come back without a word.
    held = sorted((each for each in holders if each.entry.in_use), key=lambda each: each.since)
    shown = [each.told(database) for each in held[:SHOWN]]
    more = len(held) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more > 0 else [])])
