"""The consumer: many jobs at once, a backend that comes and goes, and a stop that loses nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from fastforge.lifecycle import use_container
from fastforge.tasks import (
    BackendAway,
    Claim,
    Claimed,
    Consumer,
    ConsumerOptions,
    MemoryBackend,
    Retry,
    Settlement,
    Stop,
    task,
)
from fastforge.tasks.outcome import JobState
from tests.processes import wait_until_async

from .conftest import memory

RunProject = Callable[..., Any]
OPTIONS = ConsumerOptions(queues=("default",), concurrency=10, lease_s=60, drain_s=30)

started: list[int] = []
ended: list[int] = []
gates: list[asyncio.Event] = []


@pytest.fixture(autouse=True)
def gate() -> asyncio.Event:
    """What the jobs of `wait` wait for."""
    started.clear()
    ended.clear()
    gates[:] = [asyncio.Event()]
    return gates[0]


@task
async def work(number: int) -> None:
    started.append(number)
    await asyncio.sleep(0)
    ended.append(number)


@task
async def wait(number: int) -> None:
    started.append(number)
    await gates[0].wait()
    ended.append(number)


@task(retry=Retry(max_attempts=3, base_s=0))
async def fail(number: int) -> None:
    started.append(number)
    raise ValueError(number)


@asynccontextmanager
async def consuming(
    run_project: RunProject, backend: MemoryBackend | None = None, **options: Any
) -> AsyncIterator[tuple[MemoryBackend, Stop, asyncio.Task[None]]]:
    """A running consumer, and the backend that it takes jobs from."""
    async with run_project(work, wait, fail, backend=backend) as container:
        own: MemoryBackend = container[memory]
        stop = Stop()
        consumer = Consumer(container, own, replace(OPTIONS, **options), stop)
        running = asyncio.create_task(consumer.run())
        with use_container(container):
            try:
                yield own, stop, running
            finally:
                stop.request()
                stop.request()
                await asyncio.wait_for(running, 30)


def states(backend: MemoryBackend) -> list[tuple[JobState, int]]:
    return [(job.state, job.attempt) for job in backend.jobs.values()]


async def all_done(backend: MemoryBackend, count: int) -> None:
    await wait_until_async(
        lambda: [state for state, _ in states(backend)] == [JobState.DONE] * count
    )


async def test_every_job_runs_once(run_project: RunProject) -> None:
    async with consuming(run_project) as (backend, _, _):
        for number in range(100):
            await work.enqueue(number=number)
        await all_done(backend, 100)
    assert sorted(ended) == list(range(100))


async def test_no_more_jobs_run_at_once_than_allowed(run_project: RunProject) -> None:
    async with consuming(run_project, concurrency=3) as (backend, _, _):
        for number in range(8):
            await wait.enqueue(number=number)
        await wait_until_async(lambda: len(started) == 3)
        assert sum(state is JobState.RUNNING for state, _ in states(backend)) == 3
        gates[0].set()
        await all_done(backend, 8)


async def test_a_failing_job_is_tried_to_the_end_and_keeps_every_exception(
    run_project: RunProject,
) -> None:
    async with consuming(run_project) as (backend, _, _):
        await fail.enqueue(number=7)
        await wait_until_async(lambda: states(backend) == [(JobState.DEAD, 3)])
        (job,) = backend.jobs.values()
    assert started == [7, 7, 7]
    assert [(error.attempt, error.message) for error in job.errors] == [
        (1, "7"),
        (2, "7"),
        (3, "7"),
    ]


async def test_burst_ends_when_nothing_is_due_and_nothing_runs(run_project: RunProject) -> None:
    async with run_project(work, fail) as container:
        with use_container(container):
            for number in range(25):
                await work.enqueue(number=number)
        consumer = Consumer(container, container[memory], replace(OPTIONS, burst=True), Stop())
        await asyncio.wait_for(consumer.run(), 30)
    assert sorted(ended) == list(range(25))


async def test_the_first_signal_claims_no_more_and_lets_jobs_end(run_project: RunProject) -> None:
    async with consuming(run_project, concurrency=1) as (backend, stop, running):
        await wait.enqueue(number=1)
        await wait_until_async(lambda: started == [1])
        stop.request()
        await work.enqueue(number=2)
        await asyncio.sleep(0.05)
        assert not running.done()
        gates[0].set()
        await asyncio.wait_for(running, 30)
        assert states(backend) == [(JobState.DONE, 1), (JobState.READY, 0)]
    assert ended == [1]


@pytest.mark.parametrize("signals", [1, 2])
async def test_what_runs_after_the_drain_is_handed_back_uncounted(
    run_project: RunProject, signals: int
) -> None:
    drain_s = 0.05 if signals == 1 else 3600
    async with consuming(run_project, drain_s=drain_s) as (backend, stop, running):
        for number in range(5):
            await wait.enqueue(number=number)
        await wait_until_async(lambda: len(started) == 5)
        for _ in range(signals):
            stop.request()
        await asyncio.wait_for(running, 30)
        assert states(backend) == [(JobState.READY, 0)] * 5
        assert all(job.worker_id is None for job in backend.jobs.values())
    assert ended == []


async def test_a_consumer_that_is_cancelled_hands_back_too(run_project: RunProject) -> None:
    async with run_project(wait) as container:
        backend: MemoryBackend = container[memory]
        with use_container(container):
            await wait.enqueue(number=1)
        running = asyncio.create_task(Consumer(container, backend, OPTIONS, Stop()).run())
        await wait_until_async(lambda: started == [1])
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert states(backend) == [(JobState.READY, 0)]


class Unsteady(MemoryBackend):
    """A backend whose calls fail as a test wants: before they do anything, or after."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: dict[str, Exception] = {}
        self.failing_after: dict[str, Exception] = {}
        self.refused: Counter[str] = Counter()

    def _refuse(self, name: str) -> None:
        if name in self.failing:
            self.refused[name] += 1
            raise self.failing[name]

    async def _call(self, name: str, call: Any) -> Any:
        result = await call
        if name in self.failing_after:
            raise self.failing_after.pop(name)
        return result

    async def claim(self, request: Any, /) -> Claimed:
        self._refuse("claim")
        return await self._call("claim", super().claim(request))  # type: ignore[no-any-return]

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        self._refuse("settle")
        await self._call("settle", super().settle(worker_id, settlements))

    async def renew(self, worker_id: str, held: Any, /, *, lease_s: float) -> Any:
        self._refuse("renew")
        return await self._call("renew", super().renew(worker_id, held, lease_s=lease_s))


