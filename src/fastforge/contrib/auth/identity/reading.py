"""Reading: by which connection a credential is looked up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...db import Session, session
from ...db.sessions.unit import unit_of_work

__all__ = ["reading"]


@asynccontextmanager
async def reading() -> AsyncIterator[Session]:
    """Give the session that holds a connection here already, else one of its own.

    Whoever holds a connection and waits for a second one waits for those who do the same: a pool
    is soon empty by that. A transaction that was asked not to see what others commit is no help.
    """
    unit = unit_of_work()
    here = None if unit is None or unit.ended else unit.opened
    if here is not None and here.in_transaction() and here.guarded.sees_others:
        with here.no_autoflush:
            yield here
    else:
        async with session() as own:
            yield own
