"""Serve: one process that serves an application until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.lifespan.on import LifespanOn

from .._utils import redact
from ..exceptions import ForgeError, StartError
from ..observability.tracebacks import tracebacks_are_wanted
from ..signals import SIGNALS
from .listening import bind
from .loading import load_application

if TYPE_CHECKING:
    from uvicorn.lifespan.on import LifespanSendMessage

__all__ = ["bind", "serve"]


def serve(
    application: str | Any, sock: socket.socket, *, graceful_s: float = 25, access_log: bool = True
) -> int:
    """Serve an application until SIGTERM or SIGINT, and return the exit code of the process.

    A signal during the start cancels it: what has been opened is closed. Later it ends the
    server gracefully. A second one ends the process at once.

    Surprises: a failed start is written to standard error as one line. X-Forwarded-* headers are
    not believed.

    ```python
    raise SystemExit(serve("shop.asgi:app", bind("127.0.0.1", 8000)))
    ```

    Args:
        application: `package.module:attribute`, or the application itself.
        sock: A socket that listens, from `bind`. It is closed at the end.
        graceful_s: How long requests in flight may go on after the signal, in seconds.
        access_log: Write one line a request to standard output.

    Returns:
        0 after a stop that was asked for, 3 when the application could not start.
    """
    with sock:
        try:
            app = load_application(application) if isinstance(application, str) else application
            return _run(_Server(_config(app, graceful_s, access_log)), sock)
        except ForgeError as error:
            if tracebacks_are_wanted():
                sys.stderr.write(redact("".join(traceback.format_exception(error))))
            sys.stderr.write(f"error: {error}\n")
            return StartError.exit_code
        except KeyboardInterrupt:  # before the server listens to signals
            return 0


def _run(server: _Server, sock: socket.socket) -> int:
    try:
        server.run(sockets=[sock])
    except SystemExit:  # uvicorn's answer to a lifespan that did not start
        return 0 if server.should_exit else StartError.exit_code
    return 0


def _config(app: Any, graceful_s: float, access_log: bool) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="on",
        access_log=access_log,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(graceful_s),
    )
    config.load()
    config.lifespan_class = _Lifespan
    # Its news ("Started server process") is for people who start uvicorn themselves.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return config


class _Server(uvicorn.Server):
    """Uvicorn's server with other manners at the start and at signals."""

    lifespan: _Lifespan

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals meanwhile; one that whoever started us ignores stays ignored."""
        before = {number: signal.getsignal(number) for number in SIGNALS}
        handled = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
        for number in handled:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number in handled:
                signal.signal(number, before[number])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
        # The next one needs no cooperation of ours, whatever blocks the event loop.
        for number in SIGNALS:
            if signal.getsignal(number) == self.handle_exit:
                signal.signal(number, signal.SIG_DFL)
        self._loop.call_soon_threadsafe(self._interrupt_start)

    def _interrupt_start(self) -> None:
        if not self.started:
            self.lifespan.interrupt()


class _Lifespan(LifespanOn):
    """A lifespan whose start can be cancelled, and which tells a failure once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        self._task = asyncio.create_task(self.main())
        await self.receive_queue.put({"type": "lifespan.startup"})
        await self.startup_event.wait()
        self.should_exit = self.startup_failed or self.error_occurred

    def interrupt(self) -> None:
        """Cancel the start, if it has not come to its end; the application then closes."""
        if not self.startup_event.is_set() and self._task is not None:
            self.startup_failed = True
            self._task.cancel()

    async def send(self, message: LifespanSendMessage) -> None:
        if message["type"] == "lifespan.startup.failed" and self.startup_failed:
            message["message"] = ""  # it was interrupted, which is no news
        await super().send(message)
