"""Whoever is late: a burial, a forwarding, or a cancellation that others have overtaken."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fastforge.contrib.arq.flow import Flow
from fastforge.contrib.arq.server import Server
from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.contrib.jobs.outbox import Outbox
from fastforge.contrib.jobs.statements import JOB
from fastforge.contrib.jobs.statements.tables import BATCH
from fastforge.tasks import JobQuery, JobState
from fastforge.tasks.backend import NewBatch
from fastforge.tasks.limits import UniqueKey
from tests.processes import wait_until_async

from .doing import DEAD, SUCCEEDED, claim, job, names, record, settle
from .world import ArqWorld, opened_arq

Step = Callable[[], Awaitable[object]]


async def rows(world: ArqWorld) -> list[tuple[str, JobState]]:
    async with world.db.engine.begin() as own:
        found = await own.execute(JOB.select().order_by(JOB.c.id))
        return [(row.task, JobState(row.state)) for row in found]


def once(patch: pytest.MonkeyPatch, script: str, meanwhile: Step, *, when: str) -> list[str]:
    """Let something happen before or after the next call of a script, and note that it did."""
    run, happened = Server.run, []

    async def stalled(self: Server, name: Any, *args: Any) -> Any:
        if name != script or happened:
            return await run(self, name, *args)
        happened.append(name)
        answer = await run(self, name, *args) if when == "after" else None
        await meanwhile()
        return answer if when == "after" else await run(self, name, *args)

    patch.setattr(Server, "run", stalled)
    return happened


def retry_here(world: ArqWorld, *, forwarded: bool = True) -> Step:
    """What `manage jobs retry` does where the rows are there already."""

    async def retry() -> None:
        remembered, forwarding = world.backend._remembered, world.backend._forwarding
        assert await remembered.begin_again(JobQuery(states=(JobState.DEAD,))) == 1
        if forwarded:
            await forwarding.forward(older_than_s=0)

    return retry


async def runs_once_more(world: ArqWorld, unique: UniqueKey) -> None:
    """The job waits, is alone, has its key, and is done when it has run."""
    found = await claim(world.backend)
    assert names(found) == ["a"]
    (other,) = await world.backend.enqueue([job("other", unique=unique)])
    assert not other.is_new
    await world.backend.renew("w2", (), lease_s=60)
    assert await rows(world) == []
    await settle(world.backend, found, SUCCEEDED)
    assert (await record(world.backend, found[0].envelope.uid)).state is JobState.DONE
    assert await claim(world.backend) == []
    assert await rows(world) == []


async def test_a_job_that_is_retried_before_redis_was_told_to_forget_it_begins_again(
    each_world: ArqWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row was written, and somebody was faster than the worker that wrote it."""
    unique = UniqueKey(key="k")
    await each_world.backend.enqueue([job(unique=unique)])
    found = await claim(each_world.backend)
    happened = once(monkeypatch, "forget", retry_here(each_world), when="before")
    await settle(each_world.backend, found, DEAD)
    assert happened
    await runs_once_more(each_world, unique)


@pytest.mark.parametrize("forwarded", [True, False], ids=["forwarded", "about to be"])
async def test_a_burial_that_comes_late_does_not_make_a_retried_job_dead_again(
    each_world: ArqWorld, monkeypatch: pytest.MonkeyPatch, forwarded: bool
) -> None:
    """A worker has read how jobs ended; before it writes that, others have, and more happened."""
    unique = UniqueKey(key="k")
    await each_world.backend.enqueue([job(unique=unique)])
    found = await claim(each_world.backend)

    async def meanwhile() -> None:
        await each_world.backend._remembered.bury()
        await each_world.backend._remembered.free_keys()
        await retry_here(each_world, forwarded=forwarded)()

    happened = once(monkeypatch, "peek", meanwhile, when="after")
    await settle(each_world.backend, found, DEAD)
    assert happened
    await each_world.backend._forwarding.forward(older_than_s=0)
    await runs_once_more(each_world, unique)


