"""Serving: the side of the process that runs isolated jobs."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from ...ending import end_now
from ...lifecycle import Container
from ..backend import Claim
from ..execution import JobRunner
from ..progress import ProgressBox
from ..threads import Threads
from .wire import SIZE_BYTES, claim_from, outcome_to, progress_to

__all__ = ["WorkerPipe", "serve_jobs"]

PROGRESS_EVERY_S: Final = 0.25
END_LIMIT_S: Final = 0.7
"""How long a process without a worker may still take to end by itself."""


class WorkerPipe:
    """The connection to the worker; messages are sent from any thread.

    Args:
        connection: The socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.set_inheritable(False)  # what the job starts does not keep it open
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, **message: Any) -> None:
        """Send a message; a worker that is gone is noticed elsewhere."""
        content = json.dumps(message).encode()
        with self._lock, suppress(OSError):
            self._connection.sendall(len(content).to_bytes(SIZE_BYTES) + content)

    def listen(self, jobs: asyncio.Queue[Claim], main: asyncio.Task[Any]) -> None:
        """Hand over what arrives, from a thread, and end the process when the worker is gone.

        A job that blocks the event loop cannot hear that; a thread beside it can.
        """
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop, jobs, main), daemon=True).start()

    def _listen(
        self,
        loop: asyncio.AbstractEventLoop,
        jobs: asyncio.Queue[Claim],
        main: asyncio.Task[Any],
    ) -> None:
        with suppress(OSError, RuntimeError), self._connection.makefile("rb") as stream:
            while size := stream.read(SIZE_BYTES):
                claim = claim_from(json.loads(stream.read(int.from_bytes(size))))
                loop.call_soon_threadsafe(jobs.put_nowait, claim)
        with suppress(RuntimeError):  # the event loop has ended
            loop.call_soon_threadsafe(main.cancel)
        time.sleep(END_LIMIT_S)
        end_now(0)


async def serve_jobs(
    container: Container, pipe: WorkerPipe, jobs: asyncio.Queue[Claim], threads: Threads
) -> None:
    """Run what arrives, one job after the other, until cancelled.

    Args:
        container: The project, running in this process.
        pipe: Where progress and outcomes go.
        jobs: What arrives.
        threads: Where a job that is a plain `def` runs.
    """
    runner = _Runner(container, threads)
    pipe.send(ready=True)
    while True:
        claim = await jobs.get()
        box = ProgressBox()
        # A context of its own: what one job sets, the next one does not see.
        telling = asyncio.create_task(_tell_progress(pipe, box))
        try:
            outcome = await asyncio.create_task(runner.run(claim, box))
        finally:
            telling.cancel()
        _tell_news(pipe, box)
        pipe.send(outcome=outcome_to(outcome))


class _Runner(JobRunner):
    """Runs jobs without a time limit: the worker ends the process when it is over."""

    def __init__(self, container: Container, threads: Threads) -> None:
        super().__init__(container, threads)
        self._tasks = {name: replace(task, timeout_s=None) for name, task in self._tasks.items()}


async def _tell_progress(pipe: WorkerPipe, box: ProgressBox) -> None:
    while True:
        await asyncio.sleep(PROGRESS_EVERY_S)
        _tell_news(pipe, box)


def _tell_news(pipe: WorkerPipe, box: ProgressBox) -> None:
    news = box.news
    if news is not None:
        box.passed_on = news
        pipe.send(progress=progress_to(news))
