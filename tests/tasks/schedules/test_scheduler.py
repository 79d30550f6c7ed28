"""The scheduler: each due time entered once, whatever policy, outage or number of workers."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fastforge import every, task
from fastforge.tasks import (
    BackendAway,
    ClaimRequest,
    Clock,
    Envelope,
    JobState,
    MemoryBackend,
    Outcome,
    Schedule,
    Settlement,
    Tasks,
    Verdict,
)
from fastforge.tasks.ledger import ScheduledRun, ScheduleLedger
from fastforge.tasks.schedules.scheduler import Scheduler
from fastforge.tasks.trouble import Trouble
from tests.processes import wait_until_async

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


@task(name="poll", queue="polls")
async def poll() -> None: ...


@task(name="report")
async def report() -> None: ...


class Ledger:
    """Passes calls on to a backend's ledger, counts them, and fails as a test wants."""

    def __init__(self, inner: ScheduleLedger) -> None:
        self.inner = inner
        self.calls: Counter[str] = Counter()
        self.away: Exception | None = None
        self.away_for: str | None = None

    def _refuse(self) -> None:
        if self.away is not None:
            raise self.away

    async def latest(self, schedules: Sequence[str], /) -> Mapping[str, ScheduledRun]:
        self.calls["latest"] += 1
        self._refuse()
        return await self.inner.latest(schedules)

    async def enter(self, run: ScheduledRun, envelope: Envelope | None, /) -> bool:
        self.calls["enter"] += 1
        self._refuse()
        if run.schedule == self.away_for:
            raise ValueError("a value that the database does not take")
        return await self.inner.enter(run, envelope)


class Worker:
    """One of several schedulers on the same backend."""

    def __init__(self, backend: MemoryBackend, *schedules: Schedule) -> None:
        self.ledger = Ledger(backend.ledger)
        self.scheduler = Scheduler(
            schedules,
            self.ledger,
            backend.clock,
            Trouble(),
            time_zone="UTC",
            settings=Tasks(max_attempts=3),
        )

    async def tick(self) -> None:
        await self.scheduler.tick()


@pytest.fixture
def backend() -> MemoryBackend:
    """Where it is midnight, and time goes on only when a test says so."""
    return MemoryBackend(StandingClock())


class StandingClock(Clock):
    """Stands still until it is advanced."""

    def now(self) -> datetime:
        return MIDNIGHT + self.ahead


def advance(backend: MemoryBackend, **by: float) -> None:
    backend.clock.advance(timedelta(**by))


def due_times(backend: MemoryBackend, name: str = "poll") -> list[str]:
    """The due times of a schedule's jobs, in the order in which they were enqueued."""
    jobs = [job.envelope for job in backend.jobs.values()]
    return [
        f"{datetime.fromisoformat(job.headers['due_at']):%d %H:%M:%S}"
        for job in jobs
        if job.headers["schedule"] == name
    ]


async def end_jobs(backend: MemoryBackend) -> None:
    request = ClaimRequest(worker_id="w", queues=("polls", "default"), limit=1000, lease_s=60)
    claimed = await backend.claim(request)
    outcome = Outcome(verdict=Verdict.SUCCEEDED)
    await backend.settle("w", [Settlement(claim=each, outcome=outcome) for each in claimed.claims])


POLLING = every(timedelta(minutes=5), poll)
ALLOWING = every(timedelta(minutes=5), poll, overlap="allow")


async def test_a_new_schedule_begins_with_its_next_time(backend: MemoryBackend) -> None:
    worker = Worker(backend, POLLING)
    await worker.tick()
    assert due_times(backend) == []
    advance(backend, minutes=4, seconds=59)
    await worker.tick()
    assert due_times(backend) == []
    advance(backend, seconds=1)
    await worker.tick()
    await worker.tick()
    assert due_times(backend) == ["01 00:05:00"]


async def test_a_job_knows_its_queue_its_schedule_and_its_time(backend: MemoryBackend) -> None:
    worker = Worker(backend, POLLING)
    await worker.tick()
    advance(backend, minutes=5, seconds=2)
    await worker.tick()
    (job,) = backend.jobs.values()
    envelope = job.envelope
    assert (envelope.task, envelope.queue, envelope.max_attempts) == ("poll", "polls", 3)
    headers = dict(envelope.headers)
    assert len(headers.pop("request_id")) == 36  # each firing has an id of its own
    assert headers == {"schedule": "poll", "due_at": "2026-06-01T00:05:00+00:00"}
    assert job.run_at == MIDNIGHT + timedelta(minutes=5)


async def test_one_started_exactly_at_a_due_time_does_not_take_it_from_the_others(
    backend: MemoryBackend,
) -> None:
    first, second = Worker(backend, ALLOWING), Worker(backend, ALLOWING)
    await first.tick()
    advance(backend, minutes=5)
    await second.tick()
    await first.tick()
    assert due_times(backend) == ["01 00:05:00"]