@pytest.mark.parametrize("forwarded", [True, False], ids=["forwarded", "about to be"])
async def test_a_key_that_a_retried_job_has_again_is_not_freed_late(
    each_world: ArqWorld, monkeypatch: pytest.MonkeyPatch, forwarded: bool
) -> None:
    """A worker has read which keys are to be freed, and before it does one is wanted again."""
    unique = UniqueKey(key="k")
    await each_world.backend.enqueue([job(unique=unique)])
    found = await claim(each_world.backend)
    some_of, happened = Flow.some_of, []

    async def stalled(self: Flow, name: str, limit: int) -> list[str]:
        keys = await some_of(self, name, limit)
        if keys and not happened:
            happened.extend(keys)
            await retry_here(each_world, forwarded=forwarded)()
        return keys

    monkeypatch.setattr(Flow, "some_of", stalled)
    await settle(each_world.backend, found, DEAD)
    assert happened
    await each_world.backend._forwarding.forward(older_than_s=0)
    await runs_once_more(each_world, unique)


async def test_a_job_that_dies_again_is_dead_again_though_its_row_was_left_behind(
    each_world: ArqWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row that told it to begin again was brought to Redis, and not deleted."""
    backend = each_world.backend
    (made,) = await backend.enqueue([job()])
    await settle(backend, await claim(backend), DEAD)
    await backend._remembered.begin_again(JobQuery())

    async def nothing(*_: object, **__: object) -> None: ...

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "drop", nothing)
        patch.setattr(Outbox, "waiting", once_alone(Outbox.waiting))
        await backend._forwarding.forward(older_than_s=0)
    assert await rows(each_world) == [("a", JobState.FORWARDING)]
    await settle(backend, await claim(backend), DEAD)
    assert await rows(each_world) == [("a", JobState.DEAD)]
    await backend._forwarding.forward(older_than_s=0)
    assert (await record(backend, made.uid)).state is JobState.DEAD
    assert await claim(backend) == []


def once_alone(waiting: Any) -> Any:
    """The first answer, and then none."""
    asked: list[None] = []

    async def answer(*args: Any, **options: Any) -> Any:
        asked.append(None)
        return await waiting(*args, **options) if len(asked) == 1 else []

    return answer


# --- cancelled on the way -------------------------------------------------------------------------


async def test_a_job_is_cancelled_in_the_transaction_that_enqueues_it(each_world: ArqWorld) -> None:
    backend, db = each_world.backend, each_world.db
    batch = NewBatch(uid=str(uuid.uuid4()), then=job("then"))
    mine = [
        job("cancelled", unique=UniqueKey(key="k"), batch=batch.uid),
        job("runs", batch=batch.uid),
    ]
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit, unit.session.atomic():
        await backend.enqueue(mine, batch=batch)
        assert await backend.desk.cancel(JobQuery(tasks=("cancelled",))) == 1
    found = await claim(backend)
    assert names(found) == ["runs"]
    await backend.renew("w1", found, lease_s=60)
    assert await rows(each_world) == [("cancelled", JobState.CANCELLED)]
    told = await backend.desk.batch(batch.uid)
    assert told is not None
    assert (told.total, told.pending, told.failed) == (2, 1, 1)
    (again,) = await backend.enqueue([job("again", unique=UniqueKey(key="k"))])
    assert again.is_new
    await settle(backend, found)
    assert sorted(names(await claim(backend))) == ["again", "then"]


async def test_a_cancellation_that_is_rolled_back_has_not_been(each_world: ArqWorld) -> None:
    backend, db = each_world.backend, each_world.db
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit, unit.session.atomic():
        await backend.enqueue([job("runs")])
        with pytest.raises(KeyError):
            async with unit.session.atomic():
                assert await backend.desk.cancel(JobQuery(tasks=("runs",), limit=1)) == 1
                raise KeyError
    assert names(await claim(backend)) == ["runs"]
    assert await rows(each_world) == []


async def test_a_job_that_is_cancelled_while_it_goes_to_redis_is_cancelled_there(
    each_world: ArqWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who brings it there has read it before, and deletes no word that came since."""
    backend, db = each_world.backend, each_world.db

    async def meanwhile() -> None:
        async with use_unit(UnitOfWork(lambda _: db.session())) as unit, unit.session.atomic():
            assert await backend.desk.cancel(JobQuery(tasks=("a",))) == 1

    happened = once(monkeypatch, "enqueue", meanwhile, when="before")
    await backend.enqueue([job(unique=UniqueKey(key="k"))])
    assert happened
    await backend._forwarding.forward(older_than_s=0)
    await backend.renew("w1", (), lease_s=60)
    assert await claim(backend) == []
    assert await rows(each_world) == [("a", JobState.CANCELLED)]


# --- batches --------------------------------------------------------------------------------------


@pytest.fixture
def few_at_a_call(monkeypatch: pytest.MonkeyPatch) -> int:
    """A call of a script is given three jobs."""
    monkeypatch.setattr("fastforge.contrib.arq.calls.CHUNK", 3)
    return 3


class Killed(BaseException):
    """What ends the caller wherever it is."""


def kill_at(patch: pytest.MonkeyPatch, script: str, number: int) -> None:
    """Let the caller die before a call of a script."""
    run, calls = Server.run, []

    async def deadly(self: Server, name: Any, *args: Any) -> Any:
        calls.extend([name] if name == script else [])
        if name == script and len(calls) == number:
            raise Killed
        return await run(self, name, *args)

    patch.setattr(Server, "run", deadly)


@pytest.mark.usefixtures("few_at_a_call")
async def test_a_batch_whose_caller_is_killed_between_two_calls_is_made_whole_by_a_worker(
    each_world: ArqWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = each_world.backend
    batch = NewBatch(uid=str(uuid.uuid4()), then=job("then"))
    with monkeypatch.context() as patch:
        kill_at(patch, "enqueue", 2)
        with pytest.raises(Killed):
            await backend.enqueue([job(f"t{n}", batch=batch.uid) for n in range(7)], batch=batch)
    await backend._forwarding.forward(older_than_s=0)
    found = await claim(backend)
    assert names(found) == [f"t{n}" for n in range(7)]
    await settle(backend, found)
    assert names(await claim(backend)) == ["then"]
    async with each_world.db.engine.begin() as own:
        assert (await own.execute(BATCH.select())).all() == []


async def test_a_batch_that_was_never_given_a_job_is_forgotten_in_time(
    world: ArqWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = NewBatch(uid=str(uuid.uuid4()), then=job("then"))
    key = f"arq:fastforge:batch:{batch.uid}"
    with monkeypatch.context() as patch:
        kill_at(patch, "enqueue", 1)
        with pytest.raises(Killed):
            await world.backend.enqueue([job(batch=batch.uid)], batch=batch)
    assert await world.client.ttl(key) > 0
    await world.backend.enqueue([job(batch=batch.uid)], batch=batch)
    assert await world.client.ttl(key) == -1  # its `then` may have to wait for long
    await settle(world.backend, await claim(world.backend))
    assert await world.client.ttl(key) > 0


async def test_the_row_of_a_batch_goes_when_two_transactions_delete_a_half_of_its_jobs_each(
    redis_url: str, each_postgres_url: str
) -> None:
    async with opened_arq(redis_url, each_postgres_url) as world:
        batch = NewBatch(uid=str(uuid.uuid4()), then=job("then"))
        one, two = job(batch=batch.uid), job(batch=batch.uid)
        outbox = Outbox(world.db.engine, world.backend.clock)
        async with outbox.transaction() as own:
            await outbox.write(own, [one, two], batch)

        async def drop_other() -> None:
            async with outbox.transaction() as other:
                await outbox.drop(other, [two.uid])

        async def waits_for_a_lock() -> bool:
            return task.done() or await locks_waited_for(world) == 1

        async with outbox.transaction() as own:
            await outbox.drop(own, [one.uid])
            task = asyncio.create_task(drop_other())
            await wait_until_async(waits_for_a_lock)
        await task
        async with world.db.engine.begin() as own:
            assert (await own.execute(BATCH.select())).all() == []


async def locks_waited_for(world: ArqWorld) -> int:
    async with world.db.engine.begin() as own:
        found = await own.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return int(found.scalar_one())
