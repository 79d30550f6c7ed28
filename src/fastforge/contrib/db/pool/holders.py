"""Holders: who has a connection of the pool, and since when."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextvars import Context
from typing import TYPE_CHECKING, Final

from ..current import current_unit
from ..queries.origin import Origin

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

    def __str__(self) -> str:
        origin, stands = self.context.run(_looked)
        held_s = time.monotonic() - self.since
        return f"{origin} ({held_s:.1f} s, {stands})"


def _looked() -> tuple[Origin, str]:
    return Origin.here(), _where_it_stands()


def _where_it_stands() -> str:
    unit = current_unit()
    session = None if unit is None or unit.ended else unit.opened
    if session is None:
        return "outside of a session"
    if session.in_atomic:
        return "in atomic"
    return "in a stream" if session.sync_session.streams else "not in atomic"


def told(holders: Iterable[Holder]) -> str:
    """Return who holds a connection, the longest first: `GET /orders, request 7 (6.2 s, ...)`."""
    # One that was lost to the garbage collector has come back without a word.
    held = sorted((each for each in holders if each.entry.in_use), key=lambda each: each.since)
    shown = [str(each) for each in held[:SHOWN]]
    more = len(held) - len(shown)
    return "; ".join([*shown, *([f"and {more} more"] if more > 0 else [])])
