"""Beside: asking a server through a connection that is in no pool."""

from __future__ import annotations

from sqlalchemy import Engine

from .watched import WatchedPool

__all__ = ["ping_beside"]


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
