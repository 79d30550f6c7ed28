"""Pings: asking a server whether it is there."""

from __future__ import annotations

from typing import Any

from anyio import fail_after
from sqlalchemy import Engine
from sqlalchemy.util import greenlet_spawn
from sqlalchemy.util.concurrency import await_

from .watched import WatchedPool

__all__ = ["limit_pings", "ping_beside"]


def limit_pings(engine: Engine, timeout_s: float) -> None:
    """Let a ping that has no answer in time fail.

    What stands between forgets a connection that was idle for long, and drops in silence what is
    sent on it. Who is to find that out would wait for as long as the system sends it again.

    Args:
        engine: The engine, which nobody uses yet.
        timeout_s: The time limit, in seconds.
    """
    dialect = engine.dialect
    ping = dialect.do_ping

    async def ping_in_time(connection: Any) -> bool:
        try:
            # One of anyio, which cancels until it is heard: psycopg answers the first cancellation
            # with a request to the server, for which it would wait, and longer than we may.
            with fail_after(timeout_s):
                return await greenlet_spawn(ping, connection)
        except TimeoutError as error:
            if dialect.has_terminate:  # asyncpg; without a good-bye, as no greenlet runs here
                dialect.do_terminate(connection)
            message = f"the server did not answer a ping within {timeout_s:g} s"
            raise dialect.loaded_dbapi.InterfaceError(message) from error

    def limited(connection: Any) -> bool:
        return await_(ping_in_time(connection))

    dialect.do_ping = limited  # type: ignore[assignment, method-assign]


def ping_beside(engine: Engine, pool: WatchedPool) -> None:
    """Connect, run one statement and close; the gauges of the pool tell nothing of it.

    Args:
        engine: The engine.
        pool: Its pool, whose connections may all be in use.

    Raises:
        Exception: Whatever the driver raises.
    """
    dialect = engine.dialect
    connection = pool.connect_beside()
    try:
        dialect.do_ping(connection)
    finally:
        dialect.do_terminate(connection)  # which waits for no server that has gone silent
