"""Budget: the connections to Redis that all processes may take together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...core.processes import servers_of
from ...tasks.settings import Tasks
from ...tasks.working import has_work
from .permissions import carries_channels
from .settings import Redis

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["wanted_connections"]

SUBSCRIPTIONS: Final = 1
"""By which a server hears what is published in channels."""
WORKER_CONNECTIONS: Final = 5
"""What a worker of the backend `arq` has besides: four for its books, one to be woken by."""


def wanted_connections(project: Project) -> tuple[int, str]:
    """Return how many connections all processes take at most, and how that comes about."""
    settings = project.settings
    size = settings.section(Redis).max_connections
    tasks, servers = settings.section(Tasks), servers_of(settings)
    has_workers = has_work(project.registry, settings) and tasks.backend != "memory"
    hearing = SUBSCRIPTIONS if carries_channels(project) else 0
    parts = [_part(servers, "server", size, "channels", hearing)]
    if has_workers:
        more = WORKER_CONNECTIONS if tasks.backend == "arq" else 0
        parts.append(_part(tasks.processes, "worker", size, "jobs", more))
    total = sum(number for number, _ in parts)
    return total, f"{' + '.join(text for _, text in parts)} = {total} connections"


def _part(count: int, noun: str, size: int, what: str, more: int) -> tuple[int, str]:
    each = f"(max_connections {size} + {what} {more})" if more else f"max_connections {size}"
    return count * (size + more), f"{count} {noun}{'' if count == 1 else 's'} x {each}"
