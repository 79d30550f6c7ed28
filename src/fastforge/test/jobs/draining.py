"""Draining: runs jobs one after the other, as a worker would, until none is due."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from ..._utils import counted
from ...exceptions import TaskError
from ...lifecycle import Container
from ...tasks import (
    Claim,
    Claimed,
    ClaimRequest,
    JobQuery,
    JobRecord,
    JobRunner,
    Outcome,
    Settlement,
    TaskBackend,
    Verdict,
)
from ...tasks.lines import JobLines
from ...tasks.progress import ProgressBox
from ...tasks.threads import Threads
from ...tasks.working import queues_of
from .texts import call_of

__all__ = ["Draining"]

WORKER_ID: Final = "the test"
LEASE_S: Final = 7 * 86_400.0
"""Longer than a test lets its clock jump while a job runs."""
A_MOMENT: Final = timedelta(milliseconds=1)


class _Runner(JobRunner):
    """Keeps the exception that ended an attempt: the others need it as text alone."""

    raised: BaseException | None = None

    def failure(self, claim: Claim, error: BaseException) -> Outcome:
        self.raised = error
        return super().failure(claim, error)


class Draining:
    """Runs the jobs of a backend in a container.

    Args:
        container: The running project.
        backend: Where its jobs are.
        limit: How many attempts there may be; then a job is thought to enqueue itself.
    """

    def __init__(self, container: Container, backend: TaskBackend, *, limit: int) -> None:
        self._backend = backend
        self._runner = _Runner(container, Threads(1), backend.clock)
        self._lines = JobLines(container.settings, WORKER_ID)
        self._queues = queues_of(container.registry)
        self._limit = limit
        self.uids: dict[str, None] = {}
        self.failures: list[BaseException] = []

    async def run(self, *, with_scheduled: bool, raises: bool) -> None:
        """Run what is due, and what that enqueues.

        Args:
            with_scheduled: Also what is due later: the clock is advanced to it.
            raises: Raise what a job raises, once that is recorded.

        Raises:
            TaskError: It did not come to an end.
            BaseException: What a job raised.
        """
        attempts = 0
        while True:
            claimed = await self._claim()
            for claim in claimed.claims:
                attempts += 1
                self._refuse_endless(attempts, claim)
                failure = await self._attempt(claim)
                if failure is not None and raises:
                    raise failure
            if not claimed.claims:
                if not with_scheduled or claimed.next_due_s is None:
                    return
                ahead = timedelta(seconds=max(claimed.next_due_s, 0))
                self._backend.clock.advance(ahead + A_MOMENT)

    async def records(self) -> list[JobRecord]:
        """Return the jobs that ran as they are now, in the order in which they began."""
        found = await self._backend.desk.find(JobQuery(uids=tuple(self.uids))) if self.uids else ()
        by_uid = {job.uid: job for job in found}
        return [by_uid[uid] for uid in self.uids if uid in by_uid]

    async def _claim(self) -> Claimed:
        stats = await self._backend.desk.stats()
        queues = {*self._queues, *(each.queue for each in stats)}
        return await self._backend.claim(
            ClaimRequest(
                worker_id=WORKER_ID, queues=tuple(sorted(queues)), limit=1, lease_s=LEASE_S
            )
        )

    async def _attempt(self, claim: Claim) -> BaseException | None:
        """Run and record one attempt; return what ended it other than well."""
        self.uids[claim.envelope.uid] = None
        self._runner.raised = None
        said = ProgressBox()
        # In a task of its own, because a job has a context of its own.
        running = asyncio.create_task(self._runner.run(claim, said))
        try:
            outcome = await running
        except asyncio.CancelledError:
            await self._backend.give_back_strays(WORKER_ID, ())
            raise
        if said.latest is not None:
            await self._backend.attend(WORKER_ID, {claim: said.latest})
        self._lines.write(claim, outcome, duration_s=0)
        await self._backend.settle(WORKER_ID, [Settlement(claim=claim, outcome=outcome)])
        failure = self._failure(claim, outcome)
        if failure is not None:
            self.failures.append(failure)
        return failure

    def _failure(self, claim: Claim, outcome: Outcome) -> BaseException | None:
        if outcome.verdict is Verdict.SUCCEEDED:
            return None
        what = call_of(claim.envelope.task, claim.envelope.payload)
        if self._runner.raised is not None:
            attempt, of = claim.attempt, claim.envelope.max_attempts
            self._runner.raised.add_note(f"in a job: {what}, attempt {attempt} of {of}")
            return self._runner.raised
        reason = outcome.error or "no installed app declares its task, or its envelope is newer"
        return TaskError(f"the job {what} was not run: {reason}", code="tasks.E091")

    def _refuse_endless(self, attempts: int, claim: Claim) -> None:
        if attempts > self._limit:
            what = call_of(claim.envelope.task, claim.envelope.payload)
            raise TaskError(
                f"{counted(self._limit, 'job was', 'jobs were')} run and there are more;"
                f" the next is {what}",
                code="tasks.E090",
                hint="does a job enqueue itself? Else give a higher limit",
            )
