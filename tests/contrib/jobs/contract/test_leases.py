"""Leases: whose job it is, and what becomes of it when its worker is gone."""

from __future__ import annotations

import asyncio

from fastforge.tasks import JobState, Verdict
from tests.processes import wait_until_async

from .world import LEASE_S, SUCCEEDED, World, failure


async def expire(world: World, *, freed: int = 1) -> None:
    """Let leases run out, and another worker free what had them."""
    world.advance(seconds=LEASE_S + 1)
    assert await world.sweep() == freed


async def test_a_lease_that_runs_out_frees_the_job_at_once_and_counts(world: World) -> None:
    await world.enqueue("a", "b")
    await world.claim()
    assert await world.sweep() == 0
    await expire(world, freed=2)
    claims = await world.claim("w2")
    assert {(claim.attempt, claim.errors[0].type) for claim in claims} == {(2, "WorkerVanished")}
    assert "w1" in claims[0].errors[0].message
    assert await world.sweep() == 0


async def test_a_job_that_kills_its_workers_ends_dead(world: World) -> None:
    await world.enqueue("poison", max_attempts=2)
    for _ in range(2):
        assert len(await world.claim()) == 1
        await expire(world)
    (job,) = await world.jobs()
    assert (job.state, job.attempt, len(job.errors)) == (JobState.DEAD, 2, 2)


async def test_the_result_of_a_worker_that_lost_its_lease_is_refused(world: World) -> None:
    (uid,) = await world.enqueue("a")
    (old,) = await world.claim("w1")
    await expire(world)
    (new,) = await world.claim("w2")
    await world.settle(SUCCEEDED, old, worker_id="w1")
    assert (await world.job(uid)).state == JobState.RUNNING
    assert (await world.backend.renew("w1", [old], lease_s=LEASE_S)).lost == {old}
    await world.settle(failure(2, Verdict.DEAD), new, worker_id="w2")
    assert (await world.job(uid)).state == JobState.DEAD


async def test_the_result_of_an_attempt_before_is_refused_from_the_same_worker(
    world: World,
) -> None:
    (uid,) = await world.enqueue("a")
    (old,) = await world.claim()
    await expire(world)
    (new,) = await world.claim()
    await world.settle(SUCCEEDED, old)
    assert (await world.job(uid)).state == JobState.RUNNING
    assert (await world.backend.renew("w1", [old, new], lease_s=LEASE_S)).lost == {old}


async def test_the_result_of_a_job_that_was_handed_back_is_refused(world: World) -> None:
    (uid,) = await world.enqueue("a")
    (claim,) = await world.claim()
    await world.backend.give_back_strays("w1", ())
    await world.settle(SUCCEEDED, claim)
    assert (await world.job(uid)).state == JobState.READY


async def test_a_renewed_lease_does_not_run_out(world: World) -> None:
    await world.enqueue("kept", "lost")
    kept, _lost = await world.claim()
    world.advance(seconds=LEASE_S - 20)
    assert (await world.backend.renew("w1", [kept], lease_s=LEASE_S)).lost == frozenset()
    world.advance(seconds=21)
    assert await world.sweep() == 1
    assert await world.names("w2") == ["lost"]


async def test_a_renewal_frees_what_others_have_lost(world: World) -> None:
    await world.enqueue("mine", "theirs")
    (mine,) = await world.claim("w1", limit=1, lease_s=10 * LEASE_S)
    await world.claim("w2", limit=1)
    world.advance(seconds=LEASE_S + 1)
    renewal = await world.backend.renew("w1", [mine], lease_s=LEASE_S)
    assert (renewal.lost, renewal.freed) == (frozenset(), 1)
    assert await world.names("w1") == ["theirs"]


async def test_strays_come_back_uncounted_and_what_is_held_stays(world: World) -> None:
    await world.enqueue("held", "stray")
    held, _ = await world.claim()
    await world.backend.give_back_strays("w1", [held])
    await world.backend.give_back_strays("w2", ())
    assert [(job.state, job.attempt) for job in await world.jobs()] == [
        (JobState.RUNNING, 1),
        (JobState.READY, 0),
    ]


async def test_a_watcher_is_woken_by_an_enqueue(world: World) -> None:
    woken = asyncio.Event()
    watching = asyncio.create_task(world.backend.watch(woken.set))
    try:
        await asyncio.wait_for(woken.wait(), 60)  # it listens
        for _ in range(2):
            woken.clear()
            await world.enqueue("a")
            await asyncio.wait_for(woken.wait(), 60)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert watching.cancelled() or watching.exception() is None


async def test_a_watcher_is_woken_when_the_transaction_commits(world: World) -> None:
    woken = asyncio.Event()
    watching = asyncio.create_task(world.backend.watch(woken.set))
    try:
        await asyncio.wait_for(woken.wait(), 60)
        async with world.atomic():
            await world.enqueue("a")
            woken.clear()
        await asyncio.wait_for(woken.wait(), 60)
        await wait_until_async(lambda: _is_there(world))
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _is_there(world: World) -> bool:
    return await world.names() == ["a"]
