"""Vanished workers: of the attempts that end with them, whoever finds that out tells, once."""

from __future__ import annotations

import asyncio

from fastforge.tasks import JobQuery, JobState, Settlement, Verdict

from .test_leases import expire
from .world import LEASE_S, SUCCEEDED, World


async def vanished(world: World, worker_id: str = "sweeper") -> tuple[Settlement, ...]:
    """Sweep, and return what is to be told."""
    return (await world.backend.renew(worker_id, (), lease_s=LEASE_S)).vanished


async def test_the_last_attempt_of_a_vanished_worker_is_told_once(world: World) -> None:
    (uid,) = await world.enqueue("poison", max_attempts=1)
    (claim,) = await world.claim("w1")
    assert await vanished(world) == ()
    world.advance(seconds=LEASE_S + 1)
    (told,) = await vanished(world)
    assert (told.claim.envelope.uid, told.claim.envelope.task) == (uid, "poison")
    assert (told.claim.attempt, told.worker_id) == (claim.attempt, "w1")
    assert told.outcome.verdict is Verdict.DEAD
    assert told.outcome.error is not None
    assert told.outcome.error.type == "WorkerVanished"
    assert await vanished(world) == ()


async def test_an_attempt_before_the_last_is_told_as_one_that_is_tried_again(world: World) -> None:
    await world.enqueue("a", max_attempts=2)
    for verdict in (Verdict.RETRY, Verdict.DEAD):
        await world.claim("w1")
        world.advance(seconds=LEASE_S + 1)
        assert [told.outcome.verdict for told in await vanished(world)] == [verdict]


async def test_of_a_job_that_was_to_be_cancelled_that_is_told(world: World) -> None:
    (uid,) = await world.enqueue("a")
    await world.claim("w1")
    await world.desk.cancel(JobQuery(uids=(uid,)))
    world.advance(seconds=LEASE_S + 1)
    assert [told.outcome.verdict for told in await vanished(world)] == [Verdict.CANCELLED]
    assert (await world.job(uid)).state == JobState.CANCELLED


async def test_many_workers_that_look_at_once_tell_of_each_once(world: World) -> None:
    uids = await world.enqueue(*("a" for _ in range(30)), max_attempts=1)
    await world.claim("w1")
    world.advance(seconds=LEASE_S + 1)
    found = await asyncio.gather(*(vanished(world, f"w{number}") for number in range(2, 6)))
    told = [each.claim.envelope.uid for some in found for each in some]
    assert sorted(told) == sorted(uids)


async def test_what_ended_as_it_should_is_not_told(world: World) -> None:
    await world.enqueue("a")
    await world.settle(SUCCEEDED, *await world.claim())
    await world.enqueue("b")
    await world.claim()
    await expire(world)
    assert await vanished(world) == ()
