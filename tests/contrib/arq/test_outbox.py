"""From a transaction to Redis: what is committed arrives once, what is rolled back never."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from fastforge.contrib.arq.server import Server
from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.contrib.jobs.statements import JOB
from fastforge.contrib.redis import Redis, open_client
from fastforge.contrib.redis.resources import breaker_of
from fastforge.tasks import BackendAway, JobQuery, JobState
from fastforge.tasks.backend import NewBatch
from fastforge.tasks.ledger import ScheduledRun
from fastforge.tasks.limits import Slots, UniqueKey
from fastforge.test.proxy import Proxy

from .doing import DEAD, SUCCEEDED, claim, job, names, record, settle
from .world import ArqWorld, all_due, opened_arq


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    """The way to Redis."""
    with Proxy(redis_url) as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: Proxy, sqlite_url: str) -> AsyncIterator[ArqWorld]:
    """A world whose Redis can be away."""
    async with opened_arq(proxy.url, sqlite_url) as world:
        yield world


def cut(proxy: Proxy) -> None:
    proxy.refuse()
    proxy.reset()


async def rows(world: ArqWorld) -> list[tuple[str, int]]:
    async with world.db.engine.begin() as connection:
        found = await connection.execute(JOB.select().order_by(JOB.c.id))
        return [(row.task, row.state) for row in found]


async def test_a_job_is_there_once_its_transaction_has_committed(each_world: ArqWorld) -> None:
    backend, db = each_world.backend, each_world.db
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit:
        with pytest.raises(KeyError):
            async with unit.session.atomic():
                await backend.enqueue([job("rolled back", unique=UniqueKey(key="k"))])
                raise KeyError
        async with unit.session.atomic():
            await backend.enqueue(
                [job("one", delay_s=0.001), job("two", unique=UniqueKey(key="k"))]
            )
            with pytest.raises(KeyError):
                async with unit.session.atomic():
                    await backend.enqueue([job("in a savepoint")])
                    raise KeyError
            assert await each_world.client.keys("arq:*") == []
    assert await rows(each_world) == []
    await all_due(each_world)
    found = await claim(backend)
    assert sorted(names(found)) == ["one", "two"]
    assert {each.envelope.payload["n"] for each in found} == {1}


async def test_a_handle_may_be_asked_inside_the_transaction(each_world: ArqWorld) -> None:
    """Also where the file has one writer, who is asking."""
    db = each_world.db
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit, unit.session.atomic():
        (made,) = await each_world.backend.enqueue([job()])
        assert (await record(each_world.backend, made.uid)).state is JobState.FORWARDING
        assert await each_world.backend.desk.stats() != ()
    assert (await record(each_world.backend, made.uid)).state is JobState.READY


async def test_jobs_are_handled_inside_a_transaction(each_world: ArqWorld) -> None:
    """What is begun again belongs to it; what is cancelled is at once."""
    backend, db = each_world.backend, each_world.db
    await backend.enqueue([job("dead")])
    await settle(backend, await claim(backend), DEAD)
    await backend.enqueue([job("waits", delay_s=1000)])
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit, unit.session.atomic():
        await backend.enqueue([job("new", delay_s=1000)])
        assert await backend.desk.retry(JobQuery(tasks=("dead",))) == 1
        assert await backend.desk.cancel(JobQuery(tasks=("waits",))) == 1
        assert await claim(backend) == []
    assert names(await claim(backend)) == ["dead"]
    await backend.renew("w1", (), lease_s=60)
    assert await rows(each_world) == [("waits", JobState.CANCELLED)]


async def test_everything_of_an_envelope_arrives_by_way_of_the_database(
    each_world: ArqWorld,
) -> None:
    sent = job(
        "a.b",
        queue="mail",
        headers={"request_id": "r"},
        priority=-4,
        max_attempts=3,
        version=7,
        slots=Slots(key="s", limit=2),
        unique=UniqueKey(key="k"),
    )
    await each_world.backend.enqueue([sent])
    (held,) = await claim(each_world.backend, queues=("mail",))
    got = held.envelope
    assert (got.uid, got.task, got.payload, got.headers) == (
        sent.uid,
        sent.task,
        sent.payload,
        sent.headers,
    )
    assert (got.priority, got.max_attempts, got.version) == (-4, 3, 7)
    assert (got.slots, got.unique) == (sent.slots, sent.unique)


async def test_with_redis_away_a_job_is_a_row_and_arrives_later_once(
    far: ArqWorld, proxy: Proxy
) -> None:
    cut(proxy)
    batch = NewBatch(uid=job().uid, then=job("then"))
    await far.backend.enqueue([job("t0")])
    await far.backend.enqueue([job("t1", batch=batch.uid)], batch=batch)
    assert await rows(far) == [("t0", JobState.FORWARDING), ("t1", JobState.FORWARDING)]
    proxy.heal()
    assert await far.backend.desk.cancel(JobQuery(tasks=("unknown",))) == 0  # forwards at once
    assert await rows(far) == []
    found = await claim(far.backend)
    assert names(found) == ["t0", "t1"]
    await settle(far.backend, found)
    assert names(await claim(far.backend)) == ["then"]


async def test_a_breaker_that_is_open_is_a_redis_that_is_away(redis_url: str) -> None:
    """So that jobs of a server become rows without waiting for it."""
    config = Redis(url=redis_url)
    breaker = breaker_of(config)
    client = open_client(config, breaker=breaker)
    breaker.trip(ConnectionError("nobody listens"))
    with pytest.raises(BackendAway, match="the breaker 'redis' is open"):
        await Server(client).command("PING")
    await client.aclose()


async def test_a_row_that_is_forgotten_is_forwarded_by_a_worker(
    far: ArqWorld, proxy: Proxy
) -> None:
    cut(proxy)
    await far.backend.enqueue([job("t0")])
    proxy.heal()
    await far.backend.renew("w1", (), lease_s=60)
    assert await claim(far.backend) == []  # whoever wrote it may still be at it
    async with far.db.engine.begin() as connection:
        old = JOB.select().with_only_columns(JOB.c.enqueued_at)
        (written,) = (await connection.execute(old)).scalars()
        await connection.execute(JOB.update().values(enqueued_at=written.replace(year=2020)))
    await far.backend.renew("w1", (), lease_s=60)
    assert names(await claim(far.backend)) == ["t0"]
    assert await rows(far) == []


async def test_a_job_whose_row_was_left_behind_does_not_run_again(world: ArqWorld) -> None:
    """The process died between the forwarding and the deletion of the row."""
    sent = [job("waits"), job("done"), job("dead")]
    await world.backend.enqueue(sent)
    found = {each.envelope.task: each for each in await claim(world.backend)}
    await settle(world.backend, [found["done"]], SUCCEEDED)
    unit = UnitOfWork(lambda _: world.db.session())
    async with use_unit(unit), unit.session.atomic() as session:
        await world.backend.enqueue(sent)
        session.waiting.clear()
    assert len(await rows(world)) == 3
    await settle(world.backend, [found["dead"]], DEAD)
    await world.backend.desk.cancel(JobQuery(tasks=("unknown",)))  # forwards at once
    assert await rows(world) == [("dead", JobState.DEAD)]
    assert await claim(world.backend) == []


async def test_with_both_away_the_caller_is_told(far: ArqWorld, proxy: Proxy) -> None:
    cut(proxy)
    async with far.db.engine.begin() as connection:
        await connection.run_sync(JOB.drop)
    with pytest.raises(Exception, match="jobs_job") as caught:
        await far.backend.enqueue([job("t0")])
    assert type(caught.value).__name__ == "BackendUnready"
    async with far.db.engine.begin() as connection:
        await connection.run_sync(JOB.create)


async def test_what_a_worker_asks_of_a_redis_that_is_away_is_told_as_that(
    far: ArqWorld, proxy: Proxy
) -> None:
    await far.backend.enqueue([job("t0")])
    found = await claim(far.backend)
    cut(proxy)
    for call in (
        claim(far.backend),
        settle(far.backend, found),
        far.backend.renew("w1", found, lease_s=60),
        far.backend.give_back_strays("w1", ()),
        far.backend.attend("w1", {}),
        far.backend.leave("w1"),
        far.backend.watch(lambda: None),
        far.backend.desk.stats(),
        far.backend.desk.find(JobQuery()),
    ):
        with pytest.raises(BackendAway, match=r"arq.E001.*[^.]; the same call may succeed later"):
            await call


async def test_a_dead_job_waits_in_redis_for_a_database_that_is_away(world: ArqWorld) -> None:
    made = await world.backend.enqueue([job("t0")])
    found = await claim(world.backend)
    async with world.db.engine.begin() as connection:
        await settle(world.backend, found, DEAD)  # the transaction here locks the file
        assert await rows_in(connection) == 0
    await world.backend.renew("w1", (), lease_s=60)
    assert (await record(world.backend, made[0].uid)).state is JobState.DEAD
    assert await rows(world) == [("t0", JobState.DEAD)]


async def rows_in(connection: object) -> int:
    found = await connection.execute(JOB.select())  # type: ignore[attr-defined]
    return len(found.all())


async def test_a_due_time_is_entered_once_with_its_job(each_world: ArqWorld) -> None:
    from datetime import UTC, datetime

    ledger = each_world.backend.ledger
    due = datetime(2026, 1, 2, tzinfo=UTC)
    first = job("t0")
    run = ScheduledRun(schedule="nightly", due_at=due, uid=first.uid)
    assert await ledger.latest(["nightly"]) == {}
    assert await ledger.enter(run, first)
    assert not await ledger.enter(run, job("again"))
    assert await ledger.latest(["nightly", "other"]) == {"nightly": run}
    assert names(await claim(each_world.backend)) == ["t0"]
    taken = job("t1", unique=UniqueKey(key="k"))
    await each_world.backend.enqueue([taken])
    later = ScheduledRun(schedule="nightly", due_at=due.replace(day=3), uid=job().uid)
    assert await ledger.enter(later, job("t2", unique=UniqueKey(key="k")))
    assert (await ledger.latest(["nightly"]))["nightly"].uid is None
