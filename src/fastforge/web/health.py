"""Health: whether this process lives, and whether it should be given requests."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..lifecycle import Breaker, BreakerState, Container
from ..lifecycle.breakers import breakers_of
from ..lifecycle.health import Health, check_health
from ..redaction import redacted_text
from .errors.responses import problem_response

__all__ = [
    "Readiness",
    "health_probe",
    "live_probe",
    "ready_probe",
    "startup_probe",
    "without_details",
]

_UNAVAILABLE: Final = 503
_DETAILS: Final = frozenset({"time", "output", "required", "observedUnit"})
"""What of a check is for those alone who run the process: a reason names hosts of ours."""

Running = Callable[[], Container | None]
Admits = Callable[[Scope], bool]


def _to_nobody(scope: Scope) -> bool:
    return False


class _HealthResponse(JSONResponse):
    media_type = "application/health+json"

    def __init__(self, state: Mapping[str, Any]) -> None:
        code = _UNAVAILABLE if state["status"] == "fail" else 200
        super().__init__(state, code, headers={"cache-control": "no-store"})


def live_probe() -> ASGIApp:
    """Return what answers as long as the event loop turns, and asks nobody."""

    async def live() -> dict[str, Any]:
        return {"status": "pass"}

    return health_probe(live)


def startup_probe(has_started: Callable[[], bool]) -> ASGIApp:
    """Return what fails until the start is over, and never again: not while the process stops.

    Args:
        has_started: Says whether it is.
    """

    async def started() -> dict[str, Any]:
        return started_state(is_over=has_started())

    return health_probe(started)


def started_state(*, is_over: bool) -> dict[str, Any]:
    """Return the state of a start."""
    return {"status": "pass"} if is_over else _failing("the start is not over")


def ready_probe(
    running: Running,
    *,
    timeout_s: float,
    cache_s: float,
    grace_s: float = 0,
    shows_details: Admits = _to_nobody,
) -> ASGIApp:
    """Return what says whether a process should be given requests.

    It should while every required resource works, and not before the start, while the server is
    draining, and while the process stops. A resource that can be done without is reported only,
    and so is a breaker.

    Args:
        running: Gives the container of the running project, if it is running.
        timeout_s: How long all resources together may take to answer, in seconds.
        cache_s: How long their answers are used again, in seconds.
        grace_s: How long a required one that has worked may fail before that counts, in seconds.
        shows_details: Says whether whoever sends a request may read why a resource fails.
    """
    readiness = Readiness(running, timeout_s=timeout_s, cache_s=cache_s, grace_s=grace_s)
    return health_probe(readiness.ask, shows_details)


def health_probe(
    ask: Callable[[], Awaitable[Mapping[str, Any]]], shows_details: Admits = _to_nobody
) -> ASGIApp:
    """Return what answers with a state of health, and with 503 when its `status` is "fail".

    Args:
        ask: Gives the state, as JSON values, with its details.
        shows_details: Says whether whoever sends a request is shown them; he has to want them as
            well, by `?verbose`.
    """

    async def probe(scope: Scope, receive: Receive, send: Send) -> None:
        response: Response
        if scope["method"] in {"GET", "HEAD"}:
            state = await ask()
            is_whole = _wants_details(scope) and shows_details(scope)
            response = _HealthResponse(state if is_whole else without_details(state))
        else:
            response = problem_response(405, headers={"Allow": "GET, HEAD"})
        if scope["method"] == "HEAD":
            response.body = b""  # its headers stay those of a GET
        await response(scope, receive, send)

    return probe


def without_details(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what anybody may read of a state of health: who fails, and not why.

    >>> without_details({"status": "fail", "checks": {"db": [{"status": "fail", "output": "..."}]}})
    {'status': 'fail', 'checks': {'db': [{'status': 'fail'}]}}
    """
    brief = dict(state)
    if "checks" in state:
        checks = state["checks"].items()
        brief["checks"] = {name: [*map(_brief, each)] for name, each in checks}
    if "processes" in state:
        brief["processes"] = [*map(without_details, state["processes"])]
    return brief


