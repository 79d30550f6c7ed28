"""Unique jobs: while a key is taken, no second job that has it is enqueued."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from fastforge.tasks import Enqueued, JobQuery, JobState, Outcome, Verdict
from fastforge.tasks.limits import UniqueKey

from .world import CANCELLED, DEAD, INTERRUPTED, LEASE_S, SUCCEEDED, World, envelope, failure

KEY = UniqueKey(key="k")
FOR_AN_HOUR = UniqueKey(key="k", for_s=3600)


async def is_taken(world: World, key: UniqueKey = KEY) -> bool:
    """Try to enqueue another one."""
    (enqueued,) = await world.send(envelope("another", unique=key))
    return not enqueued.is_new


async def test_the_second_is_not_written_and_told_of_the_first(world: World) -> None:
    first, second = envelope("t", unique=KEY), envelope("t", unique=KEY)
    assert await world.send(first) == [Enqueued(uid=first.uid)]
    assert await world.send(second) == [Enqueued(uid=first.uid, is_new=False)]
    assert [job.uid for job in await world.jobs()] == [first.uid]
    assert (await world.job(first.uid)).unique_key == "k"


async def test_so_it_is_within_one_call(world: World) -> None:
    first, second, other = (envelope("t", unique=UniqueKey(key=key)) for key in "kko")
    assert await world.send(first, second, other) == [
        Enqueued(uid=first.uid),
        Enqueued(uid=first.uid, is_new=False),
        Enqueued(uid=other.uid),
    ]
    assert len(await world.jobs()) == 2


async def test_keys_are_apart_and_jobs_without_one_are_free(world: World) -> None:
    await world.enqueue("a", unique=KEY)
    await world.enqueue("b", unique=UniqueKey(key="l"))
    await world.enqueue("c", "c")
    assert len(await world.jobs()) == 4


@pytest.mark.parametrize("outcome", [SUCCEEDED, DEAD, CANCELLED], ids=["done", "dead", "cancelled"])
async def test_the_key_is_free_when_the_job_has_ended(world: World, outcome: Outcome) -> None:
    await world.enqueue("a", unique=KEY)
    claims = await world.claim()
    assert await is_taken(world)
    await world.settle(outcome, *claims)
    assert not await is_taken(world)


@pytest.mark.parametrize(
    "outcome",
    [failure(delay_s=100), INTERRUPTED, Outcome(verdict=Verdict.PUT_BACK, delay_s=100)],
    ids=["retry", "interrupted", "put back"],
)
async def test_the_key_stays_taken_until_the_job_has_ended(world: World, outcome: Outcome) -> None:
    await world.enqueue("a", unique=KEY)
    await world.settle(outcome, *await world.claim())
    assert await is_taken(world)


async def test_the_key_is_free_when_the_job_dies_with_its_worker(world: World) -> None:
    await world.enqueue("a", unique=KEY, max_attempts=1)
    await world.claim()
    world.advance(seconds=LEASE_S + 1)
    await world.sweep()
    assert not await is_taken(world)


async def test_a_period_goes_on_after_the_end_of_the_job(world: World) -> None:
    await world.enqueue("a", unique=FOR_AN_HOUR)
    await world.settle(SUCCEEDED, *await world.claim())
    world.advance(minutes=59)
    assert await is_taken(world, FOR_AN_HOUR)
    world.advance(minutes=2)
    assert not await is_taken(world, FOR_AN_HOUR)


async def test_a_period_ends_also_while_the_job_waits(world: World) -> None:
    (uid,) = await world.enqueue("a", unique=FOR_AN_HOUR)
    world.advance(minutes=61)
    (second,) = await world.send(envelope("b", unique=FOR_AN_HOUR))
    assert second.is_new
    await world.settle(SUCCEEDED, *await world.claim(limit=1))
    assert (await world.job(uid)).state == JobState.DONE
    assert await is_taken(world, FOR_AN_HOUR), "the key is the second one's by now"


@pytest.mark.parametrize("key", [KEY, FOR_AN_HOUR], ids=["until its end", "for a period"])
async def test_a_job_that_is_discarded_frees_its_key(world: World, key: UniqueKey) -> None:
    (uid,) = await world.enqueue("a", unique=key)
    assert await world.desk.discard(JobQuery(uids=(uid,))) == 1
    assert not await is_taken(world, key)


async def test_a_job_that_is_cancelled_frees_its_key_unless_it_has_a_period(world: World) -> None:
    await world.enqueue("a", unique=KEY)
    await world.enqueue("b", unique=UniqueKey(key="l", for_s=3600))
    assert await world.desk.cancel(JobQuery()) == 2
    assert not await is_taken(world)
    assert await is_taken(world, UniqueKey(key="l", for_s=3600))


async def test_of_two_transactions_at_once_one_enqueues(world: World) -> None:
    enqueued = asyncio.Event()

    async def first() -> None:
        async with world.atomic():
            await world.send(envelope("first", unique=KEY))
            enqueued.set()
            await asyncio.sleep(0.1)  # the other one comes to the same key meanwhile

    async def second() -> Sequence[Enqueued]:
        await enqueued.wait()
        async with world.atomic():
            return await world.send(envelope("second", unique=KEY))

    async def third() -> Sequence[Enqueued]:
        await enqueued.wait()
        return await world.send(envelope("third", unique=KEY))

    _, *told = await asyncio.gather(first(), second(), third())
    (job,) = await world.jobs()
    assert job.task == "first"
    assert [one for (one,) in told] == [Enqueued(uid=job.uid, is_new=False)] * 2


async def test_the_second_transaction_enqueues_when_the_first_rolls_back(world: World) -> None:
    enqueued = asyncio.Event()

    async def first() -> None:
        with pytest.raises(KeyError):
            async with world.atomic():
                await world.send(envelope("first", unique=KEY))
                enqueued.set()
                await asyncio.sleep(0.1)
                raise KeyError

    async def second() -> Enqueued:
        await enqueued.wait()
        async with world.atomic():
            (one,) = await world.send(envelope("second", unique=KEY))
            return one

    _, told = await asyncio.gather(first(), second())
    assert told.is_new
    assert [job.task for job in await world.jobs()] == ["second"]
