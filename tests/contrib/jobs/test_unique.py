"""Unique jobs in the table: one of them at a time, whoever enqueues."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from datetime import timedelta
from typing import Any

import pytest

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.contrib.jobs import JobStore
from fastforge.tasks import Envelope
from fastforge.tasks.limits import UniqueKey

from .conftest import rows
from .doing import CANCELLED, DEAD, SUCCEEDED, claim, job, settle


def unique(key: str = "k", for_s: float | None = None, **options: Any) -> Envelope:
    return job(unique=UniqueKey(key=key, for_s=for_s), **options)


async def test_a_second_one_is_given_the_first(db: DatabaseConnection, store: JobStore) -> None:
    (first,) = await store.enqueue([unique()])
    (second,) = await store.enqueue([unique()])
    assert (first.is_new, second.is_new) == (True, False)
    assert second.uid == first.uid
    assert [str(row.uid) for row in await rows(db)] == [first.uid]


async def test_within_one_call_the_first_wins(db: DatabaseConnection, store: JobStore) -> None:
    (old,) = await store.enqueue([unique("old")])
    asked = [unique("b"), job(), unique("a"), unique("b"), unique("old")]
    made = await store.enqueue(asked)
    assert [each.is_new for each in made] == [True, True, True, False, False]
    assert (made[3].uid, made[4].uid) == (asked[0].uid, old.uid)
    assert len(await rows(db)) == 4


@pytest.mark.parametrize("outcome", [SUCCEEDED, DEAD, CANCELLED], ids=lambda each: each.verdict)
async def test_the_key_is_free_when_the_job_has_ended(store: JobStore, outcome: Any) -> None:
    await store.enqueue([unique()])
    claims = await claim(store)
    assert not (await store.enqueue([unique()]))[0].is_new
    await settle(store, claims, outcome)
    assert (await store.enqueue([unique()]))[0].is_new


async def test_a_period_outlasts_the_job_and_ends(store: JobStore) -> None:
    (first,) = await store.enqueue([unique(for_s=3600)])
    await settle(store, await claim(store))
    assert (await store.enqueue([unique(for_s=3600)]))[0].uid == first.uid
    store.clock.advance(timedelta(seconds=3601))
    (taken,) = await store.enqueue([unique(for_s=3600)])
    assert taken.is_new
    assert (await store.enqueue([unique()]))[0].uid == taken.uid


@pytest.mark.parametrize("commits", [True, False], ids=["commits", "rolls back"])
async def test_who_comes_second_waits_for_the_transaction_of_the_first(
    db: DatabaseConnection, commits: bool
) -> None:
    store = JobStore(db.engine)
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit:
        with suppress(KeyError):
            async with unit.session.atomic():
                (first,) = await store.enqueue([unique()])
                another = asyncio.create_task(store.enqueue([unique()]), context=Context())
                await asyncio.sleep(0.1)
                assert not another.done()
                if not commits:
                    raise KeyError
    (second,) = await another
    assert (second.uid == first.uid, second.is_new) == (commits, not commits)
    assert [str(row.uid) for row in await rows(db)] == [second.uid]


async def test_of_many_at_once_exactly_one_is_kept(db: DatabaseConnection) -> None:
    store = JobStore(db.engine)
    made = await asyncio.gather(*(store.enqueue([unique("x"), unique("y")]) for _ in range(8)))
    assert sum(each.is_new for several in made for each in several) == 2
    assert len({each.uid for several in made for each in several}) == 2
    assert len(await rows(db)) == 2


async def test_of_many_that_take_over_exactly_one_does(db: DatabaseConnection) -> None:
    store = JobStore(db.engine)
    (old,) = await store.enqueue([unique(for_s=1)])
    store.clock.advance(timedelta(seconds=2))
    made = await asyncio.gather(*(store.enqueue([unique(for_s=100)]) for _ in range(8)))
    assert sum(each.is_new for (each,) in made) == 1
    assert len({each.uid for (each,) in made} - {old.uid}) == 1
