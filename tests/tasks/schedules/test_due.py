"""A job asks for which of its schedule's times it was enqueued."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastforge import every, task
from fastforge.tasks import Claim, Clock, Envelope, JobRunner, Tasks, scheduled_for
from fastforge.tasks.schedules.jobs import scheduled_job
from fastforge.tasks.threads import Threads

DUE_AT = datetime(2026, 6, 1, 3, tzinfo=UTC)
seen: list[datetime | None] = []


@task
async def report() -> None:
    seen.append(scheduled_for())


@task
def render() -> None:
    seen.append(scheduled_for())


async def test_a_job_knows_the_time_it_is_about_and_others_know_none(
    run_project: Callable[..., Any],
) -> None:
    seen.clear()
    async with run_project(report, render) as container:
        runner = JobRunner(container, Threads(1))
        for job in (report, render):
            schedule = every("0 3 * * *", job)
            scheduled = scheduled_job(schedule, DUE_AT, settings=Tasks(), clock=Clock())
            by_hand = Envelope(task=job.name, payload={})
            for envelope in (scheduled, by_hand):
                claim = Claim(key=envelope.uid, attempt=2, envelope=envelope)
                await asyncio.create_task(runner.run(claim))
    assert seen == [DUE_AT, None, DUE_AT, None]
    assert scheduled_for() is None
