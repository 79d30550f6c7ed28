"""Claims: attempts at jobs in Redis, as those hold them who run them, or have vanished."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ...tasks.backend import Claim, Settlement
from ...tasks.outcome import AttemptError, Outcome, Verdict, worker_vanished
from .moments import moment_of
from .wire import read_job

__all__ = ["HeldJob", "as_recorded", "held_job", "vanished_job"]

CANCELLED: Final = 2
"""What the script says of an attempt whose job somebody wanted cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldJob(Claim):
    """A claim, and what its result is written with.

    Args:
        enqueued_at: When the job was enqueued.
        started_at: When the attempt began.
        due_at: When it was due.
    """

    enqueued_at: datetime
    started_at: datetime
    due_at: datetime


def held_job(
    uid: bytes,
    payload: bytes,
    attempt: int,
    started_us: bytes,
    due_ms: bytes,
    queue: bytes,
    errors: Sequence[bytes],
) -> HeldJob:
    """Return what a claim was answered."""
    key = uid.decode()
    written = read_job(key, payload, queue.decode())
    return HeldJob(
        key=key,
        attempt=attempt,
        envelope=written.envelope,
        errors=_errors(errors),
        fault=written.fault,
        enqueued_at=written.enqueued_at,
        started_at=moment_of(float(started_us)),
        due_at=moment_of(float(due_ms) * 1000),
    )


def vanished_job(
    uid: bytes, worker: bytes, attempt: bytes, payload: bytes, errors: Iterable[bytes]
) -> Settlement:
    """Return how an attempt is to end whose worker says nothing any more."""
    key, worker_id = uid.decode(), worker.decode()
    written = read_job(key, payload, "")
    claim = Claim(
        key=key,
        attempt=int(attempt),
        envelope=written.envelope,
        errors=_errors(errors),
        fault=written.fault,
    )
    limit = written.envelope.max_attempts
    outcome = worker_vanished(worker_id, attempt=claim.attempt, max_attempts=limit)
    return Settlement(claim=claim, outcome=outcome, worker_id=worker_id)


def as_recorded(settlement: Settlement, how: int) -> Settlement:
    """Return a settlement as it was recorded: whom somebody wants cancelled is not tried again."""
    if how != CANCELLED:
        return settlement
    return replace(settlement, outcome=Outcome(verdict=Verdict.CANCELLED))


def _errors(written: Iterable[bytes]) -> tuple[AttemptError, ...]:
    return tuple(AttemptError.from_json(json.loads(error)) for error in written)
