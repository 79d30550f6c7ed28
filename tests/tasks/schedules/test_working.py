"""A worker runs the schedules of its project, unless it only works off what is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastforge import every, task
from fastforge.tasks import ConsumerOptions, JobState, MemoryBackend, Stop
from fastforge.tasks.working import work
from tests.processes import wait_until_async
from tests.tasks.conftest import memory

OPTIONS = ConsumerOptions(queues=("default",), concurrency=5, lease_s=60, drain_s=10)

days: list[str] = []


@task
async def report(day: str) -> None:
    days.append(day)


HOURLY = every(timedelta(hours=1), report.call("monday"), name="hourly")


async def test_a_worker_enqueues_and_runs_what_becomes_due(
    run_project: Callable[..., Any],
) -> None:
    days.clear()
    async with run_project(report, HOURLY) as container:
        backend: MemoryBackend = container[memory]
        stop = Stop()
        running = asyncio.create_task(work(container, OPTIONS, stop))
        await wait_until_async(lambda: latest_of(backend))
        assert backend.jobs == {}
        backend.clock.advance(timedelta(hours=1))
        await wait_until_async(lambda: days == ["monday"])
        backend.clock.advance(timedelta(hours=3))
        await wait_until_async(lambda: days == ["monday"] * 2)
        stop.request()
        await asyncio.wait_for(running, 30)
        assert [job.state for job in backend.jobs.values()] == [JobState.DONE] * 2


async def latest_of(backend: MemoryBackend) -> bool:
    return bool(await backend.ledger.latest(("hourly",)))


async def test_a_burst_leaves_the_schedules_alone(run_project: Callable[..., Any]) -> None:
    async with run_project(report, HOURLY) as container:
        backend: MemoryBackend = container[memory]
        await asyncio.wait_for(work(container, replace(OPTIONS, burst=True), Stop()), 30)
        assert not await latest_of(backend)
