"""Progress and cancelling: what passes between a running job and those who wait for it."""

from __future__ import annotations

import pytest

from fastforge.tasks import JobQuery, JobState, Outcome, Progress
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.limits import Slots

from .world import CANCELLED, DEAD, INTERRUPTED, LEASE_S, SUCCEEDED, World, failure


async def test_a_running_job_tells_how_far_it_is(world: World) -> None:
    uid, other = await world.enqueue("a", "b")
    first, second = await world.claim()
    assert (await world.job(uid)).progress is None
    half = Progress(done=1.5, total=3, message="half ü\x00")
    reports = {first: half, second: Progress(done=7)}
    assert list(await world.backend.attend("w1", reports)) == []
    assert (await world.job(uid)).progress == half
    assert (await world.job(other)).progress == Progress(done=7)
    await world.backend.attend("w1", {first: Progress(done=3, total=3)})
    await world.settle(SUCCEEDED, first)
    assert (await world.job(uid)).progress == Progress(done=3, total=3)


async def test_what_somebody_reports_who_does_not_hold_the_job_is_ignored(world: World) -> None:
    (uid,) = await world.enqueue("a")
    (old,) = await world.claim("w1")
    world.advance(seconds=LEASE_S + 1)
    await world.sweep()
    await world.claim("w2")
    await world.backend.attend("w1", {old: Progress(done=1)})
    assert (await world.job(uid)).progress is None


async def test_what_waits_is_cancelled_at_once(world: World) -> None:
    await world.enqueue("running", slots=Slots(key="k", limit=1))
    await world.claim()
    await world.enqueue("held", slots=Slots(key="k", limit=1))
    await world.claim()
    await world.enqueue("ready")
    await world.enqueue("scheduled", delay_s=1000)
    assert await world.desk.cancel(JobQuery(tasks=("held", "ready", "scheduled"))) == 3
    assert await world.by_state(JobState.CANCELLED) == ["held", "ready", "scheduled"]
    assert all(job.finished_at for job in await world.jobs(states=(JobState.CANCELLED,)))
    world.advance(seconds=1001)
    assert await world.claim("w2") == []


async def test_a_running_job_is_cancelled_by_the_worker_that_holds_it(world: World) -> None:
    (uid,) = await world.enqueue("a")
    await world.enqueue("b")
    mine, _ = await world.claim()
    assert await world.desk.cancel(JobQuery(uids=(uid,))) == 1
    job = await world.job(uid)
    assert (job.state, job.cancelling) == (JobState.RUNNING, True)
    assert list(await world.backend.attend("w2", {})) == []
    assert list(await world.backend.attend("w1", {})) == [uid]
    await world.settle(CANCELLED, mine)
    assert (await world.job(uid)).state == JobState.CANCELLED
    assert list(await world.backend.attend("w1", {})) == []


async def test_a_job_that_ends_well_before_it_is_cancelled_is_done(world: World) -> None:
    (uid,) = await world.enqueue("a")
    claims = await world.claim()
    await world.desk.cancel(JobQuery(uids=(uid,)))
    await world.settle(SUCCEEDED, *claims)
    assert (await world.job(uid)).state == JobState.DONE


@pytest.mark.parametrize("outcome", [failure(), INTERRUPTED], ids=["failed", "interrupted"])
async def test_a_job_that_somebody_wants_cancelled_is_not_tried_again(
    world: World, outcome: Outcome
) -> None:
    (uid,) = await world.enqueue("a")
    claims = await world.claim()
    await world.desk.cancel(JobQuery(uids=(uid,)))
    await world.settle(outcome, *claims)
    assert (await world.job(uid)).state == JobState.CANCELLED


async def test_nor_is_it_when_its_worker_is_gone(world: World) -> None:
    (uid,) = await world.enqueue("a")
    await world.claim()
    await world.desk.cancel(JobQuery(uids=(uid,)))
    world.advance(seconds=LEASE_S + 1)
    await world.sweep()
    assert (await world.job(uid)).state == JobState.CANCELLED
    assert await world.claim("w2") == []


async def test_what_has_ended_or_is_not_there_cannot_be_cancelled(world: World) -> None:
    await world.enqueue("done", "dead", "cancelled")
    claims = await world.claim()
    for claim, outcome in zip(claims, (SUCCEEDED, DEAD, CANCELLED), strict=True):
        await world.settle(outcome, claim)
    assert await world.desk.cancel(JobQuery()) == 0
    assert await world.desk.cancel(JobQuery(uids=(new_uid(),))) == 0
    assert await world.states() == [JobState.DONE, JobState.DEAD, JobState.CANCELLED]
