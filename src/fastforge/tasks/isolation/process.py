"""Process: one that runs isolated jobs, one after the other, as its worker sees it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any, Final

from ...observability.logging.light import lines_for_children
from ..backend import Claim
from ..outcome import Outcome
from ..progress import ProgressBox
from .errors import crashed, not_started
from .logs import handle
from .wire import SIZE_BYTES, claim_to, outcome_from, progress_from

__all__ = ["IsolatedProcess"]

# The import path of this process, and nothing of the program that was started here.
PROGRAM: Final = """\
import json, sys
orders = json.loads(sys.argv[1])
sys.path[:] = orders["path"]
from fastforge.worker.isolated import main
main(orders)
"""
START_LIMIT_S: Final = 60.0
"""How long it may take to load and open the project; a resource is tried for 30 seconds."""
GRACE_S: Final = 0.7
"""How long a process may take to end after SIGTERM: less than a worker waits for its jobs."""


class IsolatedProcess:
    """A process with the project running in it. `start` makes one.

    It leads a session of its own, so that Ctrl-C in a terminal does not reach it, and what it
    starts in turn is ended with it. It ends with its worker, however that ends.

    Attributes:
        jobs: How many it has run.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.jobs = 0
        self._process = process
        self._reader = reader
        self._writer = writer
        self._is_busy = True

    @classmethod
    async def start(cls, settings_module: str) -> IsolatedProcess:
        """Start one; it loads the project by itself.

        Args:
            settings_module: The dotted name of the settings.
        """
        ours, theirs = socket.socketpair()
        orders = {
            "socket": theirs.fileno(),
            "path": sys.path,
            "settings_module": settings_module,
            "level": logging.root.getEffectiveLevel(),
            "lines": lines_for_children(),
        }
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                PROGRAM,
                json.dumps(orders),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return cls(process, reader, writer)

    @property
    def is_usable(self) -> bool:
        """Whether it lives and has nothing to do."""
        return not self._is_busy and self._process.returncode is None

    async def wait_until_ready(self) -> None:
        """Wait until it has opened the project.

        Raises:
            TaskError: It could not, or takes too long.
        """
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while "ready" not in (message := await self._receive()):
                    if "failed" in message:
                        raise not_started(message["failed"])
                    self._hear(message, ProgressBox())
        except TimeoutError:
            raise not_started(f"it took longer than {START_LIMIT_S:g} s") from None
        self._is_busy = False

    async def run(self, claim: Claim, progress: ProgressBox) -> Outcome:
        """Run one attempt in it.

        Surprises: whoever leaves before the end has to `end` it, for it still runs the job.

        Raises:
            TaskError: It ended before the attempt did.
        """
        self._is_busy = True
        self.jobs += 1
        content = json.dumps(claim_to(claim)).encode()
        self._writer.write(len(content).to_bytes(SIZE_BYTES) + content)
        while "outcome" not in (message := await self._receive()):
            self._hear(message, progress)
        self._is_busy = False
        return outcome_from(message["outcome"])

    async def end(self) -> None:
        """End it with all that it has started: by SIGTERM, and soon by SIGKILL."""
        self._writer.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S if number is signal.SIGTERM else None):
                    await self._process.wait()

    def _hear(self, message: dict[str, Any], progress: ProgressBox) -> None:
        if "log" in message:
            handle(message["log"])
        elif "progress" in message:
            progress.latest = progress_from(message["progress"])

    async def _receive(self) -> dict[str, Any]:
        try:
            size = int.from_bytes(await self._reader.readexactly(SIZE_BYTES))
            message: dict[str, Any] = json.loads(await self._reader.readexactly(size))
        except (EOFError, OSError):
            raise crashed(await self._exit_code()) from None
        return message

    async def _exit_code(self) -> int:
        """Return what it ended with; one that has only left its worker is ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                return await self._process.wait()
        await self.end()
        return await self._process.wait()
