"""The ledger of schedules: each due time becomes one job, whoever is trying."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fastforge.tasks.ledger import ScheduledRun
from fastforge.tasks.limits import UniqueKey

from .world import World, envelope

DUE = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def run(name: str = "report", *, minutes: int = 0, uid: str | None = None) -> ScheduledRun:
    return ScheduledRun(schedule=name, due_at=DUE + timedelta(minutes=minutes), uid=uid)


async def test_a_due_time_is_entered_once_whoever_is_trying(world: World) -> None:
    jobs = [envelope(f"t{number}") for number in range(5)]
    entered = await asyncio.gather(
        *(world.backend.ledger.enter(run(uid=job.uid), job) for job in jobs)
    )
    assert sorted(entered) == [False] * 4 + [True]
    winner = jobs[entered.index(True)]
    assert [job.uid for job in await world.jobs()] == [winner.uid]
    assert await world.backend.ledger.enter(run(uid=jobs[0].uid), jobs[0]) is False
    assert await world.backend.ledger.latest(["report"]) == {"report": run(uid=winner.uid)}


async def test_each_due_time_and_each_schedule_is_apart(world: World) -> None:
    ledger = world.backend.ledger
    for each in (run(), run(minutes=5), run("other")):
        job = envelope()
        assert await ledger.enter(replace(each, uid=job.uid), job) is True
    assert len(await world.jobs()) == 3


async def test_the_latest_is_that_of_the_last_due_time(world: World) -> None:
    ledger = world.backend.ledger
    assert await ledger.latest(["report", "other"]) == {}
    assert await ledger.latest([]) == {}
    for each in (run(minutes=5), run(), run("other"), run("third")):
        await ledger.enter(each, None)
    assert await ledger.latest(["report", "other", "nobody"]) == {
        "report": run(minutes=5),
        "other": run("other"),
    }


async def test_a_due_time_may_become_no_job(world: World) -> None:
    assert await world.backend.ledger.enter(run(), None) is True
    assert await world.backend.ledger.enter(run(), envelope()) is False
    assert await world.jobs() == []


async def test_a_run_whose_unique_key_is_taken_is_entered_without_a_job(world: World) -> None:
    await world.enqueue("first", unique=UniqueKey(key="k"))
    job = envelope("second", unique=UniqueKey(key="k"))
    assert await world.backend.ledger.enter(run(uid=job.uid), job) is True
    assert [job.task for job in await world.jobs()] == ["first"]
    assert await world.backend.ledger.latest(["report"]) == {"report": run(uid=None)}
