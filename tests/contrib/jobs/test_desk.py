"""The desk of the table, in a request's own transaction and over many jobs."""

from __future__ import annotations

import pytest

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.contrib.jobs import JobStore
from fastforge.tasks import JobQuery
from fastforge.tasks.limits import UniqueKey
from fastforge.tasks.outcome import JobState

from .conftest import rows
from .doing import DEAD, claim, job, settle


async def test_what_is_done_inside_atomic_is_part_of_it(
    db: DatabaseConnection, store: JobStore
) -> None:
    """On SQLite a transaction of its own would wait for the one around it."""
    await store.enqueue([job()])
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit:
        with pytest.raises(KeyError):
            async with unit.session.atomic():
                assert await store.desk.cancel(JobQuery()) == 1
                assert await store.desk.count(JobQuery(states=(JobState.CANCELLED,))) == 1
                raise KeyError
    assert [row.state for row in await rows(db)] == [JobState.READY]


async def test_a_retried_job_takes_its_unique_key_again_where_it_is_free(
    db: DatabaseConnection, store: JobStore
) -> None:
    key = UniqueKey(key="k")
    for _ in range(2):
        await store.enqueue([job(unique=key)])
        await settle(store, await claim(store), DEAD)
    assert await store.desk.retry(JobQuery()) == 2
    (again,) = await store.enqueue([job(unique=key)])
    assert not again.is_new


async def test_more_jobs_than_one_transaction_changes_are_all_changed(
    db: DatabaseConnection, store: JobStore
) -> None:
    await store.enqueue([job() for _ in range(2300)])
    assert await store.desk.cancel(JobQuery(limit=2100)) == 2100
    assert await store.desk.retry(JobQuery()) == 2100
    assert await store.desk.discard(JobQuery()) == 2300
    assert await rows(db) == []


@pytest.mark.parametrize("uid", ["", "no-uuid", "0a1b"])
async def test_what_cannot_be_an_id_is_nobodys(store: JobStore, uid: str) -> None:
    await store.enqueue([job()])
    assert await store.desk.find(JobQuery(uids=(uid,))) == []
    assert await store.desk.batch(uid) is None
    assert await store.desk.cancel(JobQuery(uids=(uid,))) == 0
    assert await store.desk.count(JobQuery(uid_prefix="xyz")) == 0
