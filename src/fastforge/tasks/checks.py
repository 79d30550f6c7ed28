"""What can be wrong with tasks before one runs; the core app's checks yield these messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..checks import Level, Message
from .backend import backend_hint
from .settings import Tasks

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["missing_backend"]


def missing_backend(project: Project) -> Iterator[Message]:
    """Find tasks that can be enqueued nowhere."""
    name = project.settings.section(Tasks).backend
    backends = {backend.name for backend in project.registry.values("task_backends")}
    for component in project.registry.components("tasks")[:1]:
        if name not in backends:
            yield Message(
                id="tasks.E020",
                level=Level.ERROR,
                text=f"the project has tasks, but no installed app declares the backend {name!r}",
                hint=backend_hint(name),
                where=project.settings.where("TASKS") or component.location,
            )
