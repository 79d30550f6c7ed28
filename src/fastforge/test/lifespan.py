"""Lifespan: an application started and stopped in this event loop, as a server would."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from ..exceptions import StartError
from ..project import Project

__all__ = ["Application", "RunningApplication", "application_of", "not_started", "started"]

Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


def application_of(subject: Project | Application) -> Application:
    """Return the application of a project; an application is returned as it is."""
    if not isinstance(subject, Project):
        return subject
    from ..asgi import get_asgi_application

    return get_asgi_application(subject)


def not_started(reason: str) -> StartError:
    """Return the error of an application that did not start, and raised nothing.

    Args:
        reason: What it has said; empty for one that has said nothing.
    """
    return StartError(
        f"the application did not start: {reason or 'its lifespan ended'}",
        code="test.E001",
        hint="its lifespan has to yield, or to send lifespan.startup.complete",
    )


@asynccontextmanager
async def started(application: Application) -> AsyncIterator[Application]:
    """Start an application, give it as a server would call it, and stop it at the end.

    The whole life runs in one task of its own: a cancel scope or a task group that the lifespan
    opens is closed where it was opened, whatever task leaves this block.

    Raises:
        Exception: Whatever the start or the stop raises.
    """
    life = _Life(application)
    await life.start()
    try:
        yield life
    finally:
        await life.stop()


class RunningApplication:
    """An application that is started once, when somebody first needs it.

    It is started in the context that this was made in, and not in that of a test which is inside
    of a transaction, say, when it needs it.

    Args:
        make: Returns the application.
    """

    def __init__(self, make: Callable[[], Application]) -> None:
        self._context = contextvars.copy_context()
        self._make = make
        self._starting: asyncio.Task[_Life] | None = None

    async def application(self) -> Application:
        """Return it, as a server would call it.

        Raises:
            Exception: What its start raised, each time.
        """
        if self._starting is None:
            self._starting = asyncio.create_task(
                self._started(), name="start of a test's application", context=self._context
            )
        return await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """Stop it, if it has been started.

        Raises:
            Exception: Whatever the stop raises.
        """
        starting, self._starting = self._starting, None
        if starting is not None:
            await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:
                await starting.result().stop()

    async def _started(self) -> _Life:
        life = _Life(self._make())
        await life.start()
        return life


class _Life:
    """One run of an application's lifespan."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._state: dict[str, Any] = {}
        self._said_startup = False
        self._failure = ""
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        await self._application({**scope, "state": dict(self._state)}, receive, send)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="lifespan")
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.wait({self._task})
            raise
        finally:
            ready.cancel()
        if self._failure or not self._ready.is_set():
            await self._task  # which raises what the start raised
            raise not_started(self._failure)

    async def stop(self) -> None:
        """Stop it, also when this task is cancelled meanwhile; then be cancelled."""
        assert self._task is not None
        self._stop.set()
        cancelled = False
        while not self._task.done():
            try:
                await asyncio.wait({self._task})
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError
        await self._task

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._state,
        }
        await self._application(scope, self._receive, self._send)

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._said_startup:
            self._said_startup = True
            return {"type": "lifespan.startup"}
        await self._stop.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"].endswith(".failed"):
            self._failure = str(message.get("message", "")).strip().rpartition("\n")[2]
        if message["type"].startswith("lifespan.startup."):
            self._ready.set()
