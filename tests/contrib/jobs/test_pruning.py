"""What is deleted when its time is over, and what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.jobs import JobStore, upkeep
from fastforge.contrib.jobs.statements import JOB, pruning
from fastforge.contrib.jobs.statements.tables import (
    BATCH,
    PACING,
    SCHEDULE_RUN,
    UNIQUE_KEY,
    WORKER,
)
from fastforge.tasks import NewBatch
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.ledger import ScheduledRun
from fastforge.tasks.limits import Pace, UniqueKey
from fastforge.tasks.settings import Tasks

from .doing import DEAD, claim, job, settle
from .statements import sent
from .test_attending import beat

KINDS = 5
"""So many beats of a worker go through all that may be old."""


async def count(db: DatabaseConnection, table: sa.Table) -> int:
    async with db.engine.begin() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


async def tidy(store: JobStore, **later: float) -> None:
    """Let it be later, and a worker beat."""
    store.clock.advance(timedelta(**later))
    for _ in range(KINDS):
        await store.renew("w1", (), lease_s=60)


async def test_ended_jobs_are_kept_as_long_as_the_settings_say(db: DatabaseConnection) -> None:
    store = JobStore(db.engine, settings=Tasks(keep_done_s=600, keep_dead_s=6000))
    await store.enqueue([job(), job(), job(delay_s=10_000)])
    done, dead = await claim(store)
    await settle(store, [done])
    await settle(store, [dead], DEAD)
    await tidy(store, seconds=300)
    assert await count(db, JOB) == 3
    await tidy(store, seconds=301)
    assert await count(db, JOB) == 2
    await tidy(store, seconds=6000)
    assert await count(db, JOB) == 1


@pytest.fixture
def a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "PRUNE_LIMIT", 20)


@pytest.mark.usefixtures("a_few_at_a_time")
async def test_a_beat_goes_on_while_there_is_more_that_is_old(
    db: DatabaseConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a worker that ends more jobs than one statement deletes fills the disk."""
    monkeypatch.setattr(upkeep, "PRUNE_FOR_S", 60)
    store = JobStore(db.engine, settings=Tasks(keep_done_s=1))
    await store.enqueue([job(unique=UniqueKey(key=str(number), for_s=1)) for number in range(90)])
    await settle(store, await claim(store, limit=90))
    store.clock.advance(timedelta(seconds=2))
    with sent(db) as statements:
        await store.renew("w1", (), lease_s=60)
    assert [await count(db, table) for table in (JOB, UNIQUE_KEY)] == [0, 0]
    assert sum("DELETE" in text for text, _ in statements) == 2 * 5


@pytest.mark.usefixtures("a_few_at_a_time")
async def test_but_not_so_long_that_leases_run_out(
    db: DatabaseConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "PRUNE_FOR_S", 0)
    store = JobStore(db.engine, settings=Tasks(keep_done_s=1))
    await store.enqueue([job() for _ in range(90)])
    await settle(store, await claim(store, limit=90))
    store.clock.advance(timedelta(seconds=2))
    await store.renew("w1", (), lease_s=60)
    assert await count(db, JOB) == 70


async def test_what_is_remembered_around_jobs_goes_as_well(
    db: DatabaseConnection, store: JobStore
) -> None:
    uid = new_uid()
    await store.enqueue([job(batch=uid)], batch=NewBatch(uid=uid))
    await store.enqueue([job(unique=UniqueKey(key="k", for_s=60))])
    await store.enqueue([job(pace=Pace(key="p", limit=1, per_s=1))])
    await store.beat(beat("w1", running=0))
    await settle(store, await claim(store))
    tables = (BATCH, UNIQUE_KEY, PACING, WORKER)
    assert [await count(db, table) for table in tables] == [1, 1, 1, 1]
    await tidy(store, seconds=61)
    assert [await count(db, table) for table in tables] == [1, 0, 1, 1]
    await tidy(store, hours=2)
    assert [await count(db, table) for table in tables] == [1, 0, 0, 1]
    await tidy(store, days=1)
    assert [await count(db, table) for table in tables] == [1, 0, 0, 0]
    await tidy(store, days=30)
    assert [await count(db, table) for table in tables] == [0, 0, 0, 0]


async def test_runs_of_schedules_are_kept_a_week_and_the_latest_of_each_for_ever(
    db: DatabaseConnection, store: JobStore
) -> None:
    due = datetime(2026, 1, 1, tzinfo=UTC)
    for name in ("a", "b"):
        for minutes in (0, 5):
            at = due + timedelta(minutes=minutes)
            await store.ledger.enter(ScheduledRun(schedule=name, due_at=at), None)
    await tidy(store, days=6)
    assert await count(db, SCHEDULE_RUN) == 4
    await tidy(store, days=2)
    latest = await store.ledger.latest(["a", "b"])
    assert await count(db, SCHEDULE_RUN) == 2
    assert {run.due_at for run in latest.values()} == {due + timedelta(minutes=5)}
