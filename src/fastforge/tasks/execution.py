"""Execution: runs one job in a container, and says how it ended."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .._utils import told
from ..exceptions import TaskError
from ..lifecycle import Container, execute
from ..observability.context import RunningJob, request_id, running_job, traceparent
from ..observability.failures import failure_fields
from ..observability.spans import span_ids
from ..observability.tracers import ISOLATED_IN, JobAttempt
from ..observability.tracing import is_traced, trace_here
from .arguments import arguments_of
from .backend import Claim
from .clock import Clock
from .declaration import Task
from .envelope import VERSION
from .kinds import TASKS
from .outcome import AttemptError, Outcome, Verdict
from .progress import ProgressBox, progress_box
from .results import dump_result
from .retry import Retry
from .schedules.due import DUE_AT, due_text
from .threads import Threads

if TYPE_CHECKING:
    from .isolation.pool import Isolation

__all__ = ["PUT_BACK_S", "JobRunner"]

logger = logging.getLogger("fastforge.tasks")

_NO_LIMIT: Final = nullcontext()
_NOTHING: Final = Outcome(verdict=Verdict.SUCCEEDED)

PUT_BACK_S: Final = 30.0
"""When a job is due again that this worker does not know how to run."""


class JobRunner:
    """Runs jobs with the tasks and resources of one container.

    What a job does never escapes: each call returns an Outcome. Only a cancellation that comes
    from outside passes through.

    Args:
        container: The running project.
        threads: Where tasks written with `def` run.
        clock: That of the backend, by which jobs expire.
        isolation: Where isolated tasks run; here as well unless given, as in a test.
    """

    def __init__(
        self,
        container: Container,
        threads: Threads,
        clock: Clock | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        self._isolation = isolation
        self._container = container
        self._threads = threads
        self._clock = clock or Clock()
        self._tasks: dict[str, Task[..., Any]] = {
            task.name: task for task in container.registry.values(TASKS)
        }
        self._warned: set[str] = set()

    async def run(self, claim: Claim, progress: ProgressBox | None = None) -> Outcome:
        """Run one attempt.

        Args:
            claim: The attempt.
            progress: Where the job says how far it is.
        """
        _enter(claim)
        tracing = self._container.tracing
        if tracing is None:
            return await self._run(claim, progress)
        with tracing.job(_attempt_of(claim)) as ended:
            outcome = await self._run(claim, progress)
            error = outcome.error
            ended(outcome.verdict, error.type if error else "", error.message if error else "")
            return replace(outcome, span=span_ids())

    async def _run(self, claim: Claim, progress: ProgressBox | None) -> Outcome:
        box = progress or ProgressBox()
        progress_box.set(box)
        refused = self._refusal(claim)
        if refused is not None:
            return refused
        task = self._tasks.get(claim.envelope.task)
        if task is None:
            return self._put_back(
                claim, f"no installed app declares the task {claim.envelope.task!r}"
            )
        if task.isolate and self._isolation is not None:
            return await self._isolated(self._isolation, task, claim, box)
        try:
            arguments = arguments_of(task.function).load(claim.envelope.payload)
        except TaskError as error:
            # Perhaps the deploy of the other side has not come here yet: that is worth a retry.
            return self.failure(claim, error)
        return await self._attempt(task, claim, arguments)

    def _refusal(self, claim: Claim) -> Outcome | None:
        """Return the outcome of a job that is not to be run, whatever its task is."""
        envelope = claim.envelope
        if claim.fault is not None:
            return _buried(claim, "JobUnreadable", claim.fault)
        if envelope.version > VERSION:
            return self._put_back(
                claim, f"its envelope is of version {envelope.version}, this worker knows {VERSION}"
            )
        if envelope.expires_at is not None and self._clock.now() > envelope.expires_at:
            moment = envelope.expires_at.isoformat(timespec="seconds")
            return _buried(claim, "JobExpired", f"it expired at {moment}, before it could begin")
        return None

    async def _attempt(
        self, task: Task[..., Any], claim: Claim, arguments: dict[str, Any]
    ) -> Outcome:
        limit = _NO_LIMIT if task.timeout_s is None else asyncio.timeout(task.timeout_s)
        try:
            # Around the dependencies too: opening them is part of what the job does.
            async with limit:
                value = await self._call(task, claim, arguments)
        except asyncio.CancelledError as error:
            if _cancelled_from_outside():
                raise
            return self.failure(claim, error)
        except (Exception, SystemExit, BaseExceptionGroup) as error:
            # `sys.exit()` in a job ends the job, not the worker and the jobs beside it.
            if _cancelled_from_outside():
                logger.warning(
                    "job %s failed while it was cancelled", claim.envelope.uid, exc_info=error
                )
                raise asyncio.CancelledError from error
            timed_out = isinstance(limit, asyncio.Timeout) and limit.expired()
            if timed_out and isinstance(error, TimeoutError):
                return self.failure(claim, _timed_out(task))
            return self.failure(claim, error)
        if value is None:
            return _NOTHING
        return Outcome(verdict=Verdict.SUCCEEDED, result=self._result(task, claim, value))

    async def _isolated(
        self, isolation: Isolation, task: Task[..., Any], claim: Claim, progress: ProgressBox
    ) -> Outcome:
        try:
            return await isolation.run(_isolated(claim), progress, timeout_s=task.timeout_s)
        except Exception as error:
            # What the job itself raised is in the outcome: this is the end of its process.
            if _cancelled_from_outside():
                raise asyncio.CancelledError from error
            return self.failure(claim, error)

    async def _call(self, task: Task[..., Any], claim: Claim, arguments: dict[str, Any]) -> Any:
        planned = arguments_of(task.function).plan
        async with execute(self._container, planned) as injected:
            call = functools.partial(task.function, **arguments, **injected)
            if task.is_async:
                return await call()
            return await self._threads.run(call, label=claim.envelope.queue)

    def _result(self, task: Task[..., Any], claim: Claim, value: Any) -> Any:
        """Return what a task returned as JSON; None where it cannot be: its work is done."""
        try:
            return dump_result(task.function, value)
        except Exception as error:
            # Once for each task: they all return the same type.
            self._warn_once(
                f"the result of {task.name}",
                "job %s of %s is done, but the %s that it returned is not kept: it cannot be"
                " written as JSON by the annotation of the return value (%s); return plain values"
                " or a pydantic model, and annotate that",
                claim.envelope.uid,
                task.name,
                type(value).__qualname__,
                told(error),
            )
            return None

    def failure(self, claim: Claim, error: BaseException) -> Outcome:
        """Return the outcome of an attempt that an exception ended: another one, or none."""
        failure = AttemptError.of(error, attempt=claim.attempt)
        task = self._tasks.get(claim.envelope.task)
        retry = (task.retry if task else None) or Retry()
        if retry.gives_up_on(error) or claim.attempt >= claim.envelope.max_attempts:
            return _dead(failure, error)
        delay_s = retry.delay_s(claim.attempt, chance=random.random())
        return Outcome(
            verdict=Verdict.RETRY,
            delay_s=delay_s,
            error=failure,
            exception=failure_fields(error),
        )

    def _put_back(self, claim: Claim, reason: str) -> Outcome:
        # Once for each reason: a thousand such jobs would else write a thousand lines each time.
        self._warn_once(
            reason, "job %s is put back %.0f s: %s", claim.envelope.uid, PUT_BACK_S, reason
        )
        return Outcome(verdict=Verdict.PUT_BACK, delay_s=PUT_BACK_S)

    def _warn_once(self, key: str, message: str, *values: object) -> None:
        if key not in self._warned:
            self._warned.add(key)
            logger.warning(message, *values)


def _enter(claim: Claim) -> None:
    """Let log lines and outgoing calls know which job runs here."""
    envelope = claim.envelope
    is_first = claim.attempt == 1
    request_id.set(envelope.request_id)
    traceparent.set(envelope.traceparent if is_first else None)
    link = None if is_first else envelope.traceparent
    due_text.set(envelope.headers.get(DUE_AT))
    running_job.set(RunningJob(envelope.task, envelope.uid, claim.attempt, link))
    logger.debug("job %s of %s begins, attempt %d", envelope.uid, envelope.task, claim.attempt)


def _attempt_of(claim: Claim) -> JobAttempt:
    envelope = claim.envelope
    return JobAttempt(
        task=envelope.task,
        queue=envelope.queue,
        uid=envelope.uid,
        attempt=claim.attempt,
        traceparent=envelope.traceparent,
        isolated_in=envelope.headers.get(ISOLATED_IN),
    )


def _isolated(claim: Claim) -> Claim:
    """Return an attempt that knows the span of this worker, for the process beside it."""
    here = trace_here() if is_traced() else None
    if here is None:
        return claim
    envelope = claim.envelope
    headers = {**envelope.headers, ISOLATED_IN: here}
    return replace(claim, envelope=replace(envelope, headers=headers))


def _buried(claim: Claim, type_: str, message: str) -> Outcome:
    """Return the outcome of a job that is dead without having run."""
    return _dead(AttemptError.told(type_, message, attempt=claim.attempt))


def _dead(failure: AttemptError, error: BaseException | None = None) -> Outcome:
    return Outcome(
        verdict=Verdict.DEAD,
        error=failure,
        exception=None if error is None else failure_fields(error),
    )


def _timed_out(task: Task[..., Any]) -> TimeoutError:
    rest = "" if task.is_async else "; its thread cannot be ended and goes on"
    return TimeoutError(f"it ran longer than timeout_s={task.timeout_s:g}{rest}")


def _cancelled_from_outside() -> bool:
    """Tell the worker's own cancellation from a CancelledError that the job itself let out."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0
