"""Settling: what becomes of a job when an attempt has ended."""

from __future__ import annotations

from typing import Any

import pytest

from fastforge.tasks import JobState, Outcome, Settlement, Verdict

from .world import CANCELLED, DEAD, INTERRUPTED, SUCCEEDED, World, done, failure


async def test_done_stays_done(world: World) -> None:
    await world.enqueue("a", "b")
    await world.settle(SUCCEEDED, *await world.claim())
    assert [(job.state, job.attempt) for job in await world.jobs()] == [(JobState.DONE, 1)] * 2
    assert await world.claim() == []


@pytest.mark.parametrize(
    "result", [None, 7, 1.5, "ü\x00", [1, None, {"a": [True]}], {"b": {}, "a": ""}, 0, False]
)
async def test_what_a_job_returned_is_kept(world: World, result: Any) -> None:
    (uid,) = await world.enqueue("a")
    await world.settle(done(result), *await world.claim())
    job = await world.job(uid)
    assert (job.state, job.result) == (JobState.DONE, result)
    assert type(job.result) is type(result)


async def test_each_of_many_has_its_own_result(world: World) -> None:
    uids = await world.enqueue(*(f"t{number}" for number in range(20)))
    claims = await world.claim()
    await world.backend.settle(
        "w1", [Settlement(claim=each, outcome=done(each.envelope.task)) for each in claims]
    )
    assert [(await world.job(uid)).result for uid in uids] == [f"t{n}" for n in range(20)]


async def test_what_has_ended_tells_when_and_where(world: World) -> None:
    await world.enqueue("a")
    await world.settle(SUCCEEDED, *await world.claim("w7"), worker_id="w7")
    (job,) = await world.jobs()
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.started_at <= job.finished_at
    assert job.worker_id == "w7"


async def test_a_failure_is_counted_and_remembered(world: World) -> None:
    await world.enqueue("a")
    for attempt in (1, 2):
        (claim,) = await world.claim()
        assert (claim.attempt, len(claim.errors)) == (attempt, attempt - 1)
        await world.settle(failure(attempt), claim)
    (claim,) = await world.claim()
    await world.settle(failure(3, Verdict.DEAD), claim)
    (job,) = await world.jobs()
    assert (job.state, job.attempt) == (JobState.DEAD, 3)
    assert [error.message for error in job.errors] == ["n1 \x00", "n2 \x00", "n3 \x00"]
    assert await world.claim() == []


async def test_a_retry_waits_its_time(world: World) -> None:
    await world.enqueue("a")
    await world.settle(failure(delay_s=100), *await world.claim())
    claimed = await world.ask()
    assert claimed.claims == ()
    assert 50 < (claimed.next_due_s or 0) <= 100
    world.advance(seconds=101)
    assert await world.names() == ["a"]


async def test_the_last_ten_errors_are_kept(world: World) -> None:
    await world.enqueue("a", max_attempts=20)
    for attempt in range(1, 13):
        await world.settle(failure(attempt), *await world.claim())
    (job,) = await world.jobs()
    assert [error.attempt for error in job.errors] == list(range(3, 13))


@pytest.mark.parametrize(
    "outcome", [INTERRUPTED, Outcome(verdict=Verdict.PUT_BACK, delay_s=0)], ids=["stop", "unknown"]
)
async def test_what_was_not_tried_is_not_counted(world: World, outcome: Outcome) -> None:
    await world.enqueue("a")
    await world.settle(failure(), *await world.claim())
    for _ in range(3):
        (claim,) = await world.claim()
        assert claim.attempt == 2
        await world.settle(outcome, claim)
    (job,) = await world.jobs()
    assert (job.state, job.attempt, len(job.errors)) == (JobState.READY, 1, 1)


async def test_many_outcomes_are_settled_together(world: World) -> None:
    await world.enqueue("done", "interrupted", "failed", "dead", "put back", "cancelled")
    outcomes = [
        SUCCEEDED,
        INTERRUPTED,
        failure(delay_s=100),
        DEAD,
        Outcome(verdict=Verdict.PUT_BACK, delay_s=100),
        CANCELLED,
    ]
    claims = await world.claim()
    await world.backend.settle(
        "w1", [Settlement(claim=c, outcome=o) for c, o in zip(claims, outcomes, strict=True)]
    )
    assert [(job.state, job.attempt) for job in await world.jobs()] == [
        (JobState.DONE, 1),
        (JobState.READY, 0),
        (JobState.READY, 1),
        (JobState.DEAD, 1),
        (JobState.READY, 0),
        (JobState.CANCELLED, 1),
    ]
    assert await world.names() == ["interrupted"]


async def test_settling_twice_is_settling_once(world: World) -> None:
    await world.enqueue("a")
    (claim,) = await world.claim()
    await world.settle(failure(delay_s=100), claim)
    await world.settle(failure(delay_s=100), claim)
    await world.settle(SUCCEEDED, claim)
    (job,) = await world.jobs()
    assert (job.state, job.attempt, len(job.errors)) == (JobState.READY, 1, 1)


async def test_done_and_cancelled_jobs_are_kept_a_day_and_dead_ones_a_month(world: World) -> None:
    await world.enqueue("done", "cancelled", "dead", "waits")
    claims = await world.claim(limit=3)
    for claim, outcome in zip(claims, [SUCCEEDED, CANCELLED, DEAD], strict=True):
        await world.settle(outcome, claim)
    world.advance(hours=23)
    await world.sweep()
    assert len(await world.jobs()) == 4
    world.advance(hours=2)
    await world.sweep()
    assert [job.task for job in await world.jobs()] == ["dead", "waits"]
    world.advance(days=30)
    await world.sweep()
    assert [job.task for job in await world.jobs()] == ["waits"]
