"""Lane: one connection to a SQLite file, used by a thread of its own."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

__all__ = ["Lane"]

T = TypeVar("T")

_SYNCHRONOUS: Final = "PRAGMA synchronous = NORMAL"
"""As the project's own connections have it; that it is in WAL mode the file knows by itself."""


class Lane:
    """Runs pieces of work one after the other, each in a transaction, all of it or nothing.

    A piece runs in the thread from its beginning to its end. So the file is never locked while an
    event loop is busy with something else, and whoever is cancelled leaves no transaction behind.

    Args:
        path: The file.
        begin: How a transaction begins.
        patience_s: How long a piece may wait for others, and for the pieces before it.
    """

    def __init__(self, path: Path, *, begin: str, patience_s: float) -> None:
        self._begin = begin
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._is_closed = False
        self._path = path.absolute()
        self._patience_s = patience_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="channels")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a piece of work, and return what it returns.

        Raises:
            sqlite3.Error: The file is locked for too long, is not there, or cannot be used.
        """
        if self._is_closed:
            raise sqlite3.ProgrammingError("it is closed: the process ends")
        until = time.monotonic() + self._patience_s
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._run, work, until)

    async def close(self) -> None:
        """Close the connection, after the pieces that were asked for."""
        if not self._is_closed:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
            self._thread.shutdown(wait=False)

    # --- in the thread ---

    def _run(self, work: Callable[[sqlite3.Connection], T], until: float) -> T:
        left_ms = int((until - time.monotonic()) * 1000)
        if left_ms <= 0:
            raise sqlite3.OperationalError("database is locked")
        connection = self._opened()
        try:
            connection.execute(f"PRAGMA busy_timeout = {left_ms}")
            connection.execute(self._begin)
            found = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            self._drop()  # with its transaction, if there is one
            raise
        return found

    def _opened(self) -> sqlite3.Connection:
        """Return the connection; another one where another file has come in the place of ours."""
        stat = os.stat(self._path) if self._path.exists() else None
        file = None if stat is None else (stat.st_dev, stat.st_ino)
        if self._connection is not None and file != self._file:
            self._drop()
        if self._connection is None:
            self._connection = self._connected()
            self._file = file
        return self._connection

    def _connected(self) -> sqlite3.Connection:
        # `rw`: a file that somebody has deleted is not made anew, which a migration has to do.
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=self._patience_s,
            isolation_level=None,
        )
        try:
            connection.execute(_SYNCHRONOUS)
        except BaseException:
            connection.close()
            raise
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