AWAY = BackendAway("nobody answers", code="jobs.E001")


async def test_a_backend_that_is_away_is_waited_for_with_one_line_each_way(
    run_project: RunProject, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.tasks")
    backend = Unsteady()
    async with consuming(run_project, backend, lease_s=1) as (_, _, running):
        await wait.enqueue(number=1)
        await wait_until_async(lambda: started == [1])
        backend.failing = dict.fromkeys(("claim", "settle", "renew"), AWAY)
        gates[0].set()
        await work.enqueue(number=2)
        await wait_until_async(lambda: ended == [1])
        await wait_until_async(lambda: "nobody answers" in caplog.text)
        await wait_until_async(lambda: min(backend.refused[w] for w in ("settle", "renew")) >= 3)
        assert not running.done()
        backend.failing.clear()
        await all_done(backend, 2)
        await wait_until_async(lambda: "works again" in caplog.text)
    assert sorted(ended) == [1, 2]
    assert caplog.text.count("nobody answers") == 1
    assert caplog.text.count("works again") == 1


async def test_jobs_whose_claim_was_made_but_never_answered_come_back_uncounted(
    run_project: RunProject,
) -> None:
    backend = Unsteady()
    backend.failing_after["claim"] = ConnectionError("the answer was lost")
    async with consuming(run_project, backend) as (_, _, _):
        await work.enqueue(number=1)
        await all_done(backend, 1)
        assert states(backend) == [(JobState.DONE, 1)]
    assert ended == [1]


async def test_a_result_whose_record_was_never_answered_is_recorded_once(
    run_project: RunProject,
) -> None:
    backend = Unsteady()
    backend.failing_after["settle"] = AWAY
    async with consuming(run_project, backend) as (_, _, _):
        await work.enqueue(number=1)
        await all_done(backend, 1)
        await work.enqueue(number=2)
        await all_done(backend, 2)
    assert ended == [1, 2]


class Refusing(MemoryBackend):
    """Cannot record one job, whatever is tried."""

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        if any(settlement.claim.envelope.payload["number"] == 13 for settlement in settlements):
            raise ValueError("this row is poison")
        await super().settle(worker_id, settlements)


async def test_one_result_that_cannot_be_recorded_holds_up_no_other(
    run_project: RunProject, caplog: pytest.LogCaptureFixture
) -> None:
    backend = Refusing()
    async with consuming(run_project, backend, concurrency=50) as (_, _, _):
        for number in range(20):
            await work.enqueue(number=number)
        await wait_until_async(
            lambda: sum(state is JobState.DONE for state, _ in states(backend)) == 19
        )
        await wait_until_async(lambda: "cannot be recorded" in caplog.text)
        await work.enqueue(number=100)
        await wait_until_async(lambda: 100 in ended)


async def test_a_lease_is_not_renewed_for_a_job_that_was_given_up(run_project: RunProject) -> None:
    backend = Refusing()
    async with consuming(run_project, backend, lease_s=0.2) as (_, _, _):
        await work.enqueue(number=13)
        await wait_until_async(lambda: len(started) >= 2)
        (job,) = backend.jobs.values()
        assert job.errors[0].type == "WorkerVanished"


async def test_running_jobs_keep_their_lease(run_project: RunProject) -> None:
    async with consuming(run_project, lease_s=0.3) as (backend, _, _):
        await wait.enqueue(number=1)
        await wait_until_async(lambda: started == [1])
        await asyncio.sleep(1)
        gates[0].set()
        await all_done(backend, 1)
        assert states(backend) == [(JobState.DONE, 1)]
    assert (started, ended) == ([1], [1])


async def test_a_job_that_another_worker_holds_by_now_is_cancelled_here(
    run_project: RunProject, caplog: pytest.LogCaptureFixture
) -> None:
    async with consuming(run_project, lease_s=0.5) as (backend, _, _):
        await wait.enqueue(number=1)
        await wait_until_async(lambda: started == [1])
        (job,) = backend.jobs.values()
        job.worker_id, job.attempt = "another", 2
        await wait_until_async(lambda: "lost its lease" in caplog.text)
        await asyncio.sleep(0)
        assert (job.state, job.worker_id, job.attempt) == (JobState.RUNNING, "another", 2)
        job.worker_id = job.lease_until = None
    assert ended == []


async def test_an_error_of_the_worker_itself_counts_as_a_failed_attempt(
    run_project: RunProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def explode(*_: object) -> None:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr("fastforge.tasks.execution.JobRunner.run", explode)
    async with consuming(run_project) as (backend, _, _):
        await fail.enqueue(number=1)
        await wait_until_async(lambda: states(backend) == [(JobState.DEAD, 3)])
        (job,) = backend.jobs.values()
        assert {error.type for error in job.errors} == {"KeyError"}


def test_a_claim_is_told_by_identity() -> None:
    """Two attempts at one job are two claims, whatever else they share."""
    from fastforge.tasks import Envelope

    envelope = Envelope(task="a", payload={"list": [1]})
    one, two = (Claim(key=1, attempt=1, envelope=envelope) for _ in range(2))
    assert len({one, two}) == 2
