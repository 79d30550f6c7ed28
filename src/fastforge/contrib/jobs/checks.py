"""What can be unwise about jobs in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ..._utils import counted
from ...checks import Level, Message, check
from ...conf import Settings
from ...exceptions import Location
from ...tasks.records import QueueStats, WorkerBeat
from ...tasks.settings import Tasks
from ..db.resources import default_database

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "jobs_find_connections",
    "leases_outlast_a_wait",
    "no_job_is_left_behind",
    "waiting_jobs_find_workers",
]

JOBS_PER_CONNECTION: Final = 20
BEATS: Final = 3


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
            text=f"{tasks.concurrency} jobs of a worker share"
            f" {counted(connections, 'database connection')}",
            hint="raise pool_size in DATABASES, or lower TASKS.concurrency",
            where=_where(project.settings),
        )


@check(tags={"database", "tasks"})
def leases_outlast_a_wait(project: Project) -> Iterator[Message]:
    """Warn of leases that run out while a worker waits for the database.

    A lease is renewed five times in its life. Each time may wait as long as the database's limits
    say; a lease that is shorter than three such waits is lost by a worker that is well, and its
    jobs run twice.
    """
    tasks = project.settings.section(Tasks)
    database = default_database(project.settings)
    longest_s = max(database.lock_timeout_s, database.pool_timeout_s)
    if tasks.backend == "database" and tasks.lease_s < BEATS * longest_s:
        yield Message(
            id="jobs.W010",
            level=Level.WARNING,
            text=f"a lease of {tasks.lease_s:g} s is lost by a worker that waits {BEATS} times"
            f" {longest_s:g} s for the database",
            hint="raise TASKS.lease_s, or lower lock_timeout_s and pool_timeout_s in DATABASES",
            where=_where(project.settings),
        )


@check(connects="database", tags={"database", "tasks"})
async def waiting_jobs_find_workers(project: Project) -> AsyncIterator[Message]:
    """Find jobs that wait in a queue which no worker takes, and a file that several hosts use."""
    # Here, because every process of the project imports its checks.
    from .watching import look_at_jobs

    if project.settings.section(Tasks).backend != "database":
        return
    seen = await look_at_jobs(project)
    if seen is None:  # other checks tell of it
        return
    where = _where(project.settings)
    live = [worker for worker in seen.workers if worker.alive]
    for message in _untaken(seen.queues, live, where):
        yield message
    hosts = sorted({worker.host for worker in live})
    if default_database(project.settings).is_sqlite and len(hosts) > 1:
        yield Message(
            id="jobs.W012",
            level=Level.WARNING,
            text=f"workers on {len(hosts)} hosts take jobs from one SQLite file:"
            f" {', '.join(hosts)}",
            hint="use PostgreSQL: locks on a file are not sure between hosts",
            where=where,
        )


@check(connects="database", tags={"database", "tasks"})
async def no_job_is_left_behind(project: Project) -> AsyncIterator[Message]:
    """Find jobs of the table that nobody runs any more, since TASKS names another backend."""
    from .watching import look_at_jobs

    backend = project.settings.section(Tasks).backend
    if backend == "database":
        return
    seen = await look_at_jobs(project)
    if seen is None or any(worker.alive for worker in seen.workers):  # they end them just now
        return
    waiting = sum(each.ready + each.scheduled + each.held for each in seen.queues)
    if waiting:
        jobs = counted(waiting, "job waits", "jobs wait")
        yield Message(
            id="jobs.W013",
            level=Level.WARNING,
            text=f"{jobs} in the table of the backend 'database', and TASKS.backend is"
            f" {backend!r}: no worker takes them",
            hint="let a worker of TASKS.backend='database' end them, or discard them there",
            where=_where(project.settings),
        )


def _untaken(
    queues: Sequence[QueueStats], live: Sequence[WorkerBeat], where: Location | None
) -> Iterator[Message]:
    taken = {queue for worker in live for queue in worker.queues}
    for stats in queues:
        if stats.ready and not stats.paused and stats.queue not in taken:
            yield Message(
                id="jobs.W011",
                level=Level.WARNING,
                text=f"{counted(stats.ready, 'job is', 'jobs are')} due in the queue"
                f" {stats.queue!r}, which no worker takes at present",
                hint=f"start one: manage runworker --queues {stats.queue}",
                where=where,
            )


def _where(settings: Settings) -> Location | None:
    return settings.where("TASKS") or settings.where("DATABASES")
