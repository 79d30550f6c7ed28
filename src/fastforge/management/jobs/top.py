"""Top: the screen of `jobs top`, which follows what happens and does what is typed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ...tasks.backend import BackendAway, BackendUnready
from .office import Office
from .screen import Snapshot, View, screen, take_snapshot
from .terminal import show, size, taken_terminal

__all__ = ["Top"]

PAUSE_S: Final = 1.0
"""How long a screen stands before the backend is asked again."""
SHARE: Final = 5
"""A backend for which that is much work, with a million jobs, has five times as long to rest."""


class Top:
    """What is shown, and the queue that is selected.

    Args:
        office: Where the jobs are.
        snapshot: What there is to begin with: whoever has taken it knows that the backend is there.
    """

    def __init__(self, office: Office, snapshot: Snapshot) -> None:
        self._office = office
        self._snapshot = snapshot
        self._selected = snapshot.queues[0].queue if snapshot.queues else ""
        self._message = ""
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._quit = asyncio.Event()

    async def run(self) -> None:
        """Show what happens until somebody quits."""
        with taken_terminal(self._typed, self._draw):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._follow()), group.create_task(self._obey())]
                await self._quit.wait()
                for task in tasks:
                    task.cancel()

    def _typed(self, key: str) -> None:
        if key == "quit":  # at once, also while the backend does not answer
            self._quit.set()
        else:
            self._keys.put_nowait(key)

    async def _follow(self) -> None:
        pause_s = PAUSE_S
        while True:
            self._draw()
            await asyncio.sleep(pause_s)
            began = time.monotonic()
            await self._try(self._look)
            pause_s = max(PAUSE_S, SHARE * (time.monotonic() - began))

    async def _obey(self) -> None:
        while True:
            key = await self._keys.get()
            if key in ("up", "down"):
                self._select(1 if key == "down" else -1)
            elif key in ("p", "r"):
                await self._try(self._pause if key == "p" else self._resume)
            self._draw()

    def _select(self, step: int) -> None:
        names = [queue.queue for queue in self._snapshot.queues]
        at = names.index(self._selected) if self._selected in names else 0
        self._selected = names[min(max(at + step, 0), len(names) - 1)] if names else ""

    async def _pause(self) -> None:
        await self._office.desk.pause(self._selected)
        await self._look()

    async def _resume(self) -> None:
        await self._office.desk.resume(self._selected)
        await self._look()

    async def _look(self) -> None:
        self._snapshot = await take_snapshot(self._office)

    async def _try(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something; a backend that is away is told of, and asked again a second later."""
        try:
            await act()
            self._message = ""
        except (BackendAway, BackendUnready) as error:
            at = f"{self._snapshot.at:%H:%M:%S}"
            self._message = f"out of reach, this is of {at}: {error.message}"

    def _draw(self) -> None:
        columns, rows = size()
        view = View(columns=columns, rows=rows, selected=self._selected, message=self._message)
        show(screen(self._snapshot, view, self._office))