def _brief(check: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {*_DETAILS, "observedValue"} if "observedUnit" in check else _DETAILS
    return {key: value for key, value in check.items() if key not in hidden}


def _wants_details(scope: Scope) -> bool:
    query: bytes = scope.get("query_string", b"")
    return b"verbose" in query and "verbose" in parse_qs(
        query.decode("latin-1"), keep_blank_values=True
    )


class Readiness:
    """Whether a process should be given work, in the words of `ready_probe`.

    Args:
        running: Gives the container of the running project, if it is running.
        timeout_s: How long all resources together may take to answer, in seconds.
        cache_s: How long their answers are used again, in seconds.
        grace_s: How long a required one that has worked may fail before that counts, in seconds.
        objection: Gives what else speaks against it; empty when nothing does.
    """

    def __init__(
        self,
        running: Running,
        *,
        timeout_s: float,
        cache_s: float,
        grace_s: float = 0,
        objection: Callable[[], str] = str,
    ) -> None:
        self._running = running
        self._objection = objection
        self._resources = _ResourceHealth(timeout_s, cache_s, grace_s)

    async def ask(self) -> dict[str, Any]:
        """Return the state, with its details: `status` is "pass", "warn" or "fail"."""
        container = self._running()
        if container is None:
            return _failing("the project is not running")
        if container.draining or container.stopping.is_set():
            return _failing("the process is stopping")
        if objection := self._objection():
            return _failing(objection)
        found = await self._resources.ask(container)
        return _answer(found, breakers_of(container))


def _failing(note: str) -> dict[str, Any]:
    return {"status": "fail", "notes": [note]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the resources of a process said, and whether it cannot serve for that."""

    resources: tuple[Health, ...]
    is_failing: bool
    at: str


class _ResourceHealth:
    """What the resources of a process said, asked once for everybody who wants to know."""

    def __init__(self, timeout_s: float, cache_s: float, grace_s: float) -> None:
        self.timeout_s = timeout_s
        self.cache_s = cache_s
        self.grace_s = grace_s
        self._container: Container | None = None
        self._asking: asyncio.Task[_Found] | None = None
        self._until = 0.0
        self._failing_since: dict[str, float] = {}

    async def ask(self, container: Container) -> _Found:
        if container is not self._container:  # the project has been started again
            self._container, self._asking = container, None
            self._failing_since = {}
        asking = self._asking
        if asking is None or (asking.done() and time.monotonic() >= self._until):
            asking = self._asking = asyncio.create_task(self._ask(container))
        return await asyncio.shield(asking)  # whoever asked first may leave

    async def _ask(self, container: Container) -> _Found:
        resources = await check_health(container, timeout_s=self.timeout_s)
        now = time.monotonic()
        self._until = now + self.cache_s
        verdicts = [self._fails(each, now) for each in resources]
        return _Found(resources=resources, is_failing=any(verdicts), at=_moment())

    def _fails(self, health: Health, now: float) -> bool:
        """Return whether the process cannot serve for a resource; a hiccup does not count."""
        if not health.error:
            self._failing_since[health.resource] = math.inf
        elif health.required:
            # One that has never worked, such as a database that waits for its migrations, has none.
            since = min(now, self._failing_since.get(health.resource, -math.inf))
            self._failing_since[health.resource] = since
            return now - since >= self.grace_s
        return False


def _answer(found: _Found, breakers: Iterable[Breaker]) -> dict[str, Any]:
    checks = {each.resource: [_check(each, found.at)] for each in found.resources}
    is_failing = found.is_failing
    for breaker in breakers:
        observed = {"status": _status_of(breaker), "observedValue": breaker.state}
        is_failing = is_failing or observed["status"] == "fail"
        if breaker.reason:
            observed["output"] = redacted_text(breaker.reason)
        checks[f"{breaker.name}:breaker"] = [observed]
    if is_failing:
        status = "fail"
    else:
        is_well = all(check["status"] == "pass" for (check,) in checks.values())
        status = "pass" if is_well else "warn"
    return {"status": status, "checks": checks}


def _status_of(breaker: Breaker) -> str:
    if breaker.state is BreakerState.CLOSED:
        return "pass"
    return "fail" if breaker.is_needed() else "warn"


def _check(health: Health, at: str) -> dict[str, Any]:
    status = "fail" if health.error else "pass"
    check: dict[str, Any] = {"status": status, "required": health.required, "time": at}
    if health.took_ms is not None:
        check |= {"observedValue": health.took_ms, "observedUnit": "ms"}
    if health.error:
        check["output"] = redacted_text(health.error)
    return check


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
