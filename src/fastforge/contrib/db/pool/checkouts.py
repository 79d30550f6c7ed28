"""Checkouts: what is done whenever a connection leaves the pool and comes back.

Every statement outside `atomic` does both, so all of it is one function for each.
"""

from __future__ import annotations

import time
from contextvars import copy_context
from typing import Any, Final, cast

from sqlalchemy import Engine, event, exc

from .failures import FAILED
from .holders import Holder
from .reading import WROTE
from .watched import WatchedPool

__all__ = ["watch_checkouts"]

_IDLE_SINCE: Final = "fastforge_idle_since"


def watch_checkouts(engine: Engine, *, idle_ping_s: float) -> None:
    """Note who takes a connection and for how long, and try one that was idle for long.

    Args:
        engine: The engine; its pool is a WatchedPool.
        idle_ping_s: How long a connection may have been idle without being tried; a busy pool
            pays nothing.
    """
    clock = time.monotonic

    @event.listens_for(engine, "checkout")
    def check_out(_connection: Any, record: Any, proxy: Any) -> None:
        now = clock()
        since = record.info.get(_IDLE_SINCE)
        if since is not None and now - since > idle_ping_s:
            _ping(engine, record, proxy)
        _pool_of(engine).holders[record] = Holder(record, copy_context(), now)

    @event.listens_for(engine, "checkin")
    def check_in(_connection: Any, record: Any) -> None:
        now = clock()
        info = record.info
        info[_IDLE_SINCE] = now
        info.pop(FAILED, None)
        info.pop(WROTE, None)
        pool = _pool_of(engine)
        holder = pool.holders.pop(record, None)
        if holder is not None:
            pool.counts.uses.add(now - holder.since)

    @event.listens_for(engine, "invalidate")
    def invalidate(_connection: Any, _record: Any, _error: BaseException | None) -> None:
        _pool_of(engine).counts.invalidations += 1


def _pool_of(engine: Engine) -> WatchedPool:
    return cast(WatchedPool, engine.pool)


def _ping(engine: Engine, record: Any, proxy: Any) -> None:
    try:
        engine.dialect.do_ping(proxy.dbapi_connection)
    except engine.dialect.loaded_dbapi.Error as error:
        # Closed before SQLAlchemy hears of it and closes it: who is cancelled while it does that
        # takes the place in the pool along, until the garbage collector finds it.
        record.invalidate(error)
        raise exc.DisconnectionError from error