async def test_each_due_time_is_enqueued_once_by_many_workers(backend: MemoryBackend) -> None:
    workers = [Worker(backend, ALLOWING) for _ in range(5)]
    for _ in range(10):
        await asyncio.gather(*(worker.tick() for worker in workers))
        advance(backend, minutes=5)
    assert due_times(backend) == [f"01 00:{minute:02}:00" for minute in range(5, 50, 5)]


@pytest.mark.parametrize("policy", ["none", "latest", "all"])
async def test_a_worker_that_wakes_an_hour_late_enqueues_nothing_again(
    backend: MemoryBackend, policy: Any
) -> None:
    schedule = every(timedelta(minutes=5), poll, overlap="allow", catch_up=policy)
    lively, stalled = Worker(backend, schedule), Worker(backend, schedule)
    await lively.tick()
    await stalled.tick()
    for _ in range(12):
        advance(backend, minutes=5)
        await lively.tick()
    assert len(due_times(backend)) == 12
    await stalled.tick()
    assert len(due_times(backend)) == 12
    assert stalled.ledger.calls["enter"] <= 3
    advance(backend, minutes=5)
    await stalled.tick()
    await lively.tick()
    assert len(due_times(backend)) == 13


async def test_with_all_two_workers_share_what_is_caught_up(backend: MemoryBackend) -> None:
    schedule = every(timedelta(minutes=5), poll, overlap="allow", catch_up="all")
    await Worker(backend, schedule).tick()
    advance(backend, hours=2)
    workers = [Worker(backend, schedule) for _ in range(2)]
    await asyncio.gather(*(worker.tick() for worker in workers))
    assert due_times(backend) == [
        f"01 {minute // 60:02}:{minute % 60:02}:00" for minute in range(5, 125, 5)
    ]


