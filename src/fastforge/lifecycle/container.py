"""Container: the running resources of one process, found by the recipe they were made from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from .._utils import told
from ..components import Registry
from ..conf import Settings
from ..exceptions import ContainerMissing, ForgeError, ResourceUnavailable
from ..observability.tracers import Tracing
from .resource import Resource
from .role import Role

__all__ = [
    "Container",
    "container_here",
    "current_container",
    "reason_of",
    "use_container",
]

T = TypeVar("T")


class Container:
    """What a running project holds; `container[resource]` gives the instance.

    Handlers, tasks and commands name what they want by annotation and do not meet this object.

    Attributes:
        settings: The project's settings.
        registry: The project's components.
        role: The kind of process.
        draining: True from the moment when the process was told to stop: clients should go
            elsewhere. `drain` sets it.
        drain_signal: Set at that moment: what goes on without an end should end.
        stopping: Set when the process begins to stop, before anything is closed.
        tracing: What traces requests and jobs; None where nobody does.
    """

    def __init__(self, registry: Registry, settings: Settings, role: Role) -> None:
        self.registry = registry
        self.settings = settings
        self.role = role
        self.draining = False  # beside the event, because the edge reads it for every answer
        self.drain_signal = asyncio.Event()
        self.stopping = asyncio.Event()
        self.tracing: Tracing | None = None
        self._instances: dict[Resource[Any], Any] = {}
        self._failures: dict[Resource[Any], str] = {}

    def __getitem__(self, resource: Resource[T]) -> T:
        try:
            instance: T = self._instances[resource]
        except KeyError:
            raise self._absent(resource) from None
        return instance

    def __contains__(self, resource: object) -> bool:
        return resource in self._instances

    @property
    def resources(self) -> tuple[Resource[Any], ...]:
        """The open resources, in the order of their opening."""
        return tuple(self._instances)

    def failure(self, resource: Resource[Any]) -> str:
        """Return why a degradable resource is not open at present; empty when nothing failed."""
        return self._failures.get(resource, "")

    def drain(self) -> None:
        """Say that the process was told to stop; whoever serves or works calls it, on the loop."""
        self.draining = True
        self.drain_signal.set()

    def __repr__(self) -> str:
        return f"<Container({self.role}, {len(self._instances)} resources open)>"

    # The runner alone fills and empties a container.

    def _opened(self, resource: Resource[Any], instance: Any) -> None:
        self._instances[resource] = instance
        self._failures.pop(resource, None)

    def _closed(self, resource: Resource[Any]) -> None:
        self._instances.pop(resource, None)

    def _failed(self, resource: Resource[Any], error: Exception) -> None:
        self._failures[resource] = reason_of(error)

    def _absent(self, resource: Resource[Any]) -> Exception:
        if resource in self._failures:
            return ResourceUnavailable(
                f"the resource {resource.name!r} is unavailable: {self._failures[resource]}",
                code="lifecycle.E010",
                hint="it is tried again in the background",
            )
        if resource not in self.registry.values("resources"):
            hint = "install the app that declares it in its resources.py"
        elif self.role not in resource.roles:
            hint = f"it opens only in {', '.join(sorted(resource.roles))}: add the role to it"
        else:
            hint = "it has been closed: the process is stopping"
        return ContainerMissing(
            f"the resource {resource.name!r} is not open in this {self.role} process",
            code="lifecycle.E011",
            hint=hint,
        )


def reason_of(error: Exception) -> str:
    """Return what keeps a resource from working: an error of ours without its code and hint."""
    return error.message if isinstance(error, ForgeError) else told(error)


container_here: Final[ContextVar[Container]] = ContextVar("fastforge_container")
"""The current container, for the edge, which counts microseconds; others: `current_container`."""


def current_container() -> Container:
    """Return the container of the request, job or command that is running.

    Raises:
        ContainerMissing: Nothing of a project runs here.
    """
    try:
        return container_here.get()
    except LookupError:
        raise ContainerMissing(
            "no project runs here",
            code="lifecycle.E012",
            hint="call this from a handler, a task or a command, or inside"
            " `async with project.running(Role.COMMAND)`",
        ) from None


@contextmanager
def use_container(container: Container) -> Iterator[Container]:
    """Make a container the current one for what runs inside."""
    token = container_here.set(container)
    try:
        yield container
    finally:
        container_here.reset(token)
