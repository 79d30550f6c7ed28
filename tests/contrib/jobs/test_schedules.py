"""Schedules of several workers on one database: each due time becomes one job."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge import every, task
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.jobs import JobStore
from fastforge.tasks import Clock, Schedule, Tasks
from fastforge.tasks.outcome import JobState
from fastforge.tasks.schedules.scheduler import Scheduler
from fastforge.tasks.trouble import Trouble
from tests.folder import isolated
from tests.processes import wait_until_async

from .conftest import opened, rows
from .shop import Shop

WORKERS = 5
HOUR = timedelta(hours=1)
BEGINNING = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)


class StandingClock(Clock):
    """Stands still until it is advanced."""

    def now(self) -> datetime:
        return BEGINNING + self.ahead


@task(name="report")
async def report() -> None: ...


@asynccontextmanager
async def workers_of(
    url: str, schedule: Schedule, clock: Clock
) -> AsyncIterator[tuple[list[Scheduler], DatabaseConnection]]:
    """The schedulers of several workers, each with an engine of its own."""
    async with AsyncExitStack() as stack:
        opening = [await stack.enter_async_context(opened(url)) for _ in range(WORKERS)]
        stores = [JobStore(each.engine, clock=clock) for each in opening]
        schedulers = [
            Scheduler([schedule], each.ledger, clock, Trouble(), time_zone="UTC", settings=Tasks())
            for each in stores
        ]
        yield schedulers, opening[0]


def due_hours(jobs: list[sa.Row[Any]]) -> list[int]:
    return sorted(datetime.fromisoformat(job.headers["due_at"]).hour for job in jobs)


@pytest.mark.parametrize("policy", ["none", "latest", "all"])
async def test_each_due_time_becomes_one_job_although_a_worker_wakes_hours_late(
    each_database_url: str, policy: Any
) -> None:
    clock = StandingClock()
    hourly = every("@hourly", report, catch_up=policy, overlap="allow")
    async with workers_of(each_database_url, hourly, clock) as (workers, db):
        await asyncio.gather(*(worker.tick() for worker in workers))
        stalled, *lively = workers
        for _ in range(4):
            clock.advance(HOUR / 2)
            await asyncio.gather(*(worker.tick() for worker in lively))
            clock.advance(HOUR / 2)
        await asyncio.gather(*(worker.tick() for worker in (stalled, *lively)))
        clock.advance(HOUR / 2)
        await asyncio.gather(*(worker.tick() for worker in (*lively, stalled)))
        assert due_hours(await rows(db)) == [1, 2, 3, 4, 5]


async def test_a_time_that_is_skipped_is_noted_without_a_job(each_database_url: str) -> None:
    clock = StandingClock()
    async with workers_of(each_database_url, every("@hourly", report), clock) as (workers, db):
        for _ in range(4):
            await asyncio.gather(*(worker.tick() for worker in workers))
            clock.advance(HOUR)
        (job,) = await rows(db)
        assert due_hours([job]) == [1]
        latest = await JobStore(db.engine).ledger.latest(("report",))
    run = latest["report"]
    assert (run.due_at, run.uid) == (BEGINNING + timedelta(hours=2.5), None)


# --- as processes --------------------------------------------------------------------------------

SCHEDULES = """
    from datetime import timedelta

    from fastforge import every

    from .tasks import work

    ticking = every(timedelta(seconds=1), work.call(1), catch_up="all", overlap="allow")
    skipping = every(timedelta(seconds=1), work.call(2), name="skipping")
"""


def seconds_of(jobs: list[sa.Row[Any]], schedule: str) -> list[datetime]:
    return sorted(
        datetime.fromisoformat(job.headers["due_at"])
        for job in jobs
        if job.headers["schedule"] == schedule
    )


@pytest.mark.long
async def test_five_worker_processes_enqueue_each_second_once_while_one_is_stopped(
    tmp_path: Path, each_database_url: str
) -> None:
    with isolated(tmp_path) as folder, ExitStack() as stack:
        shop = Shop(folder, each_database_url, tasks="concurrency=5")
        folder.write({"shop/schedules.py": SCHEDULES})
        await shop.create_table()
        processes = [stack.enter_context(shop.worker()) for _ in range(WORKERS)]
        for process in processes:
            process.wait_for("takes jobs from")
        await wait_until_async(lambda: ended(shop, 4))
        processes[0].send(signal.SIGSTOP)
        await asyncio.sleep(3)  # for so long it is to be stopped
        processes[0].send(signal.SIGCONT)
        seen = await shop.count(JobState.DONE)
        await wait_until_async(lambda: ended(shop, seen + 6))
        for process in processes:
            process.terminate()
        assert [process.wait() for process in processes] == [0] * WORKERS
        times = seconds_of(await shop.jobs(), "shop.tasks.work")
        assert len(times) >= 7
        assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(seconds=1)}
        skipping = Counter(seconds_of(await shop.jobs(), "skipping"))
        assert set(skipping.values()) == {1}


async def ended(shop: Shop, count: int) -> bool:
    return await shop.count(JobState.DONE) >= count
