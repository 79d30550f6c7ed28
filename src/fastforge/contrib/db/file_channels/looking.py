"""Looking: what other processes have written, found soon after."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextvars import Context
from typing import Final, TypeAlias

from ....channels import ChannelError
from . import statements
from .file import File

__all__ = ["Looking", "Row"]

logger = logging.getLogger("fastforge.contrib.db")

EVERY_S: Final = 0.1
"""How often the number of the file's version is looked at, which costs some microseconds."""
AFTER_FAULT_S: Final = 1.0
MOST_AT_ONCE: Final = 500

Row: TypeAlias = tuple[int, str, str, str]
"""The id of a message, its room, who does not get it, and its data."""


class Looking:
    """Looks into the table of messages while somebody has joined anything.

    Args:
        file: The database.
        take: Is given each message, in order.
        lost: Called when messages may have been deleted before they were seen.
        longest_away_s: How long they stay at least.
    """

    def __init__(
        self,
        file: File,
        *,
        take: Callable[[Row], None],
        lost: Callable[[], None],
        longest_away_s: float,
    ) -> None:
        self._file = file
        self._last_id = 0
        self._longest_away_s = longest_away_s
        self._lost = lost
        self._looked_at = 0.0
        self._soon = asyncio.Event()
        self._starting = asyncio.Lock()
        self._take = take
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Look from now on; when this returns, nothing that is written is missed.

        Raises:
            ChannelUnavailable: The file cannot be read.
        """
        async with self._starting:
            if self._task is None:
                ((self._last_id,),) = await self._file.read(f"SELECT {statements.LAST_ID}")
                self._looked_at = time.monotonic()
                self._task = asyncio.create_task(
                    self._run(),
                    name="channels: look",
                    context=Context(),  # it is not the work of whoever was the first to join
                )

    def soon(self) -> None:
        """Look at once: this process has written something."""
        self._soon.set()

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        """Look, for ever: it ends by being cancelled alone."""
        version = -1
        is_told = False
        while True:
            try:
                version = await self._look(version)
                is_told = False
            except ChannelError as error:
                if not is_told:
                    logger.warning("channels: %s", error)
                is_told = True
                await asyncio.sleep(AFTER_FAULT_S)
            await self._pause()

    async def _look(self, version: int) -> int:
        """Take what is new, and return the version of the file that it was new in."""
        ((now,),) = await self._file.read(statements.VERSION)
        if now == version and not self._soon.is_set():
            self._looked_at = time.monotonic()
            return version
        self._soon.clear()
        if time.monotonic() - self._looked_at > self._longest_away_s:
            self._lost()
        while True:
            rows = await self._file.read(statements.SINCE, after=self._last_id, most=MOST_AT_ONCE)
            for row in rows:
                self._last_id = row[0]
                self._take((row[0], row[1], row[2], row[3]))
            if len(rows) < MOST_AT_ONCE:
                break
        self._looked_at = time.monotonic()
        return int(now)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(EVERY_S):
                await self._soon.wait()
        except TimeoutError:
            return
