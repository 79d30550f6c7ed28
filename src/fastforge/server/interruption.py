"""Interruption: a start that was told to stop ends within a second, whatever it waits for."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

from ..ending import end_soon

__all__ = ["Interruption"]

BLOCKED_AFTER_S: Final = 0.1
"""How long the event loop may take to notice, until what blocks it is interrupted."""
ENDS_WITHIN_S: Final = 0.95
"""How long after the signal the process ends, with what is not closed by then left open."""


class Interruption:
    """What a signal during the start begins; made by its handler, in the main thread.

    Code that blocks the event loop, such as a resource that connects with a library that is not
    async, gets a CancelledError where it waits; then what has been opened before it is closed in
    reverse. Where Python does not get a word in, the process ends all the same.

    Args:
        interrupt: Cancels the start; it is called on the event loop.
        ends_process: Whether the process ends by force when the start does not end.
    """

    def __init__(self, interrupt: Callable[[], None], *, ends_process: bool) -> None:
        self._interrupt = interrupt
        self._ends_process = ends_process
        self._heard = threading.Event()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel the start, and watch that it ends."""
        loop.call_soon_threadsafe(self._hear)
        # One that nobody sends: the next SIGTERM and SIGINT are for ending at once.
        self._before = signal.signal(signal.SIGALRM, self._unblock)
        threading.Thread(target=self._watch, name="fastforge interruption", daemon=True).start()
        if self._ends_process:
            end_soon(ENDS_WITHIN_S)

    def _hear(self) -> None:
        self._heard.set()
        signal.signal(signal.SIGALRM, self._before)
        self._interrupt()

    def _watch(self) -> None:
        if not self._heard.wait(BLOCKED_AFTER_S):
            main_thread = threading.main_thread().ident
            assert main_thread is not None
            signal.pthread_kill(main_thread, signal.SIGALRM)

    def _unblock(self, number: int, frame: FrameType | None) -> None:
        if not self._heard.is_set():
            raise asyncio.CancelledError("the process ends")
