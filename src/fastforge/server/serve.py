"""Serve: one process that serves an application until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from ..core.entrypoint import load_application
from ..core.settings import Server as ServerSettings
from ..ending import end_soon
from ..exceptions import ForgeError, StartError
from ..middleware.edge import CONTAINER
from ..observability.logging.light import begin_logging, configuration_here
from ..observability.logging.refusals import tell_refusal
from ..signals import end_at_termination
from .drain import Server
from .lifespan import Lifespan
from .listening import bind
from .loading import resting_collector
from .observer import Observer
from .protocol import protocol_of, websocket_protocol_of
from .protocol.websocket.terms import options_of
from .protocol.wire import give_up_after

__all__ = [
    "LINGER_S",
    "ObservedServer",
    "bind",
    "configured",
    "refuse",
    "run_server",
    "serve",
]

LINGER_S: Final = 0.5
"""How long connections that wait may still ask when the server stops; enough on one machine."""
TELLS_AFTER_S: Final = 0.05


def serve(
    application: str | Any,
    sock: socket.socket,
    *,
    graceful_s: float = 25,
    linger_s: float = LINGER_S,
    drain_s: float = 0,
    spread_s: float | None = None,
    max_requests: int | None = None,
    owns_listeners: bool = False,
    access_log: bool = True,
    observer: Observer | None = None,
    ends_process: bool = False,
) -> int:
    """Serve an application until SIGTERM or SIGINT, and return the exit code of the process.

    It is 0 after a stop that was asked for, 3 without a start. A signal during the start cancels
    it: what has been opened is closed. Later it ends the server gracefully, without resetting a
    connection. A second one ends the process at once.

    Surprises: a failed start is one line on standard error. X-Forwarded-* headers are not believed.

    ```python
    raise SystemExit(serve("shop.asgi:app", bind("127.0.0.1", 8000)))
    ```

    Args:
        application: `package.module:attribute`, or the application itself.
        sock: A socket that listens, from `bind`. It is closed at the end.
        graceful_s: How long requests in flight may go on once nothing is accepted any more.
        linger_s: How long idle connections may still ask at that time.
        drain_s: How long connections are still accepted after SIGTERM.
        spread_s: Over how long web sockets are closed after it. None: over `drain_s`.
        max_requests: After how many requests it stops as at SIGTERM. None: after none.
        owns_listeners: Whether no other process listens on this socket, nor a supervisor.
        access_log: Write a line for each request, where the application does not, as ours do.
        observer: Whom to tell how far it has come.
        ends_process: Whether the process ends 3 seconds after the server, whatever goes on in it.
    """
    observer, lines = observer or Observer(), _lines(for_ever=ends_process)
    with sock, lines, end_at_termination(), resting_collector() as wake_collector:
        try:
            app = load_application(application) if isinstance(application, str) else application
            observer.loaded()
            server = ObservedServer(
                configured(app, access_log=access_log),
                drain_s=drain_s,
                spread_s=spread_s,
                linger_s=linger_s,
                graceful_s=graceful_s,
                max_requests=max_requests,
                owns_listeners=owns_listeners,
                ends_process=ends_process,
            )
            server.observer, server.wake_collector = observer, wake_collector
            return run_server(server, [sock])
        except ForgeError as error:
            return refuse(error, observer)
        except KeyboardInterrupt:  # before the server listens to signals
            return 0


@contextmanager
def _lines(*, for_ever: bool) -> Iterator[None]:
    """Write lines by the environment, where nobody has begun to."""
    leave = begin_logging("web") if configuration_here() is None else None
    try:
        yield
    finally:
        if leave is not None and not for_ever:
            leave()


def refuse(error: ForgeError, observer: Observer) -> int:
    """Write why the application cannot be served, and return the exit code of the process."""
    tell_refusal(error)
    observer.failed(error)
    return StartError.exit_code


def run_server(server: Server, sockets: list[socket.socket]) -> int:
    """Run a server until it stops, and return the exit code of the process.

    Args:
        server: The server.
        sockets: What it listens on.
    """
    try:
        server.run(sockets=sockets)
    except SystemExit:  # uvicorn's answer to a lifespan that did not start
        return 0 if server.should_exit else StartError.exit_code
    return 0


def configured(app: Any, *, access_log: bool = True) -> uvicorn.Config:
    """Return how an application is served.

    Args:
        app: The application.
        access_log: As of `serve`.
    """
    config = uvicorn.Config(
        app,
        http=protocol_of(),
        ws=websocket_protocol_of() or "none",
        lifespan="on",
        access_log=access_log,
        proxy_headers=False,
        server_header=False,
        # What a request binds in context variables must not be there for the next one.
        reset_contextvars=True,
        log_config=None,  # its loggers are as everybody's
        **options_of(ServerSettings()),  # for an application that is no project
    )
    config.load()
    config.lifespan_class = _Lifespan
    # Its news ("Started server process") is for people who start uvicorn themselves.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return config


def _bound_web_sockets(config: uvicorn.Config, sockets: list[socket.socket]) -> None:
    """Let the system cut clients that take nothing, where uvicorn's own protocol has to do."""
    limit_s = (config.ws_ping_interval or 0) + (config.ws_ping_timeout or 0)
    if limit_s and not hasattr(config.ws_protocol_class, "leave"):
        for sock in sockets:
            give_up_after(sock, limit_s)


class _Lifespan(Lifespan):
    """A lifespan after whose start applications of ours alone write the lines of requests."""

    async def startup(self) -> None:
        await super().startup()
        if CONTAINER in self.state:
            access = logging.getLogger("uvicorn.access")
            access.handlers, access.propagate = [], False


class ObservedServer(Server):
    """A server that tells its observer of its start."""

    observer: Observer
    wake_collector: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            failure = self.lifespan.failure
            if failure is not None and not self.should_exit:
                self.observer.failed(failure, self.lifespan.message)
            raise
        _bound_web_sockets(self.config, sockets or [])
        self._telling = asyncio.create_task(self._tell())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        if self.ends_process:
            end_soon()

    async def _tell(self) -> None:
        # Whoever has been waiting for the first answer comes first.
        await asyncio.sleep(TELLS_AFTER_S)
        await self.observer.serving(self.config.app, self.lifespan.state)
        self.wake_collector()
