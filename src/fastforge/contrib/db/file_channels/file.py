"""File: the database of the project, read and written for channels alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from ....channels import ChannelUnavailable
from .lane import Lane

__all__ = ["File"]

T = TypeVar("T")

BUSY_S: Final = 2.0
"""How long a message waits for somebody who writes, and for the messages before it."""


class File:
    """Reads and writes the file, each by a connection and in a thread of its own.

    Nothing is opened before the first of it.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = Lane(path, begin="BEGIN", patience_s=BUSY_S)
        self._writing = Lane(path, begin="BEGIN IMMEDIATE", patience_s=BUSY_S)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run what reads, at one moment of the file, and return what it returns.

        Raises:
            ChannelUnavailable: The file cannot be read now, or its tables are not there.
        """
        return await self._run(self._reading, work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run what writes, all of it or nothing, and return what it returns.

        Raises:
            ChannelUnavailable: Somebody else writes for too long, or the file cannot be written.
        """
        return await self._run(self._writing, work)

    async def close(self) -> None:
        """Close both connections."""
        await self._reading.close()
        await self._writing.close()

    async def _run(self, lane: Lane, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await lane.run(work)
        except sqlite3.Error as error:
            raise self._told(error) from error

    def _told(self, error: sqlite3.Error) -> ChannelUnavailable:
        if "no such table" in str(error) or not self._path.exists():
            return ChannelUnavailable(
                f"what channels keep in the database is not there: {error}",
                code="channels.E044",
                hint="run: manage migrate",
            )
        return ChannelUnavailable(
            f"the SQLite file carries no messages at present: {error}",
            code="channels.E051",
            hint="it is tried again by itself",
        )
