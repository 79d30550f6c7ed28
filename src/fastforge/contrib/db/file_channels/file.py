"""File: two connections to the database of the project, for channels alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiosqlite

from ....channels import ChannelError, ChannelUnavailable
from . import statements

__all__ = ["File"]

BUSY_S: Final = 2.0
"""How long a message waits for somebody who writes."""
_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=NORMAL")


class File:
    """Reads and writes the file: one connection looks for what is new, by the other is written.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opening = asyncio.Lock()
        self._reader: aiosqlite.Connection | None = None
        self._writer: aiosqlite.Connection | None = None
        self._writing = asyncio.Lock()

    async def read(self, statement: str, **parameters: object) -> Sequence[tuple[Any, ...]]:
        """Return the rows of a statement.

        Raises:
            ChannelUnavailable: The file cannot be read now.
            ChannelError: The tables are not there.
        """
        try:
            async with self._opening:
                if self._reader is None:
                    self._reader = await self._opened()
            return [
                tuple(row) for row in await self._reader.execute_fetchall(statement, parameters)
            ]
        except (sqlite3.Error, ValueError) as error:  # ValueError: the connection is closed
            raise _told(error) from error

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Writing]:
        """Give what writes, all of it or nothing.

        Raises:
            ChannelUnavailable: Somebody else writes for too long, or the file cannot be written.
            ChannelError: The tables are not there.
        """
        async with self._writing:
            try:
                if self._writer is None:
                    self._writer = await self._opened()
                await self._writer.execute(statements.BEGIN)
                try:
                    yield Writing(self._writer)
                    await self._writer.execute(statements.COMMIT)
                except BaseException:
                    await asyncio.shield(self._writer.execute(statements.ROLLBACK))
                    raise
            except (sqlite3.Error, ValueError) as error:
                raise _told(error) from error

    async def close(self) -> None:
        """Close both connections."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                await connection.close()

    async def _opened(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(self._path, timeout=BUSY_S, isolation_level=None)
        for pragma in _PRAGMAS:
            await connection.execute(f"PRAGMA {pragma}")
        return connection


class Writing:
    """Runs the statements of one transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def run(self, statement: str, **parameters: object) -> Sequence[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        rows = await self._connection.execute_fetchall(statement, parameters)
        return [tuple(row) for row in rows]

    async def run_each(self, statement: str, all_of: Sequence[Mapping[str, object]]) -> None:
        """Run a statement with each of some parameters."""
        if all_of:
            await self._connection.executemany(statement, all_of)


def _told(error: Exception) -> ChannelError:
    if "no such table" in str(error):
        return ChannelError(
            f"what channels keep in the database is not there: {error}",
            code="channels.E044",
            hint="run: manage migrate",
        )
    return ChannelUnavailable(
        f"the SQLite file carries no messages at present: {error}",
        code="channels.E051",
        hint="it is tried again by itself",
    )
