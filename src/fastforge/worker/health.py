"""Health: a worker answers three probes, for whoever runs it, on a port of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ..server.protocol import protocol_of
from ..web.errors.responses import problem_response
from ..web.health import Readiness, health_probe, started_state
from ..web.settings import Health
from .state import WorkerState

__all__ = [
    "LIVE_PATH",
    "READY_PATH",
    "STARTUP_PATH",
    "Ask",
    "answering",
    "health_app",
    "readiness_of",
    "start_of",
]

STARTUP_PATH: Final = "/startupz"
LIVE_PATH: Final = "/livez"
READY_PATH: Final = "/readyz"
END_LIMIT_S: Final = 1
"""How long answers may still take at the end, in seconds."""

Ask = Callable[[], Awaitable[Mapping[str, Any]]]


def readiness_of(state: WorkerState) -> Readiness:
    """Return whether a worker can run jobs: as a server, and its task backend works too."""
    health = state.settings.section(Health)
    return Readiness(
        lambda: state.container,
        timeout_s=health.timeout_s,
        cache_s=health.cache_s,
        grace_s=health.grace_s,
        objection=lambda: state.objection,
    )


def start_of(state: WorkerState) -> Ask:
    """Return what says whether the start of a worker is over."""

    async def started() -> dict[str, Any]:
        return started_state(is_over=state.has_started)

    return started


def health_app(*, ready: Ask, started: Ask, live: Ask | None = None) -> ASGIApp:
    """Return what answers at the three paths, and 404 elsewhere.

    Its port is for those who run the worker: `?verbose` has the reasons of what fails.

    Args:
        ready: Gives what is answered at /readyz.
        started: Gives what is answered at /startupz.
        live: Gives what is answered at /livez; that this event loop turns, unless given.
    """
    asked = {READY_PATH: ready, STARTUP_PATH: started, LIVE_PATH: live or _turning}
    probes = {path: health_probe(ask, _to_everybody) for path, ask in asked.items()}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        probe = probes.get(scope["path"])
        await (probe or problem_response(404))(scope, receive, send)

    return app


@asynccontextmanager
async def answering(sock: socket.socket, app: ASGIApp) -> AsyncIterator[None]:
    """Answer on a socket that listens, on this event loop; the socket is closed at the end."""
    config = uvicorn.Config(
        app,
        http=protocol_of(),
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",  # its news are for people who start it themselves
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=END_LIMIT_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        sock.close()


class _Server(uvicorn.Server):
    """A server that leaves the signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _to_everybody(scope: Scope) -> bool:
    return True


async def _turning() -> dict[str, Any]:
    return {"status": "pass"}
