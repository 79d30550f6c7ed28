"""Shorthands: what a worker and a caller do, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastforge.tasks import (
    AttemptError,
    Claim,
    ClaimRequest,
    Envelope,
    JobQuery,
    Outcome,
    Settlement,
    TaskBackend,
    Verdict,
)
from fastforge.tasks.records import JobRecord

SUCCEEDED = Outcome(verdict=Verdict.SUCCEEDED, result={"n": 1})
INTERRUPTED = Outcome(verdict=Verdict.INTERRUPTED)
CANCELLED = Outcome(verdict=Verdict.CANCELLED)
RETRY = Outcome(
    verdict=Verdict.RETRY,
    error=AttemptError(attempt=1, at="now", type="ValueError", message="again"),
)
DEAD = Outcome(
    verdict=Verdict.DEAD,
    error=AttemptError(attempt=1, at="now", type="ValueError", message="no \x00"),
)


def job(name: str = "a", **options: Any) -> Envelope:
    """An envelope."""
    return Envelope(task=name, payload={"n": 1}, **options)


async def claim(
    backend: TaskBackend,
    worker_id: str = "w1",
    *,
    limit: int = 100,
    lease_s: float = 60,
    queues: tuple[str, ...] = ("default",),
) -> list[Claim]:
    """Claim what is due."""
    request = ClaimRequest(worker_id=worker_id, queues=queues, limit=limit, lease_s=lease_s)
    return list((await backend.claim(request)).claims)


async def settle(
    backend: TaskBackend,
    claims: Sequence[Claim],
    outcome: Outcome = SUCCEEDED,
    worker_id: str = "w1",
) -> None:
    """Settle attempts, all alike."""
    await backend.settle(worker_id, [Settlement(claim=each, outcome=outcome) for each in claims])


def names(claims: Sequence[Claim]) -> list[str]:
    """The tasks of claims."""
    return [each.envelope.task for each in claims]


async def record(backend: Any, uid: str) -> JobRecord:
    """What is told of one job."""
    (found,) = await backend.desk.find(JobQuery(uids=(uid,)))
    assert isinstance(found, JobRecord)
    return found
