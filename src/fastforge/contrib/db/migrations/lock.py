"""Lock: one process at a time migrates a database; the others wait and find nothing to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .errors import MigrationLockHeld

__all__ = ["DEFAULT_WAIT_S", "lock_held", "migration_lock"]

DEFAULT_WAIT_S: Final = 60.0
POLL_S: Final = 0.2

# Two numbers that no other program is likely to use; advisory locks are separate by database.
_KEY: Final = {"room": 0x66666F72, "purpose": 1}

_TRY: Final = text("SELECT pg_try_advisory_lock(:room, :purpose)")
_UNLOCK: Final = text("SELECT pg_advisory_unlock(:room, :purpose)")
_HOLDER: Final = text("""
    SELECT a.pid, a.application_name, extract(epoch FROM now() - a.backend_start) AS age_s
    FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
      AND l.classid = CAST(:room AS oid) AND l.objid = CAST(:purpose AS oid)
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")


@asynccontextmanager
async def migration_lock(engine: AsyncEngine, *, wait_s: float) -> AsyncIterator[None]:
    """Hold the migration lock of a database.

    On PostgreSQL it is a session advisory lock on a connection of its own that is in no
    transaction: CREATE INDEX CONCURRENTLY waits for every open one, this one included. It is
    tried again and again, because a waiting statement would be a transaction too. On SQLite
    each migration takes the file's write lock before it looks at what is to do, which is enough.

    Args:
        engine: Needs a second connection for the work.
        wait_s: How long to wait for another process, in seconds.

    Raises:
        MigrationLockHeld: The other process did not finish in time.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    async with engine.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await _acquire(connection, wait_s)
        try:
            yield
        finally:
            await connection.execute(_UNLOCK, _KEY)


async def _acquire(connection: AsyncConnection, wait_s: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while not await connection.scalar(_TRY, _KEY):
        if loop.time() >= deadline:
            raise lock_held(await _holder(connection), wait_s)
        await asyncio.sleep(POLL_S)


async def _holder(connection: AsyncConnection) -> str:
    row: Any = (await connection.execute(_HOLDER, _KEY)).first()
    if row is None:
        return "another process"
    name = f" ({row.application_name})" if row.application_name else ""
    return f"the server process {row.pid}{name}, connected for {row.age_s:.0f} s,"


def lock_held(holder: str, wait_s: float) -> MigrationLockHeld:
    """Return the error for a lock that did not become free."""
    return MigrationLockHeld(
        f"{holder} holds the migration lock, and {wait_s:g} s were not enough",
        code="db.E120",
        hint="let the other `migrate` finish, or wait longer with --lock-timeout-s",
    )
