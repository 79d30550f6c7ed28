"""One attempt at a job: what it is given, and what becomes of it."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import anyio.from_thread
import pytest
from fastapi import Depends
from pydantic import BaseModel

from fastforge.exceptions import TaskError
from fastforge.lifecycle import injected, provide, resource, scope
from fastforge.observability.context import RunningJob, request_id, running_job, traceparent
from fastforge.tasks import (
    Claim,
    Envelope,
    JobRunner,
    MemoryBackend,
    NoRetry,
    Outcome,
    Retry,
    Task,
    Verdict,
    task,
)
from fastforge.tasks.progress import ProgressBox, report_progress
from fastforge.tasks.records import Progress
from fastforge.tasks.results import load_result
from fastforge.tasks.threads import Threads
from tests.processes import wait_until_async

from .conftest import memory

Run = Callable[..., Any]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
log: list[object] = []


@pytest.fixture(autouse=True)
def empty_log() -> Iterator[None]:
    log.clear()
    yield
    log.clear()


@pytest.fixture
def run(run_project: Callable[..., Any]) -> Run:
    """Run one attempt of a task in a project that has it and what else is given."""

    async def run(
        task: Task[..., Any],
        *components: Any,
        attempt: int = 1,
        max_attempts: int = 3,
        expires_at: datetime | None = None,
        **payload: Any,
    ) -> Outcome:
        envelope = Envelope(
            task=task.name,
            payload=payload,
            headers={"request_id": "r-1", "traceparent": TRACE},
            max_attempts=max_attempts,
            expires_at=expires_at,
        )
        async with run_project(task, *components) as container:
            runner = JobRunner(container, Threads(2))
            return await runner.run(Claim(key=1, attempt=attempt, envelope=envelope))

    return run


@task
async def add(a: int, b: int = 2) -> None:
    log.append((a + b, request_id.get()))


async def test_a_job_runs_with_its_arguments_and_under_its_request_id(run: Run) -> None:
    assert await run(add, a=1) == Outcome(verdict=Verdict.SUCCEEDED, result=None)
    assert log == [(3, "r-1")]


@task
async def who() -> None:
    log.append(running_job.get())


async def test_a_job_can_be_told_by_its_task_its_id_and_its_attempt(run: Run) -> None:
    await run(who, attempt=2)
    (job,) = log
    assert isinstance(job, RunningJob)
    assert (job.task, job.attempt) == (who.name, 2)
    assert job.uid


@task
async def where() -> None:
    job = running_job.get()
    assert job is not None
    log.append((traceparent.get(), job.link))


async def test_the_first_attempt_is_a_part_of_the_trace_and_later_ones_know_of_it(
    run: Run,
) -> None:
    await run(where, attempt=1)
    await run(where, attempt=2)
    assert log == [(TRACE, None), (None, TRACE)]


class Receipt(BaseModel):
    number: int
    total: Decimal
    at: datetime


RECEIPT = Receipt(number=7, total=Decimal("1.20"), at=datetime(2026, 1, 2, tzinfo=UTC))


@task
async def receipt() -> list[Receipt]:
    return [RECEIPT]


async def test_a_result_is_kept_as_json_and_can_be_read_again(run: Run) -> None:
    outcome = await run(receipt)
    assert outcome.verdict is Verdict.SUCCEEDED
    assert outcome.result == [{"number": 7, "total": "1.20", "at": "2026-01-02T00:00:00Z"}]
    assert load_result(receipt.function, outcome.result) == [RECEIPT]


@task
async def untold(value: str):  # type: ignore[no-untyped-def]
    return {"object": object(), "nan": float("nan"), "text": "\udc80", "plain": [1, "a"]}[value]


@task
async def mistaken() -> int:
    return "seven"  # type: ignore[return-value]


@task
def foreign() -> Client:
    return Client()


async def test_a_result_needs_no_annotation(run: Run) -> None:
    assert (await run(untold, value="plain")).result == [1, "a"]


@pytest.mark.parametrize(
    ("task", "payload", "type_"),
    [
        (untold, {"value": "object"}, "object"),
        (untold, {"value": "nan"}, "float"),
        (untold, {"value": "text"}, "str"),
        (mistaken, {}, "str"),
    ],
)
async def test_a_result_that_cannot_be_written_does_not_undo_the_work(
    run: Run, caplog: pytest.LogCaptureFixture, task: Task[..., Any], payload: Any, type_: str
) -> None:
    assert await run(task, **payload) == Outcome(verdict=Verdict.SUCCEEDED)
    assert f"of {task.name} is done, but the {type_} that it returned is not kept" in caplog.text


async def test_a_result_of_a_type_that_pydantic_does_not_know_is_told_once(
    run_project: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    envelope = Envelope(task=foreign.name, payload={})
    async with run_project(foreign) as container:
        runner = JobRunner(container, Threads(1))
        for key in range(3):
            outcome = await runner.run(Claim(key=key, attempt=1, envelope=envelope))
            assert outcome == Outcome(verdict=Verdict.SUCCEEDED)
    (record,) = caplog.records
    assert "the Client that it returned" in record.message


@task
async def import_rows(offset: int) -> None:
    for number in range(3):
        report_progress(offset + number, 10, "rows " * 100)


@task
def import_in_thread() -> None:
    report_progress(5)


@pytest.mark.parametrize(
    ("task", "payload", "said"),
    [
        (import_rows, {"offset": 1}, Progress(done=3, total=10, message=("rows " * 100)[:200])),
        (import_in_thread, {}, Progress(done=5)),
    ],
)
async def test_a_job_says_how_far_it_is(
    run_project: Callable[..., Any], task: Task[..., Any], payload: Any, said: Progress
) -> None:
    box = ProgressBox()
    async with run_project(task) as container:
        envelope = Envelope(task=task.name, payload=payload)
        await JobRunner(container, Threads(1)).run(Claim(key=1, attempt=1, envelope=envelope), box)
    assert box.news == said


def test_progress_outside_of_a_job_is_a_mistake() -> None:
    with pytest.raises(TaskError, match=r"\[tasks.E035\] report_progress was called where no job"):
        report_progress(1)


@task
async def report_nonsense() -> None:
    report_progress(1, float("inf"))


async def test_progress_is_a_number(run: Run) -> None:
    outcome = await run(report_nonsense)
    assert outcome.error.type == "fastforge.exceptions.TaskError"
    assert "which is no progress" in outcome.error.message


async def test_a_job_that_has_expired_is_dead_and_has_not_run(run: Run) -> None:
    now = datetime.now(UTC)
    late = await run(add, a=1, expires_at=now - timedelta(seconds=1))
    assert (late.verdict, late.error.type) == (Verdict.DEAD, "JobExpired")
    assert log == []
    in_time = await run(add, a=1, expires_at=now + timedelta(hours=1))
    assert in_time.verdict is Verdict.SUCCEEDED


async def test_a_job_that_cannot_be_read_is_dead_and_has_not_run(
    run_project: Callable[..., Any],
) -> None:
    claim = Claim(
        key=1, attempt=1, envelope=Envelope(task="", payload={}), fault="it is pickled, not JSON"
    )
    async with run_project() as container:
        outcome = await JobRunner(container, Threads(1)).run(claim)
    assert outcome.verdict is Verdict.DEAD
    assert outcome.error is not None
    assert (outcome.error.type, outcome.error.message) == (
        "JobUnreadable",
        "it is pickled, not JSON",
    )


class Client:
    """Something that a project opens."""


@resource
async def client() -> AsyncIterator[Client]:
    yield Client()


ClientHere = Annotated[Client, provide(client)]


class Repository:
    def __init__(self, client: ClientHere) -> None:
        self.client = client


async def transaction(repository: Annotated[Repository, Depends()]) -> AsyncIterator[Repository]:
    log.append("begin")
    try:
        yield repository
    except ValueError:
        log.append("rollback")
        raise
    log.append("commit")


@scope
async def unit() -> AsyncIterator[None]:
    log.append("scope in")
    yield
    log.append("scope out")


Transaction = Annotated[Repository, Depends(transaction)]


@task(retry=Retry(base_s=5, jitter=False))
async def place(
    fail: bool, *, client: ClientHere = injected, transaction: Transaction = injected
) -> None:
    assert transaction.client is client
    log.append("body")
    if fail:
        raise ValueError("no stock")


async def test_dependencies_and_generators_are_those_of_a_handler(run: Run) -> None:
    outcome = await run(place, client, unit, fail=False)
    assert outcome.verdict is Verdict.SUCCEEDED
    assert log == ["scope in", "begin", "body", "commit", "scope out"]


async def test_a_failure_passes_through_the_generators_and_is_tried_again(run: Run) -> None:
    outcome = await run(place, client, unit, fail=True, attempt=2)
    assert log == ["scope in", "begin", "body", "rollback"]
    assert (outcome.verdict, outcome.delay_s) == (Verdict.RETRY, 10)
    assert (outcome.error.attempt, outcome.error.type) == (2, "ValueError")
    assert outcome.error.message == "no stock"
    assert 'raise ValueError("no stock")' in outcome.error.trace


async def test_the_last_attempt_that_fails_leaves_a_dead_job_with_its_exception(
    run: Run,
) -> None:
    outcome = await run(place, client, fail=True, attempt=3)
    assert outcome.verdict is Verdict.DEAD
    assert outcome.error.message == "no stock"
    assert outcome.exception["type"] == "ValueError"


@task
async def give_up() -> None:
    raise NoRetry("the card was refused")


async def test_no_retry_ends_the_job_whatever_attempts_are_left(run: Run) -> None:
    outcome = await run(give_up)
    assert outcome.verdict is Verdict.DEAD
    assert outcome.error.message == "the card was refused"


@task(retry=Retry(never_for=(LookupError,)))
async def find(what: str) -> None:
    raise KeyError(what) if what == "order" else ConnectionError(what)


async def test_some_exceptions_of_a_task_end_the_job_at_once(run: Run) -> None:
    assert (await run(find, what="order")).verdict is Verdict.DEAD
    assert (await run(find, what="bank")).verdict is Verdict.RETRY


@task
async def leak() -> None:
    raise ConnectionError("postgresql://shop:hunter2@db/shop is away")


async def test_a_password_is_kept_nowhere(run: Run) -> None:
    outcome = await run(leak)
    assert "hunter2" not in outcome.error.message + outcome.error.trace


@task(timeout_s=0.05)
async def hang() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        log.append("closed")


async def test_a_job_that_runs_too_long_is_ended_and_tried_again(run: Run) -> None:
    outcome = await run(hang)
    assert outcome.verdict is Verdict.RETRY
    assert outcome.error.type == "TimeoutError"
    assert "timeout_s=0.05" in outcome.error.message
    assert log == ["closed"]


@task
async def own_timeout() -> None:
    raise TimeoutError("the bank did not answer")


async def test_a_timeout_of_the_job_itself_keeps_its_words(run: Run) -> None:
    outcome = await run(own_timeout)
    assert outcome.error.message == "the bank did not answer"


@task
async def leave() -> None:
    sys.exit(1)


@task
async def cancel_oneself() -> None:
    raise asyncio.CancelledError


@task
def leave_a_thread() -> None:
    sys.exit(1)


@pytest.mark.parametrize("mistake", [leave, cancel_oneself, leave_a_thread])
async def test_what_would_end_a_worker_ends_the_attempt_alone(
    run: Run, mistake: Task[[], None]
) -> None:
    assert (await run(mistake)).verdict is Verdict.RETRY


async def test_a_payload_that_does_not_fit_is_tried_again_and_says_why(run: Run) -> None:
    """In a rolling deploy the code that reads may be older than the code that wrote."""
    outcome = await run(add, a="one", c=1)
    assert outcome.verdict is Verdict.RETRY
    assert "it takes no c" in outcome.error.message
    assert "a='one': Input should be a valid integer" in outcome.error.message


async def test_a_task_that_is_unknown_here_is_put_back_uncounted_with_one_line(
    run_project: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    unknown = Envelope(task="shop.tasks.of_tomorrow", payload={})
    async with run_project() as container:
        runner = JobRunner(container, Threads(1))
        outcomes = [
            await runner.run(Claim(key=key, attempt=1, envelope=unknown)) for key in range(3)
        ]
    assert {outcome.verdict for outcome in outcomes} == {Verdict.PUT_BACK}
    assert not any(outcome.counted for outcome in outcomes)
    assert {outcome.delay_s for outcome in outcomes} == {30}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_an_envelope_of_tomorrow_is_put_back(
    run_project: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    envelope = Envelope(task=add.name, payload={"a": 1}, version=2)
    async with run_project(add) as container:
        runner = JobRunner(container, Threads(1))
        outcome = await runner.run(Claim(key=1, attempt=1, envelope=envelope))
    assert (outcome.verdict, log) == (Verdict.PUT_BACK, [])
    assert "version 2, this worker knows 1" in caplog.text


@task
def blocking(names: list[str]) -> None:
    log.append((names, threading.current_thread() is threading.main_thread()))


@task
def chain() -> None:
    add.enqueue_sync(a=5)


async def test_a_def_runs_in_a_thread(run: Run) -> None:
    assert (await run(blocking, names=["a"])).verdict is Verdict.SUCCEEDED
    assert log == [(["a"], False)]


async def test_a_def_enqueues_from_its_thread(run_project: Callable[..., Any]) -> None:
    async with run_project(chain, add) as container:
        runner = JobRunner(container, Threads(1))
        envelope = Envelope(task=chain.name, payload={})
        await runner.run(Claim(key=1, attempt=1, envelope=envelope))
        backend: MemoryBackend = container[memory]
        assert [job.envelope.task for job in backend.jobs.values()] == [add.name]


release = threading.Event()


@task(timeout_s=0.05)
def stuck() -> None:
    release.wait(60)


async def test_a_def_over_its_time_is_no_longer_waited_for_but_keeps_its_thread(
    run_project: Callable[..., Any],
) -> None:
    release.clear()
    threads = Threads(1)
    async with run_project(stuck) as container:
        runner = JobRunner(container, threads)
        envelope = Envelope(task=stuck.name, payload={})
        outcome = await runner.run(Claim(key=1, attempt=1, envelope=envelope))
        assert "its thread cannot be ended" in outcome.error.message
        assert len(threads.at_work) == 1
        release.set()
        await wait_until_async(lambda: not threads.at_work)


@asynccontextmanager
async def cancelled_soon(runner: JobRunner, claim: Claim) -> AsyncIterator[asyncio.Task[Outcome]]:
    job = asyncio.create_task(runner.run(claim))
    await wait_until_async(lambda: "started" in log)
    job.cancel()
    yield job


@task
async def slow() -> None:
    log.append("started")
    await asyncio.sleep(60)


async def test_a_cancellation_from_outside_passes_through(run_project: Callable[..., Any]) -> None:
    async with run_project(slow) as container:
        claim = Claim(key=1, attempt=1, envelope=Envelope(task=slow.name, payload={}))
        async with cancelled_soon(JobRunner(container, Threads(1)), claim) as job:
            with pytest.raises(asyncio.CancelledError):
                await job


@task
async def fail_when_cancelled() -> None:
    log.append("started")
    try:
        await asyncio.sleep(60)
    finally:
        raise ValueError("the cleanup fails")


async def test_a_job_that_fails_while_it_is_cancelled_is_cancelled(
    run_project: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with run_project(fail_when_cancelled) as container:
        claim = Claim(
            key=1, attempt=1, envelope=Envelope(task=fail_when_cancelled.name, payload={})
        )
        async with cancelled_soon(JobRunner(container, Threads(1)), claim) as job:
            with pytest.raises(asyncio.CancelledError):
                await job
    assert "failed while it was cancelled" in caplog.text


def test_a_thread_of_a_job_may_call_the_loop() -> None:
    async def main() -> int:
        return await Threads(1).run(lambda: anyio.from_thread.run(answer))

    async def answer() -> int:
        return 42

    assert asyncio.run(main()) == 42
