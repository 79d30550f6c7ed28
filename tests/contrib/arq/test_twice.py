"""What is brought to Redis more than once, because somebody died in between, is kept once."""

from __future__ import annotations

import uuid

import pytest

from fastforge.contrib.jobs.statements.tables import JOB, UNIQUE_KEY
from fastforge.tasks import Envelope, JobQuery, JobState, Outcome
from fastforge.tasks.backend import NewBatch
from fastforge.tasks.limits import Slots, UniqueKey

from .doing import DEAD, SUCCEEDED, claim, job, names, settle
from .world import ArqWorld

THENS = "arq:fastforge:thens"


async def follow(world: ArqWorld, then: Envelope, outcome: Outcome | None) -> None:
    """Let a batch be over and its `then` run, and be enqueued again by somebody who was late."""
    batch = NewBatch(uid=str(uuid.uuid4()), then=then)
    await world.backend.enqueue([job(batch=batch.uid)], batch=batch)
    (written,) = await world.client.hmget(f"arq:fastforge:batch:{batch.uid}", "then")  # type: ignore[misc]
    await settle(world.backend, await claim(world.backend))
    if outcome is not None:
        await settle(world.backend, await claim(world.backend), outcome)
        await world.backend.renew("w1", (), lease_s=60)
    await world.client.rpush(THENS, written)  # type: ignore[misc]
    await world.backend.renew("w1", (), lease_s=60)
    assert await world.client.llen(THENS) == 0  # type: ignore[misc]


@pytest.mark.parametrize("outcome", [SUCCEEDED, DEAD])
@pytest.mark.parametrize("unique", [None, UniqueKey(key="u")])
async def test_a_batch_that_is_followed_twice_has_one_then(
    each_world: ArqWorld, outcome: Outcome, unique: UniqueKey | None
) -> None:
    await follow(each_world, job("then", unique=unique), outcome)
    assert await claim(each_world.backend) == []
    await each_world.backend.renew("w1", (), lease_s=60)
    async with each_world.db.engine.begin() as own:
        assert (await own.execute(UNIQUE_KEY.select())).all() == []
        rows = [JobState(row.state) for row in await own.execute(JOB.select())]
    assert rows == ([JobState.DEAD] if outcome is DEAD else [])


async def test_a_then_that_waits_is_not_enqueued_twice(each_world: ArqWorld) -> None:
    await follow(each_world, job("then", unique=UniqueKey(key="u")), None)
    assert names(await claim(each_world.backend)) == ["then"]


async def test_a_dead_or_discarded_job_that_comes_again_stays_what_it_is(world: ArqWorld) -> None:
    dead, discarded = job("dead"), job("discarded")
    await world.backend.enqueue([dead])
    await settle(world.backend, await claim(world.backend), DEAD)
    await world.backend.enqueue([discarded])
    assert await world.backend.desk.discard(JobQuery(uids=(discarded.uid,))) == 1
    await world.backend.enqueue([dead, discarded])
    assert await claim(world.backend) == []
    assert await world.backend.desk.retry(JobQuery(uids=(dead.uid,))) == 1
    assert names(await claim(world.backend)) == ["dead"]


async def test_a_held_job_of_which_redis_has_lost_everything_does_not_keep_the_others(
    world: ArqWorld,
) -> None:
    slots = Slots(key="k", limit=1)
    first, lost, last = (job(name, slots=slots) for name in ("first", "lost", "last"))
    await world.backend.enqueue([first, lost, last])
    found = await claim(world.backend)
    await world.client.delete(f"arq:fastforge:job:{lost.uid}", f"arq:job:{lost.uid}")
    await settle(world.backend, found)
    assert names(await claim(world.backend)) == ["last"]


async def test_what_somebody_wants_cancelled_is_cancelled_when_it_is_given_back(
    world: ArqWorld,
) -> None:
    await world.backend.enqueue([job()])
    await claim(world.backend)
    assert await world.backend.desk.cancel(JobQuery()) == 1
    await world.backend.give_back_strays("w1", ())
    assert await claim(world.backend) == []
    (found,) = await world.backend.desk.find(JobQuery())
    assert found.state is JobState.CANCELLED
