"""Shorthands: what a worker and a caller do with the jobs table, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastforge.contrib.jobs import JobStore
from fastforge.tasks import (
    AttemptError,
    Claim,
    ClaimRequest,
    Envelope,
    Outcome,
    Settlement,
    Verdict,
)

SUCCEEDED = Outcome(verdict=Verdict.SUCCEEDED)
CANCELLED = Outcome(verdict=Verdict.CANCELLED)
INTERRUPTED = Outcome(verdict=Verdict.INTERRUPTED)
DEAD = Outcome(
    verdict=Verdict.DEAD,
    error=AttemptError(attempt=1, at="now", type="ValueError", message="no"),
)


def job(name: str = "a", **options: Any) -> Envelope:
    """An envelope."""
    return Envelope(task=name, payload={}, **options)


def request(
    worker_id: str = "w1",
    *,
    limit: int = 100,
    lease_s: float = 60,
    queues: tuple[str, ...] = ("default",),
) -> ClaimRequest:
    """What a worker wants."""
    return ClaimRequest(worker_id=worker_id, queues=queues, limit=limit, lease_s=lease_s)


async def claim(store: JobStore, worker_id: str = "w1", **options: Any) -> list[Claim]:
    """Claim what is due."""
    return list((await store.claim(request(worker_id, **options))).claims)


async def settle(
    store: JobStore, claims: Sequence[Claim], outcome: Outcome = SUCCEEDED, worker_id: str = "w1"
) -> None:
    """Settle attempts, all alike."""
    await store.settle(worker_id, [Settlement(claim=each, outcome=outcome) for each in claims])


def names(claims: Sequence[Claim]) -> list[str]:
    """The tasks of claims."""
    return [each.envelope.task for each in claims]
