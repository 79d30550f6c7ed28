"""A task backend, and what the tests do with it: the same words for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastforge.contrib.db.sessions.session import Session
from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.tasks import (
    AttemptError,
    Claim,
    Claimed,
    ClaimRequest,
    Enqueued,
    Envelope,
    JobDesk,
    JobQuery,
    JobRecord,
    JobState,
    NewBatch,
    Outcome,
    Settlement,
    TaskBackend,
    Verdict,
)

SUCCEEDED = Outcome(verdict=Verdict.SUCCEEDED)
INTERRUPTED = Outcome(verdict=Verdict.INTERRUPTED)
CANCELLED = Outcome(verdict=Verdict.CANCELLED)
LEASE_S = 60.0


def failure(attempt: int = 1, verdict: Verdict = Verdict.RETRY, delay_s: float = 0) -> Outcome:
    """An attempt that raised something."""
    error = AttemptError(attempt=attempt, at="now", type="ValueError", message=f"n{attempt} \x00")
    return Outcome(verdict=verdict, delay_s=delay_s, error=error)


def done(result: Any = None) -> Outcome:
    """An attempt that returned something."""
    return Outcome(verdict=Verdict.SUCCEEDED, result=result)


DEAD = failure(verdict=Verdict.DEAD)


@dataclass(frozen=True)
class World:
    """A backend that is empty, and the transactions that its jobs are enqueued in.

    Attributes:
        backend: It.
        open_session: Gives what makes a session whose `atomic` the backend's `enqueue` joins.
    """

    backend: TaskBackend
    open_session: Callable[[], AbstractAsyncContextManager[Callable[[], Session]]]

    @property
    def desk(self) -> JobDesk:
        return self.backend.desk

    # --- enqueueing ---

    async def enqueue(self, *names: str, **options: Any) -> list[str]:
        """Enqueue a job for each name, by a call for each."""
        return [(await self.send(envelope(name, **options)))[0].uid for name in names]

    async def send(self, *envelopes: Envelope, batch: NewBatch | None = None) -> Sequence[Enqueued]:
        """Enqueue jobs by one call."""
        return await self.backend.enqueue(envelopes, batch=batch)

    @asynccontextmanager
    async def atomic(self) -> AsyncIterator[Session]:
        """Stand in a transaction of the project's database."""
        async with (
            self.open_session() as new,
            use_unit(UnitOfWork(lambda _: new())) as unit,
            unit.session.atomic() as db,
        ):
            yield db

    # --- working ---

    async def ask(
        self,
        worker_id: str = "w1",
        *,
        limit: int = 100,
        lease_s: float = LEASE_S,
        queues: tuple[str, ...] = ("default",),
    ) -> Claimed:
        """Claim, as a worker does."""
        request = ClaimRequest(worker_id=worker_id, queues=queues, limit=limit, lease_s=lease_s)
        return await self.backend.claim(request)

    async def claim(self, worker_id: str = "w1", **options: Any) -> list[Claim]:
        """Claim until nothing more comes, as a worker does that has a place free."""
        found: list[Claim] = []
        while claims := (await self.ask(worker_id, **options)).claims:
            found.extend(claims)
            if len(found) >= options.get("limit", 100):
                break
        return found

    async def names(self, worker_id: str = "w1", **options: Any) -> list[str]:
        """Claim, and return the names of the tasks."""
        return [claim.envelope.task for claim in await self.claim(worker_id, **options)]

    async def settle(self, outcome: Outcome, *claims: Claim, worker_id: str = "w1") -> None:
        """Record one outcome for some claims."""
        settlements = [Settlement(claim=claim, outcome=outcome) for claim in claims]
        await self.backend.settle(worker_id, settlements)

    async def sweep(self) -> int:
        """Renew, as a worker that holds nothing; return how many jobs were freed."""
        return (await self.backend.renew("sweeper", (), lease_s=LEASE_S)).freed

    # --- time ---

    def advance(self, **by: float) -> None:
        """Let it be later."""
        self.backend.clock.advance(timedelta(**by))

    def now(self) -> datetime:
        """The backend's time, as far as one host knows it of another."""
        return datetime.now(UTC) + self.backend.clock.ahead

    # --- what there is ---

    async def jobs(self, **query: Any) -> list[JobRecord]:
        """The jobs that are meant, the oldest first."""
        return list(await self.desk.find(JobQuery(**query)))[::-1]

    async def job(self, uid: str) -> JobRecord:
        """One job."""
        (job,) = await self.desk.find(JobQuery(uids=(uid,)))
        return job

    async def states(self, **query: Any) -> list[JobState]:
        """The states of the jobs that are meant, the oldest first."""
        return [job.state for job in await self.jobs(**query)]

    async def by_state(self, state: JobState) -> list[str]:
        """The names of the jobs in a state, the oldest first."""
        return [job.task for job in await self.jobs(states=(state,))]


def envelope(task: str = "task", **options: Any) -> Envelope:
    """A job of a task."""
    return Envelope(task=task, payload=options.pop("payload", {"n": 1}), **options)
