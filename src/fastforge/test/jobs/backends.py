"""BackendsOfTests: the task backends of a project, on one clock that a test advances."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from ...core.resources import memory_jobs, task_clock
from ...lifecycle import Container, Resource, current_container
from ...project import Project
from ...tasks import TASK_BACKENDS, Clock, Enqueued, Envelope, MemoryBackend, NewBatch, TaskBackend

__all__ = ["BackendsOfTests"]

Enqueueing = Callable[[Container, TaskBackend], Awaitable[None]]
"""What is done when jobs were enqueued through a container."""


class BackendsOfTests:
    """Stands between a project and its backends, in every container that a test opens.

    What is enqueued goes to the backend as ever; or to the one that it declares for tests. Jobs in
    memory are those of the test, and not of one container.

    Attributes:
        clock: The one that all backends go by.
        on_enqueue: What is done after each enqueueing; None outside `inline()`.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.on_enqueue: Enqueueing | None = None
        self._memory: MemoryBackend | None = None

    def begin_test(self) -> None:
        """Forget the test before."""
        self.clock.ahead *= 0
        self.on_enqueue = None
        self._memory = None

    def used_by(self, project: Project) -> Project:
        """Return a project whose backends these are."""
        stand_ins: dict[Resource[Any], object] = {task_clock: self.clock}
        for backend in project.registry.values(TASK_BACKENDS):
            stand_ins[backend.resource] = self._between(backend.in_tests or backend.resource)
        return project.overriding(resources=stand_ins)

    def _between(self, original: Resource[Any]) -> Resource[Any]:
        @functools.wraps(original.function)
        async def opened(**needs: Any) -> AsyncIterator[Any]:
            async with asynccontextmanager(original.function)(**needs) as backend:
                own = self._shared(backend) if original is memory_jobs else backend
                yield _BackendOfTests(own, current_container(), self)

        return replace(original, function=opened)

    def _shared(self, backend: MemoryBackend) -> MemoryBackend:
        if self._memory is None:
            self._memory = backend
        return self._memory


class _BackendOfTests:
    """A backend, as it is; only that whoever wants to is told of what was enqueued."""

    def __init__(self, backend: Any, container: Container, shared: BackendsOfTests) -> None:
        self._backend = backend
        self._container = container
        self._shared = shared

    async def enqueue(
        self, envelopes: Sequence[Envelope], /, *, batch: NewBatch | None = None
    ) -> Sequence[Enqueued]:
        enqueued: Sequence[Enqueued] = await self._backend.enqueue(envelopes, batch=batch)
        if self._shared.on_enqueue is not None:
            await self._shared.on_enqueue(self._container, self._backend)
        return enqueued

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)
