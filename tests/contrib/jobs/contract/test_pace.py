"""Pace: jobs with one key begin evenly, in all workers together."""

from __future__ import annotations

from datetime import timedelta

from fastforge.tasks import JobState
from fastforge.tasks.limits import Pace

from .world import SUCCEEDED, World, envelope, failure

EVERY_20_S = Pace(key="k", limit=3, per_s=60)


async def test_one_begins_and_the_others_have_their_turns(world: World) -> None:
    await world.enqueue("a", "b", "c", pace=EVERY_20_S)
    claimed = await world.ask()
    names = [claim.envelope.task for claim in claimed.claims] + await world.names()
    assert names == ["a"]
    _, second, third = await world.jobs()
    assert second.state is third.state is JobState.READY
    assert third.run_at - second.run_at == timedelta(seconds=20)
    assert timedelta(seconds=10) < second.run_at - world.now() <= timedelta(seconds=20)
    assert 10 < ((await world.ask()).next_due_s or 0) <= 20


async def test_each_begins_in_its_turn(world: World) -> None:
    names = [f"t{number}" for number in range(8)]
    await world.enqueue(*names, pace=EVERY_20_S)
    begun = [await world.names()]
    for _ in names[1:]:
        world.advance(seconds=20)
        begun.append(await world.names())
    assert begun == [[name] for name in names]


async def test_workers_share_the_pace(world: World) -> None:
    await world.enqueue(*"abcd", pace=EVERY_20_S)
    assert len(await world.claim("w1", limit=1) + await world.claim("w2", limit=1)) == 1
    world.advance(seconds=20)
    assert len(await world.claim("w2", limit=2) + await world.claim("w1", limit=2)) == 1


async def test_time_that_has_passed_is_not_made_up_for(world: World) -> None:
    await world.enqueue("a", pace=EVERY_20_S)
    assert await world.names() == ["a"]
    world.advance(hours=1)
    await world.enqueue("b", "c", "d", pace=EVERY_20_S)
    assert await world.names() == ["b"]


async def test_keys_and_jobs_without_one_do_not_wait(world: World) -> None:
    await world.enqueue("a", "held back", pace=EVERY_20_S)
    await world.enqueue("b", pace=Pace(key="l", limit=1, per_s=60))
    await world.enqueue("c")
    assert sorted(await world.names()) == ["a", "b", "c"]


async def test_a_retry_takes_a_new_turn(world: World) -> None:
    await world.enqueue("a", "b", pace=EVERY_20_S)
    await world.settle(failure(), *await world.claim())
    assert await world.claim() == [], "the turn that is next is that of b"
    world.advance(seconds=20)
    assert await world.names() == ["b"]
    world.advance(seconds=20)
    assert await world.names() == ["a"]


async def test_turns_are_given_no_more_than_a_minute_ahead(world: World) -> None:
    """So a million jobs of one pace do not have turns of next year when it is changed."""
    await world.send(*(envelope(f"t{number}", pace=EVERY_20_S) for number in range(30)))
    await world.claim()
    latest = max(job.run_at for job in await world.jobs())
    assert latest <= world.now() + timedelta(seconds=61)
    begun = 1
    for _ in range(6):
        world.advance(seconds=20)
        begun += len(await world.claim())
    assert begun == 7


async def test_a_paced_job_that_is_due_later_waits_for_its_own_time(world: World) -> None:
    await world.enqueue("later", delay_s=600, pace=EVERY_20_S)
    await world.enqueue("now", pace=EVERY_20_S)
    claims = await world.claim()
    assert [claim.envelope.task for claim in claims] == ["now"]
    await world.settle(SUCCEEDED, *claims)
    world.advance(seconds=601)
    assert await world.names() == ["later"]
