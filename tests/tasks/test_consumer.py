"""The consumer: many jobs at once, a backend that comes and goes, and a stop that loses nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import selectors
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
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
from fastforge.tasks.progress import report_progress
from fastforge.tasks.records import JobQuery, Progress
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
    tasks = (work, wait, fail, heavy, light, swallow, block, block_heavily, say)
    async with run_project(*tasks, backend=backend) as container:
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
        self.attended: list[dict[Claim, Progress]] = []
        self.beats = 0

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

    async def attend(self, worker_id: str, reports: Any, /) -> Any:
        self._refuse("attend")
        self.attended.append(dict(reports))
        return await self._call("attend", super().attend(worker_id, reports))

    async def beat(self, beat: Any, /) -> None:
        self._refuse("beat")
        self.beats += 1
        await self._call("beat", super().beat(beat))

    async def leave(self, worker_id: str, /) -> None:
        self._refuse("leave")
        await super().leave(worker_id)


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


async def test_a_worker_without_jobs_that_cannot_take_leave_says_nothing_of_jobs(
    run_project: RunProject, caplog: pytest.LogCaptureFixture
) -> None:
    backend = Unsteady()
    backend.failing["leave"] = AWAY
    async with consuming(run_project, backend) as (_, _, _):
        pass
    assert backend.refused["leave"] == 1
    assert "handed back" not in caplog.text


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


# --- queues with a limit of their own ------------------------------------------------------------


@task(queue="heavy")
async def heavy(number: int) -> None:
    started.append(number)
    await gates[0].wait()


@task(queue="light")
async def light(number: int) -> None:
    started.append(number)


LIMITED = {"queues": ("default", "heavy", "light"), "limits": {"heavy": 2, "light": 1}}


async def test_a_queue_with_a_limit_takes_no_more_places_and_the_others_go_on(
    run_project: RunProject,
) -> None:
    async with consuming(run_project, **LIMITED) as (backend, _, _):
        for number in range(5):
            await heavy.enqueue(number=number)
        await wait_until_async(lambda: len(started) == 2)
        for number in range(100, 120):
            await work.enqueue(number=number)
            await light.enqueue(number=number + 100)
        await wait_until_async(lambda: len(started) == 42)
        assert sum(number < 5 for number in started) == 2
        gates[0].set()
        await all_done(backend, 45)


async def test_no_queue_is_always_asked_last(run_project: RunProject) -> None:
    """With one place, each of them has its turn while the others are never empty."""
    async with run_project(work, heavy, light) as container:
        with use_container(container):
            for number in range(30):
                await work.enqueue(number=number)
                await heavy.enqueue(number=number + 100)
                await light.enqueue(number=number + 200)
        gates[0].set()
        options = replace(OPTIONS, concurrency=1, burst=True, **LIMITED)
        await asyncio.wait_for(Consumer(container, container[memory], options, Stop()).run(), 60)
    assert sorted(number // 100 for number in started[:9]) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(started) == 90


# --- cancelling and progress ---------------------------------------------------------------------


@task
async def swallow(number: int) -> None:
    started.append(number)
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        ended.append(number)


@task
def block(number: int) -> None:
    started.append(number)
    blocker.wait(60)
    ended.append(number)


@task(queue="heavy")
def block_heavily(number: int) -> None:
    started.append(number)
    blocker.wait(60)


blocker = threading.Event()


@pytest.fixture
def blocked() -> Iterator[threading.Event]:
    """What the jobs of `block` wait for; set at the end of the test."""
    blocker.clear()
    yield blocker
    blocker.set()


async def test_a_job_that_somebody_cancels_is_cancelled_within_a_second(
    run_project: RunProject,
) -> None:
    async with consuming(run_project) as (backend, _, _):
        handle = await wait.enqueue(number=1)
        await wait.enqueue(number=2)
        await wait_until_async(lambda: len(started) == 2)
        assert await backend.desk.cancel(JobQuery(uids=(handle.uid,))) == 1
        asked_at = asyncio.get_running_loop().time()
        await wait_until_async(lambda: (JobState.CANCELLED, 1) in states(backend))
        assert asyncio.get_running_loop().time() - asked_at < 5  # 0.5 on a machine that is free
        gates[0].set()
        await wait_until_async(
            lambda: states(backend) == [(JobState.CANCELLED, 1), (JobState.DONE, 1)]
        )
    assert ended == [2]


async def test_a_job_that_swallows_its_cancellation_has_succeeded(run_project: RunProject) -> None:
    async with consuming(run_project) as (backend, _, _):
        await swallow.enqueue(number=1)
        await wait_until_async(lambda: started == [1])
        await backend.desk.cancel(JobQuery())
        await all_done(backend, 1)
    assert ended == [1]


async def test_a_thread_that_is_cancelled_keeps_its_place_and_its_late_result_is_dropped(
    run_project: RunProject, blocked: threading.Event
) -> None:
    async with consuming(run_project, concurrency=1) as (backend, _, _):
        await block.enqueue(number=1)
        await wait_until_async(lambda: started == [1])
        await work.enqueue(number=2)
        await backend.desk.cancel(JobQuery(tasks=(block.name,)))
        await wait_until_async(lambda: states(backend)[0][0] is JobState.CANCELLED)
        assert (ended, states(backend)[1]) == ([], (JobState.READY, 0))
        blocked.set()
        await wait_until_async(lambda: states(backend)[1] == (JobState.DONE, 1))
    assert ended == [1, 2]
    assert states(backend)[0] == (JobState.CANCELLED, 1)


async def test_a_thread_that_was_left_counts_for_the_limit_of_its_queue(
    run_project: RunProject, blocked: threading.Event
) -> None:
    options = {"queues": ("default", "heavy"), "limits": {"heavy": 1}}
    async with consuming(run_project, concurrency=3, **options) as (backend, _, _):
        await block_heavily.enqueue(number=1)
        await wait_until_async(lambda: started == [1])
        await backend.desk.cancel(JobQuery())
        await wait_until_async(lambda: states(backend)[0][0] is JobState.CANCELLED)
        await heavy.enqueue(number=2)
        await work.enqueue(number=3)
        await wait_until_async(lambda: started == [1, 3])
        gates[0].set()
        blocked.set()
        await wait_until_async(lambda: started == [1, 3, 2])


@task
async def say(number: int) -> None:
    for done in range(number):
        report_progress(done, number, "rows")
    started.append(number)
    await gates[0].wait()


async def test_only_the_last_progress_is_passed_on_and_only_when_it_has_changed(
    run_project: RunProject,
) -> None:
    backend = Unsteady()
    async with consuming(run_project, backend) as (_, _, _):
        await say.enqueue(number=1000)
        (job,) = backend.jobs.values()
        await wait_until_async(lambda: job.progress is not None)
        assert job.progress == Progress(done=999, total=1000, message="rows")
        attended = backend.attended
        await wait_until_async(lambda: len(backend.attended) >= 3)
        gates[0].set()
        await all_done(backend, 1)
    assert [len(reports) for reports in attended[:3]] == [1, 0, 0]


async def test_while_nothing_runs_nobody_attends(run_project: RunProject) -> None:
    backend = Unsteady()
    async with consuming(run_project, backend, lease_s=0.5) as (_, _, _):
        await work.enqueue(number=1)
        await all_done(backend, 1)
        asked = len(backend.attended)
        beats = backend.beats
        await wait_until_async(lambda: backend.beats >= beats + 15)  # 1.5 s
        assert len(backend.attended) == asked


async def test_progress_that_cannot_be_recorded_holds_up_no_cancellation(
    run_project: RunProject, caplog: pytest.LogCaptureFixture
) -> None:
    backend = Unsteady()
    async with consuming(run_project, backend) as (_, _, _):
        await say.enqueue(number=1)
        backend.failing["attend"] = ValueError("no such JSON")
        await wait_until_async(lambda: backend.refused["attend"] > 0)
        backend.failing.clear()
        await backend.desk.cancel(JobQuery())
        await wait_until_async(lambda: states(backend) == [(JobState.CANCELLED, 1)])
    assert caplog.text.count("no such JSON") == 1


# --- what a worker says of itself ----------------------------------------------------------------


async def test_a_worker_beats_and_leaves(run_project: RunProject) -> None:
    async with consuming(run_project, lease_s=0.5) as (backend, stop, running):
        await wait.enqueue(number=1)
        await wait_until_async(lambda: started == [1])

        async def found() -> bool:
            beats = await backend.desk.workers()
            return [beat.running for beat in beats] == [1]

        await wait_until_async(found)
        (beat,) = await backend.desk.workers()
        assert (beat.pid, beat.queues, beat.concurrency) == (os.getpid(), ("default",), 10)
        assert beat.version
        gates[0].set()
        stop.request()
        await asyncio.wait_for(running, 30)
        assert await backend.desk.workers() == []


async def test_a_loop_that_swallows_its_cancellation_is_cancelled_again(
    run_project: RunProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    swallowed: list[str] = []
    watching = asyncio.Event()

    async def watch(_wake: Callable[[], None]) -> None:
        watching.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed.append("once")

    async with run_project() as container:
        backend = container[memory]
        monkeypatch.setattr(backend, "watch", watch)
        stop = Stop()
        running = asyncio.create_task(Consumer(container, backend, OPTIONS, stop).run())
        await watching.wait()
        stop.request()
        await asyncio.wait_for(running, 30)
    assert swallowed == ["once"]


class CountingSelector(selectors.DefaultSelector):
    """Counts how often an event loop wakes up."""

    wakes = 0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(timeout)
        self.wakes += timeout is None or timeout > 0
        return found


def test_an_idle_worker_wakes_up_a_few_times_a_second(run_project: RunProject) -> None:
    selector = CountingSelector()

    async def main() -> int:
        async with consuming(run_project, lease_s=30):
            await asyncio.sleep(0.2)
            before = selector.wakes
            await asyncio.sleep(3)
            return selector.wakes - before

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        assert runner.run(main()) <= 3 * 3


async def test_trouble_is_over_also_when_its_job_has_ended(
    run_project: RunProject, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.tasks")
    backend = Unsteady()
    async with consuming(run_project, backend) as (_, _, _):
        await wait.enqueue(number=1)
        await wait_until_async(lambda: started == [1])
        backend.failing["attend"] = AWAY
        await wait_until_async(lambda: backend.refused["attend"] > 0)
        gates[0].set()
        await all_done(backend, 1)
        assert "works again" not in caplog.text
        backend.failing.clear()
        await wait_until_async(lambda: "works again" in caplog.text)
