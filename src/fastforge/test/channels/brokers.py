"""BrokersOfTests: the channel backends of a project, which a test listens to and disturbs."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from ...channels.carrying.broker import Broker
from ...channels.carrying.memory import MemoryBroker
from ...channels.kinds import CHANNEL_BACKENDS
from ...channels.rooms.hub import Hub, hub_of
from ...core.resources import memory_channels
from ...lifecycle import Container, Resource, current_container
from ...project import Project
from .broadcasts import Broadcasts
from .clock import ClockOfTests
from .faults import BackendUnderTest, BrokerOfTests

__all__ = ["BrokersOfTests", "Place"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A container that a test has opened, a process in all but name.

    Args:
        container: It.
        hub: Its rooms.
        loop: The event loop that it is on.
    """

    container: Container
    hub: Hub
    loop: asyncio.AbstractEventLoop


class BrokersOfTests:
    """Stands between a project and its channel backends, in every container that a test opens.

    What is in memory is one for all of them: what a command of the test publishes reaches the
    sockets of its server.

    Attributes:
        backend: What the test lets happen to them.
        broadcasts: What was published.
        clock: What time it is for the sockets.
        places: The containers that are open.
    """

    def __init__(self) -> None:
        self.begin_test()

    def begin_test(self) -> None:
        """Forget the test before."""
        self.broadcasts = Broadcasts()
        self.clock = ClockOfTests()
        self.backend = BackendUnderTest(self.clock.monotonic)
        self.places: list[Place] = []
        self._memory = MemoryBroker(self.clock.monotonic)
        self._memory.attach(self.backend.came, _never, self.backend.changed)

    def used_by(self, project: Project) -> Project:
        """Return a project whose backends these are."""
        backends = project.registry.values(CHANNEL_BACKENDS)
        stand_ins: dict[Resource[Any], object] = {
            each.resource: self._between(each.resource) for each in backends
        }
        return project.overriding(resources=stand_ins)

    def _between(self, original: Resource[Any]) -> Resource[Any]:
        @functools.wraps(original.function)
        async def opened(**needs: Any) -> AsyncIterator[Any]:
            is_shared = original is memory_channels
            async with asynccontextmanager(original.function)(**needs) as own:
                if own is None:  # its service is none of this project's
                    yield None
                    return
                async with self._placed(), self._disturbed(own, is_shared=is_shared) as between:
                    yield between

        return replace(original, function=opened)

    @asynccontextmanager
    async def _disturbed(self, own: Any, *, is_shared: bool) -> AsyncIterator[Broker]:
        """Stand between for as long as a container has the backend."""
        backend = self.backend
        carried: Any = self._memory if is_shared else own
        between = BrokerOfTests(carried, backend, is_shared=is_shared)
        try:
            yield between
        finally:
            backend.detached(between)

    @asynccontextmanager
    async def _placed(self) -> AsyncIterator[None]:
        """Watch the rooms of a container while its backend is open."""
        container = current_container()
        hub = hub_of(container)
        hub.clock, hub.watcher = self.clock.clock, self.broadcasts.watch
        places = self.places
        place = Place(container=container, hub=hub, loop=asyncio.get_running_loop())
        places.append(place)
        try:
            yield
        finally:
            places.remove(place)


def _never() -> None:
    """Hear that something was missed, which in memory never is."""
