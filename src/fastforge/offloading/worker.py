"""Worker: one process that runs functions, seen from the one that started it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from contextlib import suppress
from typing import Final, Self

from .call import Call
from .errors import OffloadCrashed
from .wire import SIZE_BYTES, frame

__all__ = ["Worker"]

PROGRAM: Final = """\
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from fastforge.offloading.child import main
main()
"""
END_LIMIT_S: Final = 1.0
BUFFER_BYTES: Final = 1024 * 1024


class Worker:
    """A process with the import path of this one, and a socket to it.

    It leads a session of its own, so that Ctrl-C in a terminal does not reach it: it ends with
    the one that started it, however that ends.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls) -> Self:
        """Start a process. It need not be ready: what it is asked waits for it."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await _start(theirs.fileno())
            try:
                ours.setblocking(False)
                streams = await asyncio.open_unix_connection(sock=ours, limit=BUFFER_BYTES)
            except BaseException:
                process.kill()
                raise
        except BaseException:
            ours.close()
            raise
        return cls(process, *streams)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.returncode is None and not self._reader.at_eof()

    async def ask(self, call: Call, request: bytes, request_id: str) -> bytes:
        """Let it run a request, and return its answer.

        Raises:
            OffloadCrashed: It ended before it answered.
        """
        try:
            self._writer.write(frame(request_id.encode()))
            self._writer.write(frame(request))
            await self._writer.drain()
            size = int.from_bytes(await self._reader.readexactly(SIZE_BYTES))
            return await self._reader.readexactly(size)
        except (OSError, EOFError):
            await self.end()
            raise self._crashed(call) from None

    async def end(self) -> None:
        """Let it end: at once when it does nothing, else by force soon."""
        self._writer.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_LIMIT_S):
                await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it by force, and wait until it is gone."""
        self._writer.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _crashed(self, call: Call) -> OffloadCrashed:
        code = self._process.returncode or 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        memory = code == -signal.SIGKILL
        return OffloadCrashed(
            f"the process that ran {call.name} {how}",
            code="offloading.E012",
            hint="the machine may have run out of memory" if memory else "its own output says why",
        )


async def _start(number: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        str(number),
        json.dumps(sys.path),
        stdin=asyncio.subprocess.DEVNULL,
        pass_fds=(number,),
        start_new_session=True,
    )
