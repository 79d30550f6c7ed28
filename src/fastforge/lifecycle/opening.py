"""Opening: one resource, opened and closed in a task of its own, each within a time limit."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any, Final

from .._utils import told
from ..components import Component
from ..exceptions import DependencyError
from .execution import solve
from .plan import plan
from .resource import Resource

__all__ = ["Opening"]

logger = logging.getLogger("fastforge.lifecycle")

ABANDON_AFTER_S: Final = 0.2
"""How long a cancelled generator may take to end before it is left behind, in seconds."""
_ENDED: Final = object()


class Opening:
    """The life of one resource in one process.

    The generator runs in its own task from beginning to end: a cancel scope inside it stays in
    one task, a cancelled process still closes it, and one that does not end is left behind.

    Args:
        component: What is opened.
        owner: The task that runs the project, and closes this in its turn.
    """

    def __init__(
        self, component: Component[Resource[Any]], owner: asyncio.Task[Any] | None
    ) -> None:
        self.component = component
        self._owner = owner
        self.resource = component.value
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> Any:
        """Open it and return its instance.

        Raises:
            TimeoutError: It did not open within its time limit.
            Exception: Whatever its function raised.
        """
        ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        task = self._task = asyncio.create_task(self._live(ready), name=f"resource {self._name}")
        limit_s = self.resource.start_timeout_s
        try:
            await asyncio.wait({task, ready}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # It may have opened in the same turn of the loop: then it is closed as any other.
            await (self.close(ABANDON_AFTER_S) if ready.done() else self._abandon(task))
            raise
        if ready.done():
            return ready.result()
        if task.done():
            raise _failure(task, self.resource)
        await self._abandon(task)
        raise TimeoutError(f"it did not open within {limit_s:g} s")

    async def close(self, limit_s: float) -> bool:
        """Close it within a time limit, and return whether that went well.

        What goes wrong is logged; it never raises.
        """
        task = self._task
        if task is None:
            return True
        self._stop.set()
        await asyncio.wait({task}, timeout=limit_s)
        if not task.done():
            logger.error("the resource %r did not close within %.1f s", self._name, limit_s)
            await self._abandon(task)
            return False
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("the resource %r failed to close: %s", self._name, told(error))
            return False
        return True

    @property
    def _name(self) -> str:
        return self.resource.name

    async def _live(self, ready: asyncio.Future[Any]) -> None:
        async with AsyncExitStack() as stack:
            values = await solve(plan(self.resource.function), stack)
            generator = self.resource.function(**values)
            ready.set_result(await anext(generator))
            await self._wait_for_stop()
            # Resumed with no exception, whatever ends the process: a plain `yield` is enough.
            if await anext(generator, _ENDED) is not _ENDED:
                raise DependencyError(
                    f"the resource {self._name!r} yields twice",
                    code="lifecycle.E009",
                    hint="yield the instance once; what follows closes it",
                    where=self.component.location,
                )

    async def _wait_for_stop(self) -> None:
        # Whoever ends an event loop cancels all its tasks at once, and each of them once. This one
        # then waits for the runner, which was cancelled as well and closes in order; or for the
        # end of one that does not.
        while not self._stop.is_set():
            try:
                await self._stop.wait()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None:
                    task.uncancel()
                if self._owner is None:
                    return
                self._owner.add_done_callback(lambda _: self._stop.set())

    async def _abandon(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait({task}, timeout=ABANDON_AFTER_S)
        if not task.done():
            logger.error("the resource %r ignores its cancellation; it is left", self._name)
        elif not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it as well


def _failure(task: asyncio.Task[None], resource: Resource[Any]) -> BaseException:
    if task.cancelled():
        return RuntimeError(f"the opening of {resource.name!r} was cancelled from inside")
    error = task.exception()
    if isinstance(error, StopAsyncIteration) or error is None:
        return RuntimeError("it ended without a yield")
    return error
