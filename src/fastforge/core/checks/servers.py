"""Other servers than ours: what the project's files start, and what it lacks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ..platforms.launches import Launch, launches
from ..timeline import Timeline
from . import OURS
from .budgets import PRODUCTION

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["others_are_known"]

NO_ASGI: Final = frozenset({"sync", "gthread", "gevent", "eventlet", "tornado"})
GUNICORN_WAITS_S: Final = 30
START: Final = "python manage.py runserver 0.0.0.0:8000"

NO_DRAIN: Final = (
    "it refuses connections from SIGTERM on, so that requests fail until the load balancer has"
    " noticed (no SERVER.drain_s)"
)
NO_LIMITS: Final = "slow clients hold its connections (no header_timeout_s, body_timeout_s)"
NO_END_OF_SOCKETS: Final = (
    "WebSockets whose client reads nothing stay for ever (no websocket_pong_s)"
)
LACKS: Final = {
    "uvicorn without a limit": "a request that hangs keeps it from ending, unless told"
    " --timeout-graceful-shutdown",
    "uvicorn with workers": "a start that fails is exit code 0",
    "gunicorn with uvicorn's worker": "a request that outlasts --graceful-timeout is cut off, and"
    " resources are not closed then",
    "gunicorn's asgi worker": "open WebSockets are cut off without a close code, make each stop"
    " last for --graceful-timeout, and resources may not be closed then",
    "granian": "WebSockets are cut off without a close code, and a request that hangs is cut off,"
    " and resources are not closed then",
}


@check(tags={"server"}, deploy=True)
def others_are_known(project: Project) -> Iterator[Message]:
    """Find commands that start another server, and say what it cannot do."""
    for launch in launches(project.settings.root):
        reason = _refusal(launch)
        if reason:
            yield Message(
                id="server.E032",
                level=Level.ERROR,
                text=f"{launch.server} cannot serve this application: {reason}",
                hint=f"start it with: {START}",
                where=launch.where,
            )
        elif launch.options.get("worker-class", "").startswith(OURS):
            yield from _too_soon(project, launch)
        elif lacks := [*_lacks(launch)]:
            yield Message(
                id="server.W010",
                level=Level.WARNING,
                text=f"{_name(launch)} serves, and lacks what `manage runserver` has:"
                f" {'; '.join(lacks)}",
                hint=f"start it with: {START}",
                where=launch.where,
            )


def _too_soon(project: Project, launch: Launch) -> Iterator[Message]:
    """Yield that gunicorn kills our worker before its stop is over."""
    stop = Timeline.of_server(project, environment=PRODUCTION)
    written = launch.options.get("graceful-timeout", "")
    seconds = float(written) if written.isdecimal() else GUNICORN_WAITS_S
    if seconds < stop.stop_s:
        yield Message(
            id="server.E033",
            level=Level.ERROR,
            text=f"gunicorn kills a worker {seconds:g} s after it was told to stop"
            f" (--graceful-timeout), and a stop may take {stop.arithmetic}",
            hint=f"write --graceful-timeout {math.ceil(stop.kill_after_s)}, or start it with:"
            f" {START}",
            where=launch.where,
        )


def _refusal(launch: Launch) -> str:
    """Return why a server cannot serve an ASGI application as it is started."""
    worker = launch.options.get("worker-class", "sync")
    if launch.server == "gunicorn" and worker in NO_ASGI:
        return f"its worker class {worker!r} knows no ASGI"
    interface = launch.options.get("interface", "rsgi")
    if launch.server == "granian" and not interface.startswith("asgi"):
        return f"it speaks {interface} unless told --interface asgi"
    return ""


def _name(launch: Launch) -> str:
    worker = launch.options.get("worker-class")
    return f"{launch.server} with the worker class {worker}" if worker else launch.server


def _lacks(launch: Launch) -> Iterator[str]:
    yield NO_DRAIN
    yield from _of_uvicorn(launch) if launch.server == "uvicorn" else _of_others(launch)
    if not launch.options.get("http", "").startswith(OURS):
        yield NO_LIMITS
    if launch.server != "granian" and not launch.options.get("ws", "").startswith(OURS):
        yield NO_END_OF_SOCKETS


def _of_uvicorn(launch: Launch) -> Iterator[str]:
    if "timeout-graceful-shutdown" not in launch.options:
        yield LACKS["uvicorn without a limit"]
    if launch.has_workers:
        yield LACKS["uvicorn with workers"]


def _of_others(launch: Launch) -> Iterator[str]:
    if launch.server == "granian":
        yield LACKS["granian"]
    elif launch.options.get("worker-class") == "asgi":
        yield LACKS["gunicorn's asgi worker"]
    else:
        yield LACKS["gunicorn with uvicorn's worker"]
