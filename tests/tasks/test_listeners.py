"""Listeners are told what happens to jobs, and can do no harm; it is counted as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from fastapi import Depends, Request

from fastforge.exceptions import DependencyError, TaskError
from fastforge.lifecycle import Container, injected, use_container
from fastforge.observability.context import RunningJob, request_id, running_job
from fastforge.observability.events import (
    CANCELLED,
    DEAD,
    ENQUEUED,
    FAILED,
    FINISHED,
    JOB_DURATION,
    LOST,
    PUT_BACK,
    RETRIED,
    STARTED,
    Event,
)
from fastforge.tasks import (
    ClaimRequest,
    Consumer,
    ConsumerOptions,
    Envelope,
    MemoryBackend,
    Retry,
    Stop,
    task,
)
from fastforge.tasks.gauges import JobGauges, job_gauges, meter_of
from fastforge.tasks.listeners import JobEvent, event_parameter, on_job
from fastforge.tasks.outcome import JobState
from fastforge.tasks.records import JobQuery
from tests.processes import wait_until_async

from .conftest import memory

OPTIONS = ConsumerOptions(queues=("default",), concurrency=10, lease_s=60, drain_s=30)
RunProject = Callable[..., Any]

told: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_told() -> Iterator[None]:
    told.clear()
    yield
    told.clear()


@task
async def work() -> int:
    return 7


@task(retry=Retry(max_attempts=2, base_s=0))
async def fail() -> None:
    raise ValueError("no stock")


@task
async def wait() -> None:
    await asyncio.Event().wait()


async def chat() -> str:
    return "the chat"


@on_job(STARTED, FINISHED, FAILED, RETRIED, DEAD, CANCELLED, PUT_BACK, LOST)
async def note(event: JobEvent, *, where: Annotated[str, Depends(chat)] = injected) -> None:
    told.append((event.event, event.attempt, where))


@on_job(DEAD)
async def describe(event: JobEvent) -> None:
    told.append((event, running_job.get(), request_id.get()))


@on_job(FINISHED)
async def break_down(event: JobEvent) -> None:
    raise KeyError("a mistake of the listener")


@on_job(FINISHED, timeout_s=0.05)
async def dawdle(event: JobEvent) -> None:
    await asyncio.sleep(3600)


@asynccontextmanager
async def here(run_project: RunProject, *values: Any) -> AsyncIterator[Container]:
    """A running project, also for whoever enqueues."""
    async with run_project(*values) as container:
        with use_container(container):
            yield container


async def in_burst(container: Container) -> MemoryBackend:
    backend: MemoryBackend = container[memory]
    options = ConsumerOptions(
        queues=("default",), concurrency=10, lease_s=60, drain_s=0, burst=True
    )
    await asyncio.wait_for(Consumer(container, backend, options, Stop()).run(), 30)
    return backend


async def test_a_listener_is_told_the_life_of_a_job(run_project: RunProject) -> None:
    async with here(run_project, work, fail, note) as container:
        await fail.enqueue()
        await in_burst(container)
    assert told == [
        (STARTED, 1, "the chat"),
        (FAILED, 1, "the chat"),
        (RETRIED, 1, "the chat"),
        (STARTED, 2, "the chat"),
        (FAILED, 2, "the chat"),
        (DEAD, 2, "the chat"),
    ]


async def test_it_is_told_what_the_job_was_and_why_it_ended(run_project: RunProject) -> None:
    async with here(run_project, fail, describe) as container:
        token = request_id.set("r-1")
        await fail.enqueue()
        request_id.reset(token)
        await in_burst(container)
    ((event, job, request),) = told
    assert (event.task, event.attempt, str(event.error)) == (fail.name, 2, "ValueError: no stock")
    assert event.duration_s > 0
    assert (job, request) == (RunningJob(fail.name, event.uid, 2), "r-1")


async def test_when_it_is_told_the_backend_knows(run_project: RunProject) -> None:
    backend: list[MemoryBackend] = []

    @on_job(DEAD)
    async def look(event: JobEvent) -> None:
        told.extend(job.state for job in backend[0].jobs.values())

    async with here(run_project, fail, look) as container:
        backend.append(container[memory])
        await fail.enqueue()
        await in_burst(container)
    assert told == [JobState.DEAD]


@pytest.mark.parametrize(
    ("listener", "words"),
    [(break_down, "KeyError: 'a mistake of the listener'"), (dawdle, "longer than timeout_s=0.05")],
)
async def test_one_that_fails_or_is_slow_touches_no_job(
    run_project: RunProject, caplog: pytest.LogCaptureFixture, listener: Any, words: str
) -> None:
    async with here(run_project, work, listener) as container:
        for _ in range(3):
            await work.enqueue()
        backend = await in_burst(container)
        assert {job.state for job in backend.jobs.values()} == {JobState.DONE}
        assert {job.attempt for job in backend.jobs.values()} == {1}
    assert caplog.text.count("the job is what it was") == 3
    assert "test_listeners.py:" in caplog.text
    assert words in caplog.text


async def test_calls_that_pile_up_are_dropped_with_one_line(
    run_project: RunProject, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.tasks.telling.WAITING", 3)
    async with here(run_project, work, dawdle) as container:
        for _ in range(10):
            await work.enqueue()
        backend = await in_burst(container)
        assert {job.state for job in backend.jobs.values()} == {JobState.DONE}
    assert caplog.text.count("3 calls of listeners wait already") == 1
    assert caplog.text.count("longer than") == 3


async def test_a_listener_that_hangs_does_not_keep_the_worker(run_project: RunProject) -> None:
    @on_job(FINISHED, timeout_s=3600)
    async def hang(event: JobEvent) -> None:
        told.append("hangs")
        try:
            await asyncio.sleep(3600)
        finally:
            told.append("ended")

    async with here(run_project, work, hang) as container:
        await work.enqueue()
        await in_burst(container)
    assert told == ["hangs", "ended"]


async def test_cancelled_and_handed_back_jobs_are_told(run_project: RunProject) -> None:
    async with here(run_project, wait, note) as container:
        backend: MemoryBackend = container[memory]
        handle = await wait.enqueue()
        await wait.enqueue()
        stop = Stop()
        running = asyncio.create_task(Consumer(container, backend, OPTIONS, stop).run())
        await wait_until_async(lambda: len(told) == 2)
        await backend.desk.cancel(JobQuery(uids=(handle.uid,)))
        await wait_until_async(lambda: len(told) == 3)
        stop.request()
        stop.request()
        await asyncio.wait_for(running, 30)
    assert [event for event, _, _ in told] == [STARTED, STARTED, CANCELLED, PUT_BACK]


async def test_what_happened_is_counted_by_task_and_queue(run_project: RunProject) -> None:
    late = Envelope(
        task="shop.of_tomorrow", payload={}, run_at=datetime.now(UTC) - timedelta(seconds=90)
    )
    async with here(run_project, work, fail) as container:
        await work.enqueue()
        await fail.enqueue()
        await container[memory].enqueue([late])
        await in_burst(container)
        gauges = job_gauges()
    assert gauges.events == {
        ("job.enqueued", work.name, "default"): 1,
        ("job.enqueued", fail.name, "default"): 1,
        ("job.started", work.name, "default"): 1,
        ("job.finished", work.name, "default"): 1,
        ("job.started", fail.name, "default"): 2,
        ("job.failed", fail.name, "default"): 2,
        ("job.retried", fail.name, "default"): 1,
        ("job.dead", fail.name, "default"): 1,
        ("job.started", "(unknown)", "default"): 1,
        ("job.put_back", "(unknown)", "default"): 1,
    }
    assert gauges.durations[fail.name, "default"].count == 2
    assert gauges.durations[fail.name, "default"].bounds == JOB_DURATION.bounds
    latencies = gauges.latencies["default"]
    assert 90 < latencies.sum < 180
    assert sum(latencies.counts[latencies.bounds.index(60) + 1 :]) == 1
    assert (gauges.running, gauges.places, gauges.in_trouble) == ({}, 10, False)
    assert gauges.beat_age_s is not None


async def test_gauges_belong_to_one_project(run_project: RunProject) -> None:
    async with run_project(work) as one, run_project(work) as other:
        meter_of(one).began("default", None)
        assert meter_of(one).gauges().running == {"default": 1}
        assert meter_of(other).gauges() == JobGauges(
            events={}, durations={}, latencies={}, running={}
        )


@pytest.mark.parametrize(
    ("events", "got"),
    [((), "names no event"), ((ENQUEUED,), "names <Event(job.enqueued)>"), (("dead",), "'dead'")],
)
def test_what_no_worker_tells_of_is_refused(events: Any, got: str) -> None:
    async def listener(event: JobEvent) -> None: ...

    with pytest.raises(TaskError, match="tasks.E037") as caught:
        on_job(*events)(listener)
    assert got in str(caught.value)
    assert "STARTED, FINISHED, FAILED" in str(caught.value)


def test_a_plain_function_is_refused() -> None:
    def listener(event: JobEvent) -> None: ...

    with pytest.raises(TaskError, match="tasks.E038"):
        on_job(DEAD)(listener)  # type: ignore[arg-type]


async def nothing() -> None: ...
async def two(event: JobEvent, more: int) -> None: ...
async def position_only(event: JobEvent, /) -> None: ...


@pytest.mark.parametrize("function", [nothing, two, position_only])
def test_one_that_does_not_take_the_event_alone_is_refused(function: Any) -> None:
    with pytest.raises(TaskError, match="tasks.E039"):
        event_parameter(on_job(DEAD)(function))


def test_one_that_wants_a_request_is_refused() -> None:
    async def listener(event: JobEvent, request: Request) -> None: ...

    with pytest.raises(DependencyError, match="Request"):
        event_parameter(on_job(DEAD)(listener))


def test_the_event_may_stand_anywhere() -> None:
    async def listener(*, where: Annotated[str, Depends(chat)] = injected, event: JobEvent) -> None:
        raise NotImplementedError

    assert event_parameter(on_job(DEAD)(listener)) == "event"


@pytest.mark.parametrize(("attempts", "last"), [(1, DEAD), (2, RETRIED)])
async def test_of_a_job_that_ends_with_its_worker_the_next_worker_tells(
    run_project: RunProject, caplog: pytest.LogCaptureFixture, attempts: int, last: Event
) -> None:
    @on_job(FAILED, RETRIED, DEAD)
    async def tell(event: JobEvent) -> None:
        told.append((event.event, event.worker_id, event.attempt, event.error and event.error.type))

    async with here(run_project, work, tell) as container:
        backend: MemoryBackend = container[memory]
        await backend.enqueue([Envelope(task=work.name, payload={}, max_attempts=attempts)])
        await backend.claim(
            ClaimRequest(worker_id="killed", queues=("default",), limit=1, lease_s=1)
        )
        backend.clock.advance(timedelta(seconds=2))
        stop = Stop()
        running = asyncio.create_task(Consumer(container, backend, OPTIONS, stop).run())
        await wait_until_async(lambda: len(told) == 2)
        stop.request()
        await asyncio.wait_for(running, 30)
        assert job_gauges().events["job.failed", work.name, "default"] == 1
    assert told == [(event, "killed", 1, "WorkerVanished") for event in (FAILED, last)]
    assert caplog.text.count("lost its worker killed in attempt 1") == 1
