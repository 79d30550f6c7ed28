"""Execution: runs one job in a container, and says how it ended."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
from typing import Any, Final

from ..exceptions import TaskError
from ..lifecycle import Container, execute
from ..observability.context import RunningJob, request_id, running_job
from .arguments import arguments_of
from .backend import Claim
from .declaration import Task
from .envelope import VERSION
from .kinds import TASKS
from .outcome import AttemptError, Outcome, Verdict
from .retry import NoRetry, Retry
from .threads import Threads

__all__ = ["PUT_BACK_S", "JobRunner"]

logger = logging.getLogger("fastforge.tasks")

PUT_BACK_S: Final = 30.0
"""When a job is due again that this worker does not know how to run."""


class JobRunner:
    """Runs jobs with the tasks and resources of one container.

    What a job does never escapes: each call returns an Outcome. Only a cancellation that comes
    from outside passes through.

    Args:
        container: The running project.
        threads: Where tasks written with `def` run.
    """

    def __init__(self, container: Container, threads: Threads) -> None:
        self._container = container
        self._threads = threads
        self._tasks: dict[str, Task[..., Any]] = {
            task.name: task for task in container.registry.values(TASKS)
        }
        self._warned: set[str] = set()

    async def run(self, claim: Claim) -> Outcome:
        """Run one attempt."""
        request_id.set(claim.envelope.request_id)
        running_job.set(RunningJob(claim.envelope.task, claim.envelope.uid))
        task = self._tasks.get(claim.envelope.task)
        if task is None or claim.envelope.version > VERSION:
            return self._put_back(claim)
        try:
            arguments = arguments_of(task.function).load(claim.envelope.payload)
        except TaskError as error:
            # Perhaps the deploy of the other side has not come here yet: that is worth a retry.
            return self.failure(claim, error)
        return await self._attempt(task, claim, arguments)

    async def _attempt(
        self, task: Task[..., Any], claim: Claim, arguments: dict[str, Any]
    ) -> Outcome:
        limit = asyncio.timeout(task.timeout_s)
        try:
            # Around the dependencies too: opening them is part of what the job does.
            async with limit:
                await self._call(task, arguments)
        except NoRetry as error:
            return _dead(claim, error)
        except TimeoutError as error:
            return self.failure(claim, _timed_out(task) if limit.expired() else error)
        except asyncio.CancelledError as error:
            if _cancelled_from_outside():
                raise
            return self.failure(claim, error)
        except (Exception, SystemExit, BaseExceptionGroup) as error:
            # `sys.exit()` in a job ends the job, not the worker and the jobs beside it.
            return self.failure(claim, error)
        return Outcome(verdict=Verdict.SUCCEEDED)

    async def _call(self, task: Task[..., Any], arguments: dict[str, Any]) -> None:
        planned = arguments_of(task.function).plan
        async with execute(self._container, planned) as injected:
            call = functools.partial(task.function, **arguments, **injected)
            if task.is_async:
                await call()
            else:
                await self._threads.run(call)

    def failure(self, claim: Claim, error: BaseException) -> Outcome:
        """Return the outcome of an attempt that an exception ended: another one, or none."""
        failure = AttemptError.of(error, attempt=claim.attempt)
        if claim.attempt >= claim.envelope.max_attempts:
            return _dead(claim, error)
        task = self._tasks.get(claim.envelope.task)
        retry = (task.retry if task else None) or Retry()
        delay_s = retry.delay_s(claim.attempt, chance=random.random())
        logger.warning(
            "job %s of %s failed, attempt %d of %d, next in %.1f s: %s",
            claim.envelope.uid,
            claim.envelope.task,
            claim.attempt,
            claim.envelope.max_attempts,
            delay_s,
            failure,
        )
        return Outcome(verdict=Verdict.RETRY, delay_s=delay_s, error=failure)

    def _put_back(self, claim: Claim) -> Outcome:
        envelope = claim.envelope
        reason = (
            f"its envelope is of version {envelope.version}, this worker knows {VERSION}"
            if envelope.version > VERSION
            else f"no installed app declares the task {envelope.task!r}"
        )
        # Once for each reason: a thousand such jobs would else write a thousand lines each time.
        if reason not in self._warned:
            self._warned.add(reason)
            logger.warning("job %s is put back %.0f s: %s", envelope.uid, PUT_BACK_S, reason)
        return Outcome(verdict=Verdict.PUT_BACK, delay_s=PUT_BACK_S)


def _dead(claim: Claim, error: BaseException) -> Outcome:
    failure = AttemptError.of(error, attempt=claim.attempt)
    logger.error(
        "job %s of %s is dead after attempt %d of %d: %s",
        claim.envelope.uid,
        claim.envelope.task,
        claim.attempt,
        claim.envelope.max_attempts,
        failure,
        exc_info=error,
    )
    return Outcome(verdict=Verdict.DEAD, error=failure)


def _timed_out(task: Task[..., Any]) -> TimeoutError:
    rest = "" if task.is_async else "; its thread cannot be ended and goes on"
    return TimeoutError(f"it ran longer than timeout_s={task.timeout_s:g}{rest}")


def _cancelled_from_outside() -> bool:
    """Tell the worker's own cancellation from a CancelledError that the job itself let out."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0
