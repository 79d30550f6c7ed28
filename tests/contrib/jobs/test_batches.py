"""Batches in the table: what comes after all of them comes once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.jobs import JobStore
from fastforge.contrib.jobs.statements.tables import BATCH
from fastforge.tasks import Envelope, NewBatch
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.limits import Pace, Slots, UniqueKey

from .conftest import rows
from .doing import CANCELLED, DEAD, INTERRUPTED, SUCCEEDED, claim, job, names, settle


async def begin(store: JobStore, number: int, then: Envelope | None = None) -> str:
    """Enqueue a batch of so many jobs."""
    uid = new_uid()
    await store.enqueue(
        [job("member", batch=uid) for _ in range(number)], batch=NewBatch(uid=uid, then=then)
    )
    return uid


async def batch(db: DatabaseConnection, uid: str) -> tuple[int, int, int, bool]:
    async with db.engine.begin() as connection:
        row = (await connection.execute(BATCH.select().where(BATCH.c.uid == uid))).one()
    return row.total, row.pending, row.failed, row.finished_at is not None


async def test_what_comes_then_comes_after_the_last_one(
    db: DatabaseConnection, store: JobStore
) -> None:
    uid = await begin(store, 3, then=job("then", queue="other", priority=-3))
    claims = await claim(store)
    await settle(store, claims[:2])
    assert await batch(db, uid) == (3, 1, 0, False)
    assert await claim(store, queues=("other",)) == []
    await settle(store, claims[2:])
    assert await batch(db, uid) == (3, 0, 0, True)
    (then,) = await claim(store, queues=("other",))
    assert (then.envelope.task, then.envelope.priority, then.envelope.batch) == ("then", -3, None)


async def test_a_job_counts_when_it_has_ended_and_once(
    db: DatabaseConnection, store: JobStore
) -> None:
    uid = await begin(store, 3, then=job("then"))
    first, second, third = await claim(store)
    await settle(store, [first], DEAD)
    await settle(store, [second], CANCELLED)
    await settle(store, [third], INTERRUPTED)
    await settle(store, [first, second])  # refused: they have ended
    assert await batch(db, uid) == (3, 1, 2, False)
    await settle(store, await claim(store), SUCCEEDED)
    assert await batch(db, uid) == (3, 0, 2, True)
    assert names(await claim(store)) == ["then"]


async def test_then_comes_once_of_many_that_end_together(db: DatabaseConnection) -> None:
    store = JobStore(db.engine)
    await begin(store, 24, then=job("then"))
    claims = await claim(store)
    workers = [JobStore(db.engine) for _ in range(4)]  # each with a lock of its own
    await asyncio.gather(
        *(settle(workers[place % 4], [each]) for place, each in enumerate(claims)),
        *(settle(workers[place % 4], [each]) for place, each in enumerate(claims, 1)),
    )
    assert names(await claim(store)) == ["then"]


async def test_a_worker_that_vanishes_counts_for_its_batch(
    db: DatabaseConnection, store: JobStore
) -> None:
    uid = new_uid()
    member = job(batch=uid, max_attempts=1)
    await store.enqueue([member], batch=NewBatch(uid=uid, then=job("then")))
    await claim(store, lease_s=-1)
    assert (await store.renew("w2", (), lease_s=60)).freed == 1
    assert await batch(db, uid) == (1, 0, 1, True)
    assert names(await claim(store)) == ["then"]


@pytest.mark.parametrize("size", [0, 1], ids=["empty", "taken"])
async def test_a_batch_without_a_job_of_its_own_ends_at_once(
    db: DatabaseConnection, store: JobStore, size: int
) -> None:
    key = UniqueKey(key="k")
    await store.enqueue([job("taker", unique=key, queue="other")])
    uid = new_uid()
    members = [job(unique=key, batch=uid) for _ in range(size)]
    await store.enqueue(members, batch=NewBatch(uid=uid, then=job("then")))
    assert await batch(db, uid) == (0, 0, 0, True)
    assert names(await claim(store)) == ["then"]


async def test_everything_of_what_comes_then_is_kept(
    db: DatabaseConnection, store: JobStore
) -> None:
    then = Envelope(
        task="then",
        payload={"a": ["ü\x00"]},
        headers={"request_id": "r"},
        max_attempts=3,
        unique=UniqueKey(key="u"),
        slots=Slots(key="s", limit=2),
        pace=Pace(key="p", limit=3, per_s=0.001),
        batch=None,
    )
    await begin(store, 1, then=then)
    await settle(store, await claim(store))
    (row,) = (row for row in await rows(db) if row.task == "then")
    assert values(row, ["payload", "headers", "max_attempts", "unique_key"]) == [
        {"a": ["ü\x00"]},
        {"request_id": "r"},
        3,
        "u",
    ]
    assert values(row, ["slots_key", "slots_limit", "pace_key", "pace_limit", "pace_per_s"]) == [
        "s",
        2,
        "p",
        3,
        0.001,
    ]


def values(row: Any, columns: Sequence[str]) -> list[Any]:
    return [getattr(row, column) for column in columns]
