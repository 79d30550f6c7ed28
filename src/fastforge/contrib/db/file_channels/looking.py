"""Looking: what other processes have written, found soon after."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Final

from ....channels import ChannelError
from . import work
from .file import File
from .work import News, Row, Stand

__all__ = ["Looking"]

logger = logging.getLogger("fastforge.contrib.db")

EVERY_S: Final = 0.1
"""How often the file is looked at, which costs some microseconds where there is nothing new."""
AFTER_FAULT_S: Final = 1.0


class Looking:
    """Looks into the table of messages from when somebody has joined anything.

    Args:
        file: The database.
        take: Is given each message, in order.
        lost: Called when messages were deleted before they were seen, or the file is another one.
    """

    def __init__(
        self, file: File, *, take: Callable[[Row], None], lost: Callable[[], None]
    ) -> None:
        self._epoch = ""
        self._file = file
        self._last_id = 0
        self._lost = lost
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
                self._stand_at(await self._stand())
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
        is_told = False
        while True:
            self._soon.clear()
            try:
                await self._look()
                is_told = False
            except ChannelError as error:
                if not is_told:
                    logger.warning("channels: %s", error)
                is_told = True
                await asyncio.sleep(AFTER_FAULT_S)
            except Exception:
                logger.exception("a message of channels could not be taken")
                await asyncio.sleep(AFTER_FAULT_S)
            await self._pause()

    async def _look(self) -> None:
        """Take what is new."""
        found = None
        while found is None or found.seen_id < found.stand.last_id:
            found = await self._file.read(partial(work.news, after=self._last_id))
            if not await self._is_the_same(found.stand):
                return
            self._take_all(found)

    async def _is_the_same(self, now: Stand) -> bool:
        """Begin anew where another file has come in the place of the one that was looked at.

        One that was emptied counts as another, and so does an older copy: it goes on from ids that
        were given before.
        """
        if now.epoch == self._epoch and now.last_id >= self._last_id:
            return True
        if now.epoch == self._epoch:
            await self._file.write(partial(work.start_anew, before=now.epoch))
        self._stand_at(await self._stand())
        self._lost()
        return False

    def _take_all(self, found: News) -> None:
        if found.is_missing:
            self._lost()
        for row in found.rows:
            self._last_id = row[0]
            self._take(row)
        self._last_id = found.seen_id

    async def _stand(self) -> Stand:
        found = await self._file.read(work.stand)
        if not found.epoch:
            await self._file.write(work.start)
            found = await self._file.read(work.stand)
        return found

    def _stand_at(self, stand: Stand) -> None:
        self._epoch, _, self._last_id = stand

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(EVERY_S):
                await self._soon.wait()
        except TimeoutError:
            return