@pytest.mark.parametrize(
    ("policy", "times"),
    [
        ("none", ["01 03:00:00"]),
        ("latest", ["01 02:00:00", "01 03:00:00"]),
        ("all", ["01 01:00:00", "01 02:00:00", "01 03:00:00"]),
    ],
)
async def test_after_an_outage_the_policy_holds_and_then_the_usual_times(
    backend: MemoryBackend, policy: Any, times: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.tasks")
    schedule = every("@hourly", poll, catch_up=policy, overlap="allow")
    await Worker(backend, schedule).tick()
    advance(backend, hours=2, minutes=30)
    worker = Worker(backend, schedule)
    await worker.tick()
    advance(backend, minutes=30)
    await worker.tick()
    assert due_times(backend) == times
    told = "the schedule poll leaves out its run of 2026-06-01T02:00:00+00:00: it was missed"
    assert (told in caplog.text) == (policy == "none")


async def test_a_changed_expression_keeps_its_history(backend: MemoryBackend) -> None:
    await Worker(backend, every("@hourly", poll)).tick()
    advance(backend, minutes=50)
    await Worker(backend, every("*/20 * * * *", poll)).tick()
    assert due_times(backend) == ["01 00:40:00"]


async def test_skip_leaves_out_a_time_until_the_earlier_job_has_ended(
    backend: MemoryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.tasks")
    workers = [Worker(backend, POLLING) for _ in range(3)]
    for _ in range(4):
        await asyncio.gather(*(worker.tick() for worker in workers))
        advance(backend, minutes=5)
    assert due_times(backend) == ["01 00:05:00"]
    (first, second) = (record.getMessage() for record in caplog.records)
    assert first == (
        "the schedule poll leaves out its run of 2026-06-01T00:10:00+00:00:"
        " the job of an earlier run has not ended"
    )
    assert "00:15:00" in second
    run = (await backend.ledger.latest(("poll",)))["poll"]
    assert (run.due_at, run.uid) == (MIDNIGHT + timedelta(minutes=15), None)
    await end_jobs(backend)
    await workers[0].tick()
    assert due_times(backend) == ["01 00:05:00", "01 00:20:00"]


async def test_queue_lets_one_job_run_after_the_other(backend: MemoryBackend) -> None:
    worker = Worker(backend, every(timedelta(minutes=5), poll, overlap="queue"))
    for _ in range(4):
        await worker.tick()
        advance(backend, minutes=5)
    assert len(due_times(backend)) == 3
    for left in (2, 1, 0):
        request = ClaimRequest(worker_id="w", queues=("polls",), limit=10, lease_s=60)
        (claim,) = (await backend.claim(request)).claims
        outcome = Outcome(verdict=Verdict.SUCCEEDED)
        await backend.settle("w", [Settlement(claim=claim, outcome=outcome)])
        done = [job for job in backend.jobs.values() if job.state is JobState.DONE]
        assert len(done) == 3 - left


async def test_allow_lets_jobs_run_side_by_side(backend: MemoryBackend) -> None:
    worker = Worker(backend, ALLOWING)
    for _ in range(4):
        await worker.tick()
        advance(backend, minutes=5)
    request = ClaimRequest(worker_id="w", queues=("polls",), limit=10, lease_s=60)
    assert len((await backend.claim(request)).claims) == 3


async def test_the_ledger_is_asked_once_at_the_start_and_once_a_due_time(
    backend: MemoryBackend,
) -> None:
    worker = Worker(backend, ALLOWING, every("@hourly", report, overlap="allow"))
    await worker.tick()
    assert worker.ledger.calls == {"latest": 1, "enter": 2}
    for _ in range(60):
        advance(backend, minutes=1)
        await worker.tick()
        await worker.tick()
    assert worker.ledger.calls == {"latest": 1, "enter": 2 + 12 + 1}


async def test_one_schedule_that_fails_does_not_stop_the_others(backend: MemoryBackend) -> None:
    worker = Worker(backend, POLLING, every("@hourly", report))
    await worker.tick()
    worker.ledger.away_for = "poll"
    advance(backend, hours=1)
    with pytest.raises(ValueError, match="does not take"):
        await worker.tick()
    assert due_times(backend, "report") == ["01 01:00:00"]
    worker.ledger.away_for = None
    await worker.tick()
    assert due_times(backend, "poll") == ["01 01:00:00"]


# --- as a loop -----------------------------------------------------------------------------------


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    loop = asyncio.create_task(worker.scheduler.run())
    try:
        yield loop
    finally:
        loop.cancel()
        await asyncio.wait({loop})


async def test_a_clock_that_is_advanced_is_noticed(backend: MemoryBackend) -> None:
    worker = Worker(backend, POLLING)
    async with running(worker):
        await wait_until_async(lambda: worker.ledger.calls["enter"] == 1)
        advance(backend, minutes=5)
        await wait_until_async(lambda: due_times(backend) == ["01 00:05:00"])
        advance(backend, days=1)
        await end_jobs(backend)
        await wait_until_async(lambda: len(due_times(backend)) == 2)
    assert due_times(backend)[-1] == "02 00:05:00"


async def test_a_clock_that_is_set_back_brings_no_due_time_twice(
    backend: MemoryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the process that was there nor in one that starts afterwards."""
    worker = Worker(backend, ALLOWING)
    await worker.tick()
    advance(backend, hours=2)
    await worker.tick()
    before = due_times(backend)
    advance(backend, hours=-1)
    workers = (worker, Worker(backend, ALLOWING))
    for _ in range(12):  # until it shows again what it has shown before
        for each in workers:
            await each.tick()
        advance(backend, minutes=5)
    assert due_times(backend) == before == ["01 02:00:00"]
    told = [record.getMessage() for record in caplog.records if "set back" in record.message]
    assert len(told) == 2 and all("waits until 2026-06-01T02:05:00Z" in line for line in told)
    advance(backend, minutes=5)
    for each in workers:
        await each.tick()
    assert due_times(backend) == ["01 02:00:00", "01 02:05:00"]


async def test_clocks_that_differ_a_little_are_no_news(
    backend: MemoryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(backend, POLLING)
    await worker.tick()
    advance(backend, minutes=5)
    await worker.tick()
    advance(backend, seconds=-20)
    await worker.tick()
    assert "set back" not in caplog.text


async def test_a_due_time_is_met_on_the_second() -> None:
    backend = MemoryBackend()
    worker = Worker(backend, every(timedelta(seconds=1), poll, overlap="allow"))
    async with running(worker):
        await wait_until_async(lambda: len(backend.jobs) >= 3)
    times = [job.run_at for job in backend.jobs.values()]
    assert all(time.microsecond == 0 for time in times)
    assert len(set(times)) == len(times)


async def test_a_backend_that_is_away_is_waited_for_with_one_line(
    backend: MemoryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.tasks")
    worker = Worker(backend, ALLOWING)
    worker.ledger.away = BackendAway("the database is away", code="jobs.E001")
    async with running(worker):
        await wait_until_async(lambda: worker.ledger.calls["latest"] >= 2)
        worker.ledger.away = None
        await wait_until_async(lambda: worker.ledger.calls["enter"] == 1)
        worker.ledger.away = BackendAway("the database is away", code="jobs.E001")
        advance(backend, minutes=17)
        await wait_until_async(lambda: worker.ledger.calls["enter"] >= 3)
        assert due_times(backend) == []
        worker.ledger.away = None
        await wait_until_async(lambda: due_times(backend) == ["01 00:15:00"])
    lines = [record.getMessage().partition(":")[0] for record in caplog.records]
    away = "the task backend fails, the worker waits for it"
    assert lines == [away, "the task backend works again"] * 2


async def test_without_schedules_it_ends_and_asks_nothing(backend: MemoryBackend) -> None:
    worker = Worker(backend)
    async with running(worker) as loop:
        await asyncio.wait_for(loop, 10)
    assert worker.ledger.calls == {}
