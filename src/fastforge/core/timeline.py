"""Timeline: how long each part of a stop may take, and when whoever waits for it may kill."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..ending import ENDS_WITHIN_S
from ..lifecycle import SERVICES, Container, Role, Service
from ..lifecycle.supervisor import CANCEL_LIMIT_S
from ..tasks.settings import Tasks
from ..tasks.working import HAND_BACK_LIMIT_S
from .services import EMBEDDED_WORKER, embedded_worker
from .settings import Server

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["CANCELLED_WITHIN_S", "MARGIN_S", "Timeline"]

CANCELLED_WITHIN_S: Final = 1.0
"""How long requests that are cancelled at the end of `graceful_s` may take to end."""
MARGIN_S: Final = 5.0
"""For what nobody declares: a machine that is busy, resources that ignore their cancellation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The limits of one stop, in their order, in seconds; each part may be over sooner.

    What is computed from it cannot disagree with the process: the server and the worker go by the
    same values.

    ```python
    timeline = Timeline.of_server(Project.load("shop.settings"))
    print(timeline.kill_after_s, "=", timeline.arithmetic)
    ```

    Args:
        pre_stop_s: What the platform waits before SIGTERM.
        drain_s: How long a server takes new connections after SIGTERM.
        linger_s: How long its silent connections may still ask then.
        graceful_s: How long its requests in flight may go on after that; of a worker, its jobs.
        cancel_s: What ends the requests, or hands back the jobs, that are left then.
        services_s: Until all services have stopped, side by side.
        teardown_s: Until all resources are closed.
        exit_s: How long threads and tasks that do not end are waited for at last.
    """

    pre_stop_s: float = 0
    drain_s: float = 0
    linger_s: float = 0
    graceful_s: float
    cancel_s: float
    services_s: float
    teardown_s: float
    exit_s: float = ENDS_WITHIN_S

    @classmethod
    def of_server(cls, project: Project | Container, *, environment: str | None = None) -> Timeline:
        """Return the timeline of a process that serves a project.

        Args:
            project: The project, or its container in the process that serves it.
            environment: Where it is to run: `drain_s` and `linger_s` depend on it unless they are
                written. The project's own unless given.
        """
        server = project.settings.section(Server)
        name = environment or project.settings.environment
        return cls(
            pre_stop_s=server.pre_stop_here(),
            drain_s=server.drain_in(name),
            linger_s=server.linger_in(name),
            graceful_s=server.graceful_s,
            cancel_s=CANCELLED_WITHIN_S,
            services_s=_services_s(_services(project, Role.WEB)),
            teardown_s=server.teardown_s,
        )

    @classmethod
    def of_worker(cls, project: Project) -> Timeline:
        """Return the timeline of a process that runs the jobs of a project."""
        return cls(
            graceful_s=project.settings.section(Tasks).drain_s,
            cancel_s=HAND_BACK_LIMIT_S,
            services_s=_services_s(_services(project, Role.WORKER)),
            teardown_s=project.settings.section(Server).teardown_s,
        )

    @property
    def stop_s(self) -> float:
        """How long the process takes at most from SIGTERM to its end."""
        return sum(seconds for _, seconds in self._parts[1:])

    @property
    def kill_after_s(self) -> float:
        """When to kill a process that has not ended, from the beginning of the pre-stop wait."""
        return self.pre_stop_s + self.stop_s + MARGIN_S

    @property
    def arithmetic(self) -> str:
        """The sum of `kill_after_s` in words, without what takes no time."""
        parts = (*self._parts, ("margin", MARGIN_S))
        shown = " + ".join(f"{seconds:g} {name}" for name, seconds in parts if seconds)
        return f"{shown} = {self.kill_after_s:g} s"

    @property
    def _parts(self) -> tuple[tuple[str, float], ...]:
        return (
            ("pre-stop", self.pre_stop_s),
            ("drain", self.drain_s),
            ("linger", self.linger_s),
            ("graceful", self.graceful_s),
            ("cancel", self.cancel_s),
            ("services", self.services_s),
            ("teardown", self.teardown_s),
            ("exit", self.exit_s),
        )


def _services(project: Project | Container, role: Role) -> Iterable[Service]:
    is_embedded = os.environ.get(EMBEDDED_WORKER) == "1"
    for service in project.registry.values(SERVICES):
        if role in service.roles and (is_embedded or service is not embedded_worker):
            yield service


def _services_s(services: Iterable[Service]) -> float:
    return max((each.drain_s + CANCEL_LIMIT_S for each in services), default=0)
