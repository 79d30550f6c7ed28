"""Tables: what the statements are about, and the states as SQL knows them."""

from __future__ import annotations

from typing import Any, Final, cast

import sqlalchemy as sa

from ....tasks.outcome import JobState
from .. import models

__all__ = [
    "ATTEMPT",
    "BATCH",
    "CANCELLED",
    "CHANNEL",
    "DEAD",
    "DONE",
    "HELD",
    "JOB",
    "ORDER",
    "PACING",
    "PAUSED_QUEUE",
    "READY",
    "RUNNING",
    "SCHEDULE_RUN",
    "UNIQUE_KEY",
    "WORKER",
    "is_false",
    "is_true",
    "literal_state",
]

CHANNEL: Final = "fastforge_jobs"
"""The PostgreSQL channel that an enqueueing transaction notifies."""

JOB: Final = cast("sa.Table", models.Job.__table__)
UNIQUE_KEY: Final = cast("sa.Table", models.UniqueKey.__table__)
PACING: Final = cast("sa.Table", models.Pacing.__table__)
BATCH: Final = cast("sa.Table", models.Batch.__table__)
SCHEDULE_RUN: Final = cast("sa.Table", models.ScheduleRun.__table__)
PAUSED_QUEUE: Final = cast("sa.Table", models.PausedQueue.__table__)
WORKER: Final = cast("sa.Table", models.Worker.__table__)


def literal_state(state: JobState) -> sa.ColumnElement[int]:
    """Return a state as a literal: a partial index is not used for one that is a parameter."""
    return sa.literal_column(str(state.value), sa.SmallInteger())


def is_true(column: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a flag is set, as the partial indexes say it in both dialects."""
    return column.op("IS", is_comparison=True)(sa.literal_column("TRUE"))  # type: ignore[no-any-return]


def is_false(column: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a flag is not set, in the same way."""
    return column.op("IS", is_comparison=True)(sa.literal_column("FALSE"))  # type: ignore[no-any-return]


HELD: Final = literal_state(JobState.HELD)
READY: Final = literal_state(JobState.READY)
RUNNING: Final = literal_state(JobState.RUNNING)
DONE: Final = literal_state(JobState.DONE)
DEAD: Final = literal_state(JobState.DEAD)
CANCELLED: Final = literal_state(JobState.CANCELLED)

ATTEMPT: Final = (
    *(JOB.c.id, JOB.c.attempt, JOB.c.errors),
    *(JOB.c.task, JOB.c.payload, JOB.c.queue, JOB.c.uid, JOB.c.headers, JOB.c.run_at),
    *(JOB.c.max_attempts, JOB.c.version, JOB.c.priority, JOB.c.expires_at),
    *(JOB.c.unique_key, JOB.c.slots_key, JOB.c.slots_limit),
    *(JOB.c.pace_key, JOB.c.pace_limit, JOB.c.pace_per_s, JOB.c.batch),
)
"""What an attempt is made of, from the fourth on its envelope; in the order in which it is read."""

ORDER: Final = (JOB.c.priority, JOB.c.run_at, JOB.c.id)
"""In which order jobs that are due begin."""
