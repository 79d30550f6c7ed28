"""Lock: one process at a time migrates a database; the others wait and find nothing to do."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .errors import MigrationError, MigrationLockHeld
from .sentinel import Sentinel, holder_of, sentinel_path, take

__all__ = ["DEFAULT_WAIT_S", "MigrationLock", "lock_held", "migration_lock"]

DEFAULT_WAIT_S: Final = 60.0
POLL_S: Final = 0.2

# Two numbers that no other program is likely to use; advisory locks are separate by database.
_KEY: Final = {"room": 0x66666F72, "purpose": 1}

_TRY: Final = text("SELECT pg_try_advisory_lock(:room, :purpose)")
_UNLOCK: Final = text("SELECT pg_advisory_unlock(:room, :purpose)")
_ALIVE: Final = text("SELECT 1")
_HOLDER: Final = text("""
    SELECT a.pid, a.application_name, extract(epoch FROM now() - a.backend_start) AS age_s
    FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
      AND l.classid = CAST(:room AS oid) AND l.objid = CAST(:purpose AS oid)
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")


class MigrationLock(ABC):
    """The lock of one database, held by one process at a time."""

    @abstractmethod
    async def take(self) -> bool:
        """Take it, or return False while another process has it.

        Raises:
            MigrationError: Nobody can take it here.
        """

    @abstractmethod
    async def holder(self) -> str:
        """Return who has it, for messages."""

    @abstractmethod
    async def check(self) -> None:
        """Look whether it is still held.

        Raises:
            MigrationError: It is not.
        """

    @abstractmethod
    async def release(self) -> None:
        """Give it back."""


class _ServerLock(MigrationLock):
    """A session advisory lock: the server frees it when the connection ends.

    The connection is its own and in no transaction, because CREATE INDEX CONCURRENTLY waits for
    every open one. It is tried again and again: a statement that waits would be a transaction too.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self) -> bool:
        return bool(await self._connection.scalar(_TRY, _KEY))

    async def holder(self) -> str:
        row: Any = (await self._connection.execute(_HOLDER, _KEY)).first()
        if row is None:
            return "another process"
        name = f" ({row.application_name})" if row.application_name else ""
        return f"the server process {row.pid}{name}, connected for {row.age_s:.0f} s,"

    async def check(self) -> None:
        try:
            await self._connection.scalar(_ALIVE)
        except SQLAlchemyError as error:
            raise MigrationError(
                "the connection that holds the migration lock was lost, and with it the lock",
                code="db.E154",
                hint="migrate again: what was applied stays; a pooler in between, or a server that"
                " ends idle connections, needs direct_url",
            ) from error

    async def release(self) -> None:
        with contextlib.suppress(SQLAlchemyError):  # a lost connection has freed it
            await self._connection.execute(_UNLOCK, _KEY)


class _FileLock(MigrationLock):
    """A file beside a SQLite database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sentinel: Sentinel | None = None

    async def take(self) -> bool:
        try:
            self._sentinel = take(self._path)
        except OSError as error:
            raise MigrationError(
                f"cannot lock {self._path}, beside the database: {error.strerror}",
                code="db.E157",
                hint="whoever migrates writes into this folder; a file that a killed migrate of"
                " another user left may be removed",
            ) from error
        return self._sentinel is not None

    async def holder(self) -> str:
        return holder_of(self._path)

    async def check(self) -> None:
        """Do nothing: while the process lives, nobody takes it away."""

    async def release(self) -> None:
        if self._sentinel is not None:
            self._sentinel.release()


@asynccontextmanager
async def migration_lock(engine: AsyncEngine, *, wait_s: float) -> AsyncIterator[MigrationLock]:
    """Hold the migration lock of a database.

    Args:
        engine: Needs a second connection for the work.
        wait_s: How long to wait for another process, in seconds.

    Raises:
        MigrationLockHeld: The other process did not finish in time.
    """
    async with _lock_of(engine) as lock:
        await _acquire(lock, wait_s)
        try:
            yield lock
        finally:
            await lock.release()


@asynccontextmanager
async def _lock_of(engine: AsyncEngine) -> AsyncIterator[MigrationLock]:
    if engine.dialect.name != "postgresql":
        yield _FileLock(sentinel_path(str(engine.url.database)))
        return
    async with engine.connect() as connection:
        yield _ServerLock(await connection.execution_options(isolation_level="AUTOCOMMIT"))


async def _acquire(lock: MigrationLock, wait_s: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while not await lock.take():
        if loop.time() >= deadline:
            raise lock_held(await lock.holder(), wait_s)
        await asyncio.sleep(POLL_S)


def lock_held(holder: str, wait_s: float) -> MigrationLockHeld:
    """Return the error for a lock that did not become free."""
    return MigrationLockHeld(
        f"{holder} holds the migration lock, and {wait_s:g} s were not enough",
        code="db.E120",
        hint="let the other `migrate` finish, or wait longer with --lock-timeout-s",
    )
