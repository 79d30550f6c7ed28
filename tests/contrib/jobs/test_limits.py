"""Slots and pace in the table: exact, whoever claims at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.jobs import JobStore
from fastforge.contrib.jobs.admission import Standing, decide, turns_left
from fastforge.tasks import JobQuery
from fastforge.tasks.limits import Pace, Slots
from fastforge.tasks.outcome import JobState

from .conftest import opened, rows
from .doing import claim, job, names, settle

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def work(store: JobStore, worker_id: str, running: Counter[str], seen: list[int]) -> int:
    """Claim and settle until nothing is left; note how many run of each key."""
    done = 0
    while await store.desk.count(JobQuery(states=(JobState.READY, JobState.HELD))):
        claims = await claim(store, worker_id, limit=5)
        for each in claims:
            assert each.envelope.slots is not None
            running[each.envelope.slots.key] += 1
            seen.append(running[each.envelope.slots.key])
        await asyncio.sleep(0.001)
        for each in claims:
            assert each.envelope.slots is not None
            running[each.envelope.slots.key] -= 1
        await settle(store, claims, worker_id=worker_id)
        done += len(claims)
    return done


@pytest.mark.parametrize("jobs", [60, pytest.param(600, marks=pytest.mark.long)])
async def test_no_more_run_than_may_and_all_of_them_run_once(
    each_database_url: str, jobs: int
) -> None:
    async with opened(each_database_url, pool_size=8, lock_timeout_s=30) as db:
        stores = [JobStore(db.engine) for _ in range(4)]
        keys = [Slots(key=key, limit=limit) for key, limit in (("a", 1), ("b", 2), ("c", 3))]
        await stores[0].enqueue([job(slots=keys[number % 3]) for number in range(jobs)])
        running: Counter[str] = Counter()
        seen: list[int] = []
        done = await asyncio.gather(
            *(work(each, f"w{place}", running, seen) for place, each in enumerate(stores))
        )
        for place, each in enumerate(stores):  # what another one freed at the very end
            claims = await claim(each, f"w{place}")
            await settle(each, claims, worker_id=f"w{place}")
        assert max(seen) <= 3
        assert sum(done) == jobs
        assert {row.state for row in await rows(db)} == {JobState.DONE}
        assert {row.attempt for row in await rows(db)} == {1}


async def test_those_that_wait_for_others_are_held_by_the_thousand(
    db: DatabaseConnection, store: JobStore
) -> None:
    """Else a long queue of one key would be claimed through, fifty by fifty."""
    await store.enqueue([job("one", slots=Slots(key="k", limit=1)) for _ in range(400)])
    await store.enqueue([job("other")])
    assert names(await claim(store, limit=10)) == ["one", "other"]
    assert Counter(row.state for row in await rows(db)) == {
        JobState.HELD: 399,
        JobState.RUNNING: 2,
    }


async def test_what_was_missed_is_mended(db: DatabaseConnection, store: JobStore) -> None:
    """As when the limit of waiting jobs is another one than that of those that ran."""
    await store.enqueue([job("runs", slots=Slots(key="k", limit=1))])
    claims = await claim(store)
    await store.enqueue([job("held", slots=Slots(key="k", limit=1)) for _ in range(3)])
    assert await claim(store) == []
    async with db.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE jobs_job SET slots_limit = 3")
    assert await claim(store) == []
    await store.renew("w1", claims, lease_s=60)
    assert names(await claim(store)) == ["held", "held"]


async def test_every_worker_keeps_the_same_pace(each_database_url: str) -> None:
    async with opened(each_database_url, pool_size=8, lock_timeout_s=30) as db:
        stores = [JobStore(db.engine) for _ in range(4)]
        pace = Pace(key="k", limit=1, per_s=10)
        await stores[0].enqueue([job(pace=pace) for _ in range(40)])
        begun = []
        for _ in range(5):
            claims = await asyncio.gather(
                *(claim(each, f"w{place}", limit=3) for place, each in enumerate(stores))
            )
            begun.append(sum(map(len, claims)))
            for each in stores:
                each.clock.advance(timedelta(seconds=10))
        assert begun == [1] * 5
        turns = sorted(row.run_at for row in await rows(db) if row.paced and row.state == 0)
        gaps = {round((b - a).total_seconds()) for a, b in pairwise(turns)}
        assert gaps == {10}


async def test_those_whose_turn_is_far_are_held_and_come_back(
    db: DatabaseConnection, store: JobStore
) -> None:
    await store.enqueue([job(pace=Pace(key="k", limit=1, per_s=30)) for _ in range(100)])
    assert len(await claim(store, limit=10)) == 1
    states = Counter(row.state for row in await rows(db))
    assert states == {JobState.RUNNING: 1, JobState.READY: 2, JobState.HELD: 97}
    store.clock.advance(timedelta(seconds=3600))
    await store.renew("w2", (), lease_s=60)
    states = Counter(row.state for row in await rows(db))
    assert states[JobState.READY] >= 4


def test_a_missed_turn_is_over() -> None:
    """Workers were away for an hour: what they missed does not begin all at once."""
    paced = [row(number, paced=True, run_at=NOW + timedelta(seconds=number)) for number in range(5)]
    now = NOW + timedelta(hours=1)
    admission = decide(paced, Standing(next_at={"p": NOW + timedelta(seconds=5)}, now=now))
    assert [each.id for each in admission.begin] == [0]
    assert [each["run_at"] - now for each in admission.away] == [
        timedelta(seconds=seconds) for seconds in (1, 2, 3, 4)
    ]


def test_a_job_that_waits_for_its_pace_takes_no_slot() -> None:
    both = [row(number, slots_key="s", slots_limit=1) for number in range(2)]
    standing = Standing(next_at={"p": NOW + timedelta(seconds=30)}, now=NOW)
    admission = decide(both, standing)
    assert admission.begin == []
    assert admission.full_slots == set()


def test_turns_are_given_a_minute_ahead() -> None:
    assert turns_left(NOW, None, 20) == 4
    assert turns_left(NOW, NOW + timedelta(seconds=60), 20) == 1
    assert turns_left(NOW, NOW + timedelta(seconds=61), 20) == 0
    assert turns_left(NOW, NOW - timedelta(seconds=61), 60) == 2


def row(number: int, **values: Any) -> Any:
    """A claimed row, with one job a second."""
    usual: dict[str, Any] = {
        "slots_key": None,
        "slots_limit": None,
        "pace_key": "p",
        "pace_limit": 1,
        "pace_per_s": 1.0,
        "paced": False,
        "run_at": NOW,
    }
    return SimpleNamespace(id=number, **(usual | values))
