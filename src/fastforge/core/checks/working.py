"""TASKS: jobs that run twice, are broken off, or are gone before anybody looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ...tasks.settings import Tasks
from ...tasks.working import has_work

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["jobs_are_not_begun_twice", "jobs_end_before_workers", "jobs_have_workers_of_their_own"]

SHORTEST_LEASE_S: Final = 10
A_WEEKEND_S: Final = 3 * 86_400
EMBEDDED: Final = "FASTFORGE_EMBEDDED_WORKER"


@check(tags={"tasks"}, deploy=True)
def jobs_are_not_begun_twice(project: Project) -> Iterator[Message]:
    """Tell of a lease that a short pause of a worker outlasts."""
    lease_s = project.settings.section(Tasks).lease_s
    if lease_s < SHORTEST_LEASE_S and has_work(project.registry, project.settings):
        yield Message(
            id="tasks.W052",
            level=Level.WARNING,
            text=f"TASKS.lease_s is {lease_s:g}: a worker whose machine pauses for that long loses"
            " its jobs to another one, and both run them",
            hint="leave it at 30: it is how long jobs of a killed worker wait",
            where=project.settings.where("TASKS"),
        )


@check(tags={"tasks"}, deploy=True)
def jobs_end_before_workers(project: Project) -> Iterator[Message]:
    """Tell that each restart breaks off jobs, and that dead ones are gone on Monday."""
    tasks = project.settings.section(Tasks)
    where = project.settings.where("TASKS")
    if not has_work(project.registry, project.settings):
        return
    if not tasks.drain_s:
        yield Message(
            id="tasks.W053",
            level=Level.WARNING,
            text="TASKS.drain_s is 0: each restart breaks off the jobs that run, and they begin"
            " again from the start",
            hint="leave it at 25",
            where=where,
        )
    if tasks.keep_dead_s < A_WEEKEND_S:
        yield Message(
            id="tasks.W054",
            level=Level.WARNING,
            text=f"dead jobs are gone after {tasks.keep_dead_s / 3600:g} h (TASKS.keep_dead_s):"
            " what failed on Friday cannot be tried again on Monday",
            hint="leave it at thirty days",
            where=where,
        )


@check(tags={"tasks", "server"}, deploy=True)
def jobs_have_workers_of_their_own(project: Project) -> Iterator[Message]:
    """Tell that jobs share the event loops of the requests in production."""
    settings = project.settings
    embedded = settings.raw.environment.variables.get(EMBEDDED) == "1"
    if embedded and settings.environment == "production" and has_work(project.registry, settings):
        yield Message(
            id="tasks.W055",
            level=Level.WARNING,
            text="FASTFORGE_EMBEDDED_WORKER is 1 in production: jobs share the event loop of the"
            " requests, and end with each of its restarts",
            hint="unset it, and start manage runworker",
        )
