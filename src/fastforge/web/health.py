"""Health: whether this process lives, and whether it should be given requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..lifecycle import Container
from ..lifecycle.health import Health, check_health
from .errors.responses import problem_response

__all__ = ["live_probe", "ready_probe"]

_UNAVAILABLE: Final = 503

Running = Callable[[], Container | None]


class _HealthResponse(JSONResponse):
    media_type = "application/health+json"

    def __init__(self, status: str, **members: Any) -> None:
        code = _UNAVAILABLE if status == "fail" else 200
        body = {"status": status, **members}
        super().__init__(body, code, headers={"cache-control": "no-store"})


def live_probe() -> ASGIApp:
    """Return what answers as long as the event loop turns, and asks nobody."""

    async def live() -> _HealthResponse:
        return _HealthResponse("pass")

    return _probe(live)


def ready_probe(running: Running, *, timeout_s: float, cache_s: float) -> ASGIApp:
    """Return what says whether a process should be given requests.

    It should while every required resource works, and not before the start, while the server is
    draining, and while the process stops. A resource that can be done without is reported only.

    Args:
        running: Gives the container of the running project, if it is running.
        timeout_s: How long all resources together may take to answer, in seconds.
        cache_s: How long their answers are used again, in seconds.
    """
    resources = _ResourceHealth(timeout_s, cache_s)

    async def ready() -> _HealthResponse:
        container = running()
        if container is None:
            return _HealthResponse("fail", notes=["the project is not running"])
        if container.draining or container.stopping.is_set():
            return _HealthResponse("fail", notes=["the process is stopping"])
        return _answer(await resources.ask(container))

    return _probe(ready)


class _ResourceHealth:
    """What the resources of a process said, asked once for everybody who wants to know."""

    def __init__(self, timeout_s: float, cache_s: float) -> None:
        self.timeout_s = timeout_s
        self.cache_s = cache_s
        self._container: Container | None = None
        self._asking: asyncio.Task[tuple[Health, ...]] | None = None
        self._until = 0.0

    async def ask(self, container: Container) -> tuple[Health, ...]:
        if container is not self._container:  # the project has been started again
            self._container, self._asking = container, None
        asking = self._asking
        if asking is None or (asking.done() and time.monotonic() >= self._until):
            asking = self._asking = asyncio.create_task(self._ask(container))
        return await asyncio.shield(asking)  # whoever asked first may leave

    async def _ask(self, container: Container) -> tuple[Health, ...]:
        found = await check_health(container, timeout_s=self.timeout_s)
        self._until = time.monotonic() + self.cache_s
        return found


def _answer(resources: Iterable[Health]) -> _HealthResponse:
    failing = [each for each in resources if each.error]
    if any(each.required for each in failing):
        status = "fail"
    else:
        status = "warn" if failing else "pass"
    # Why one fails names hosts of ours, and anybody may ask.
    checks = {each.resource: [{"status": _status(each)}] for each in resources}
    return _HealthResponse(status, checks=checks)


def _status(resource: Health) -> str:
    return "fail" if resource.error else "pass"


def _probe(answer: Callable[[], Any]) -> ASGIApp:
    async def probe(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"}:
            response = await answer()
        else:
            response = problem_response(405, headers={"Allow": "GET, HEAD"})
        if scope["method"] == "HEAD":
            response.body = b""  # its headers stay those of a GET
        await response(scope, receive, send)

    return probe
