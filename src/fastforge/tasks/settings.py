"""The settings of background jobs."""

from __future__ import annotations

from pydantic import Field

from ..conf import Section
from .retry import ATTEMPTS

__all__ = ["Tasks"]


class Tasks(Section, setting="TASKS"):
    """How jobs are kept and run.

    Attributes:
        backend: The name of a task backend: `database` (of fastforge.contrib.jobs), `arq`
            (of fastforge.contrib.arq, on Redis) or `memory`.
        concurrency: How many jobs one worker process runs at the same time; also the number of
            its threads for tasks that are written with plain `def`.
        lease_s: Within this time the jobs of a worker that no longer reports run again, in
            seconds. A worker renews its leases every fifth of it.
        drain_s: How long running jobs may go on after SIGTERM before they are handed back.
        max_attempts: How often a job is tried whose task does not say.
        isolated_processes: How many processes for tasks with `isolate=True` one worker process has
            at most. Each loads the project and opens connections of its own.
        keep_done_s: How long jobs are kept that ended well or were cancelled, in seconds: a day.
        keep_dead_s: How long dead jobs are kept, in seconds: thirty days.
        processes: How many worker processes there are, on all hosts together. It starts none:
            whoever starts more says so here, for what counts by it, such as `manage check
            --database`.
    """

    backend: str = "database"
    concurrency: int = Field(default=50, ge=1)
    lease_s: float = Field(default=30, ge=1)
    drain_s: float = Field(default=25, ge=0)
    max_attempts: int = Field(default=10, ge=1, le=ATTEMPTS[-1])
    isolated_processes: int = Field(default=2, ge=1)
    keep_done_s: float = Field(default=86_400, ge=0)
    keep_dead_s: float = Field(default=2_592_000, ge=0)
    processes: int = Field(default=1, ge=1)
