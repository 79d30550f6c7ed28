"""Outcome: how one attempt at a job ended, and what is kept of an attempt that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, Final, Self

from .._utils import redact
from ..observability.failures import failure_fields, failure_text

__all__ = ["ERRORS_KEPT", "AttemptError", "JobState", "Outcome", "Verdict", "worker_vanished"]

ERRORS_KEPT: Final = 10
"""How many failed attempts of a job are remembered, the last ones."""
MESSAGE_LIMIT: Final = 1_000
TRACE_LIMIT: Final = 6_000


class JobState(IntEnum):
    """Where a job is in its life. From DONE on it has ended."""

    FORWARDING = -2
    """Written in a transaction, and on its way to the backend that runs it."""
    HELD = -1
    """Others with its key run, as many as may; it is READY again when one of them has ended."""
    READY = 0
    RUNNING = 1
    DONE = 2
    DEAD = 3
    CANCELLED = 4


class Verdict(StrEnum):
    """What becomes of a job after an attempt."""

    SUCCEEDED = "succeeded"
    RETRY = "retry"
    DEAD = "dead"
    PUT_BACK = "put_back"
    """It could not be tried here; it is due again later and the attempt is not counted."""
    INTERRUPTED = "interrupted"
    """The worker is stopping; it is due at once and the attempt is not counted."""
    CANCELLED = "cancelled"
    """Somebody has cancelled it while it ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptError:
    """An exception that ended an attempt, as text.

    Args:
        attempt: The number of the attempt, from 1.
        at: When it ended, ISO 8601 in UTC.
        type: The exception's class with its module.
        message: What it says, without passwords.
        trace: Where it was raised and why, as `failure_text` tells it; its end when it is long.
    """

    attempt: int
    at: str
    type: str
    message: str
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException, *, attempt: int) -> Self:
        """Describe an exception."""
        fields = failure_fields(error)
        trace = failure_text(error)[-TRACE_LIMIT:]
        return cls.told(fields["type"], fields["message"], attempt=attempt, trace=trace)

    @classmethod
    def told(cls, type_: str, message: str, *, attempt: int, trace: str = "") -> Self:
        """Describe what no exception has told, or what one has."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        shown = redact(message)[:MESSAGE_LIMIT]
        return cls(attempt=attempt, at=at, type=type_, message=shown, trace=trace)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` wrote, here or in a version that has other fields.

        Whatever stands there: a worker that could not read it could claim no job beside it.
        """
        told = value if isinstance(value, Mapping) else {"message": str(value)}
        texts = {name: str(told.get(name, "")) for name in ("at", "type", "message", "trace")}
        attempt = told.get("attempt")
        return cls(attempt=attempt if isinstance(attempt, int) else 0, **texts)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)

    def __str__(self) -> str:
        first = self.message.partition("\n")[0]
        return f"{self.type}: {first}" if first else self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended.

    Args:
        verdict: What becomes of the job.
        delay_s: When it is due again, in seconds from now; for RETRY and PUT_BACK.
        error: What ended the attempt; for RETRY and DEAD.
        result: What the task returned, as JSON; for SUCCEEDED.
        exception: What ended it as log lines have it, for the line of the attempt alone.
        span: The ids of the trace and the span that it ran in, for the same.
    """

    verdict: Verdict
    delay_s: float = 0
    error: AttemptError | None = None
    result: Any = None
    exception: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    span: tuple[str, str] | None = field(default=None, compare=False, repr=False)

    @property
    def state(self) -> JobState:
        """The state that the job is in afterwards."""
        return _STATES.get(self.verdict, JobState.READY)

    @property
    def counted(self) -> bool:
        """Whether the attempt is one of the `max_attempts`."""
        return self.verdict not in (Verdict.PUT_BACK, Verdict.INTERRUPTED)


_STATES: Final = {
    Verdict.SUCCEEDED: JobState.DONE,
    Verdict.DEAD: JobState.DEAD,
    Verdict.CANCELLED: JobState.CANCELLED,
}


def worker_vanished(worker_id: str | None, *, attempt: int, max_attempts: int) -> Outcome:
    """Return the outcome of an attempt whose worker stopped reporting.

    It counts, unlike an interruption: the job itself may be what kills its workers, and would
    else kill them for ever. It is due again at once, since most often it is innocent.
    """
    error = AttemptError.told(
        "WorkerVanished",
        f"the worker {worker_id} ended or hung while it ran this job",
        attempt=attempt,
    )
    dead = attempt >= max_attempts
    return Outcome(verdict=Verdict.DEAD if dead else Verdict.RETRY, error=error)
