"""Runner: opens what a role needs, in order, and closes it in the exact reverse."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

from .._utils import told
from ..components import Component, Registry
from ..conf import Settings
from ..exceptions import ForgeError, ResourceRefused, ResourceUnavailable, StartError
from ..redaction import Redaction, redacting
from .backoff import Backoff
from .container import Container, use_container
from .diary import Diary
from .kinds import SERVICES
from .opening import Opening
from .order import needs_of, start_order
from .resource import Resource
from .role import Role
from .supervisor import Supervisor

__all__ = ["running"]

logger = logging.getLogger("fastforge.lifecycle")

INTERRUPTED_TEARDOWN_S: Final = 0.6
"""The time to close all resources when a start is interrupted: the process ends in 1 s."""
LEAST_CLOSE_S: Final = 0.05
"""What every resource is given to close in, even when the time for all of them is over."""
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 5.0
REOPEN_PAUSE_S: Final = 30.0

_OUR_OWN_MISTAKE = (TypeError, NameError, AttributeError, ImportError, SyntaxError)


@asynccontextmanager
async def running(
    registry: Registry,
    settings: Settings,
    role: Role,
    *,
    start_deadline_s: float = 0,
    teardown_s: float = 10,
    services: bool = True,
    redaction: Redaction | None = None,
) -> AsyncIterator[Container]:
    """Open the resources of a role, run its services, and close everything at the end.

    This is the only place that opens and closes things. Each opened resource is closed once, in
    reverse, also when a later one fails, when the start or the stop is cancelled, and when a
    close fails or hangs. The services stop before, each within its own `drain_s`.

    Args:
        registry: The project's components.
        settings: The project's settings.
        role: The kind of process.
        start_deadline_s: How long a required resource is tried again; 0 means one attempt.
        teardown_s: The time limit of closing all resources, once the services have stopped.
        services: Whether the services of the role run; a process beside one of that role, in
            which they run already, does without.
        redaction: What is masked meanwhile in all that the process writes, beside what always is.

    Raises:
        StartError: A required resource could not be opened.
    """
    container = Container(registry, settings, role)
    runner = _Runner(container, start_deadline_s)
    limit_s = INTERRUPTED_TEARDOWN_S
    with redacting(redaction or Redaction()), use_container(container):
        try:
            await runner.open_all(start_order(registry, role))
            if services:
                runner.start_services()
            limit_s = teardown_s
            runner.diary.write("running")
            yield container
        finally:
            await _finish(runner.close_all(limit_s))


class _Runner:
    """The openings and services of one process."""

    def __init__(self, container: Container, start_deadline_s: float) -> None:
        self.container = container
        self.diary = Diary.of(container.role)
        self.owner = asyncio.current_task()
        self.deadline = time.monotonic() + start_deadline_s
        self.opened: list[Opening] = []
        self.services = Supervisor(container)
        self.reopening: set[asyncio.Task[None]] = set()

    async def open_all(self, components: tuple[Component[Resource[Any]], ...]) -> None:
        self.diary.write("starting")
        for component in components:
            if component.value.required:
                await self._open_required(component)
            else:
                await self._open_degradable(component)

    def start_services(self) -> None:
        for service in self.container.registry.values(SERVICES):
            if self.container.role in service.roles:
                self.services.start(service)

    async def close_all(self, limit_s: float) -> None:
        """Stop the services, then close every opened resource in reverse; never raises."""
        self.container.drain()  # a server of somebody else's has not said it
        self.container.stopping.set()
        self.diary.write("stopping")
        for task in self.reopening:
            task.cancel()
        await asyncio.gather(*self.reopening, return_exceptions=True)
        await self.services.stop()
        deadline = time.monotonic() + limit_s
        while self.opened:
            opening = self.opened.pop()
            self.container._closed(opening.resource)
            left_s = max(LEAST_CLOSE_S, deadline - time.monotonic())
            is_closed = await opening.close(min(opening.resource.close_timeout_s, left_s))
            self.diary.write("closed" if is_closed else "not closed", opening.component.name)
        self.diary.write("ended")

    async def _open(self, component: Component[Resource[Any]]) -> None:
        opening = Opening(component, self.owner)
        instance = await opening.open()
        self.opened.append(opening)
        self.container._opened(component.value, instance)
        self.diary.write("opened", component.name)

    async def _open_required(self, component: Component[Resource[Any]]) -> None:
        pauses = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while True:
            try:
                return await self._open(component)
            except Exception as error:
                pause_s = pauses.next_s()
                is_final = isinstance(error, ResourceRefused) or not _may_pass(error)
                if is_final or time.monotonic() + pause_s > self.deadline:
                    _refuse(component, error)
                logger.warning(
                    "%s; next attempt in %.1f s", _start_error(component, error), pause_s
                )
            await asyncio.sleep(pause_s)

    async def _open_degradable(self, component: Component[Resource[Any]]) -> None:
        missing = [need for need in needs_of(component.value) if need not in self.container]
        try:
            if missing:
                raise ResourceUnavailable(f"it needs {missing[0].name!r}", code="lifecycle.E010")
            await self._open(component)
        except Exception as error:
            if not _may_pass(error):
                _refuse(component, error)
            self._note_failure(component, error)
            task = asyncio.create_task(self._reopen(component))
            self.reopening.add(task)
            task.add_done_callback(self.reopening.discard)

    async def _reopen(self, component: Component[Resource[Any]]) -> None:
        """Try a degradable resource again until it opens; one log line says that it is back."""
        pauses = Backoff(FIRST_PAUSE_S, REOPEN_PAUSE_S)
        while True:
            await asyncio.sleep(pauses.next_s())
            if any(need not in self.container for need in needs_of(component.value)):
                continue
            try:
                await self._open(component)
            except Exception as error:
                self.container._failed(component.value, error)
            else:
                logger.info("the resource %r is available", component.name)
                return

    def _note_failure(self, component: Component[Resource[Any]], error: Exception) -> None:
        self.container._failed(component.value, error)
        logger.warning("%s; going on without it", _start_error(component, error))


def _may_pass(error: Exception) -> bool:
    """Return whether another attempt could succeed: no mistake of a program or of settings."""
    if isinstance(error, ForgeError):
        return isinstance(error, ResourceUnavailable)
    return not isinstance(error, _OUR_OWN_MISTAKE)


def _refuse(component: Component[Resource[Any]], error: Exception) -> NoReturn:
    """Raise a StartError; what is one already keeps its cause, which `raise e from e` loses."""
    if isinstance(error, StartError):
        raise error
    raise _start_error(component, error) from error


def _start_error(component: Component[Resource[Any]], error: Exception) -> StartError:
    if isinstance(error, StartError):
        return error
    opening = f"the resource {component.name!r} of the app {component.app!r} could not be opened"
    if isinstance(error, ForgeError):  # it says best itself what is wrong and where
        place = error.where or component.location
        message = f"{opening}: {error.message}"
        return StartError(message, code=error.code, hint=error.hint, where=place)
    return StartError(
        f"{opening}: {told(error)}",
        code="lifecycle.E004",
        hint="--traceback shows all of it",
        where=component.location,
    )


async def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run work to its end even when this task is cancelled meanwhile; then be cancelled."""
    task = asyncio.create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    task.result()
