"""What can be unwise about jobs in the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ...tasks.settings import Tasks
from ..db.resources import default_database

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["jobs_find_connections"]

JOBS_PER_CONNECTION: Final = 20


@check(tags={"database", "tasks"})
def jobs_find_connections(project: Project) -> Iterator[Message]:
    """Warn of a pool that is small for the jobs that share it.

    A job holds a connection only inside `atomic`, and the worker's own statements have theirs, so
    that one for each job is never needed. But with too few they wait longer than pool_timeout_s.
    """
    tasks = project.settings.section(Tasks)
    database = default_database(project.settings)
    connections = database.pool_size + (database.max_overflow or 0)
    if tasks.backend == "database" and tasks.concurrency > JOBS_PER_CONNECTION * connections:
        yield Message(
            id="jobs.W001",
            level=Level.WARNING,
            text=f"{tasks.concurrency} jobs of a worker share {connections} database connections",
            hint="raise pool_size in DATABASES, or lower TASKS.concurrency",
            where=project.settings.where("TASKS") or project.settings.where("DATABASES"),
        )
