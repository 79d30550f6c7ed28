"""Batches: jobs that were enqueued together, and what comes when all of them have ended."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from fastforge.tasks import JobQuery, JobState, NewBatch, Outcome
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.limits import UniqueKey
from fastforge.tasks.records import BatchRecord

from .world import CANCELLED, DEAD, LEASE_S, SUCCEEDED, World, envelope, failure


async def begin(world: World, *names: str, unique: UniqueKey | None = None) -> NewBatch:
    """Enqueue a batch, after which `then` comes."""
    batch = NewBatch(uid=new_uid(), then=envelope("then"))
    jobs = [envelope(name, batch=batch.uid, unique=unique) for name in names]
    await world.send(*jobs, batch=batch)
    return batch


async def test_what_comes_then_comes_once_when_all_have_ended(world: World) -> None:
    batch = await begin(world, "a", "b", "c")
    assert await world.desk.batch(batch.uid) == BatchRecord(uid=batch.uid, total=3, pending=3)
    claims = await world.claim()
    await world.settle(SUCCEEDED, *claims[:2])
    assert await world.desk.batch(batch.uid) == BatchRecord(uid=batch.uid, total=3, pending=1)
    assert await world.claim() == []
    await world.settle(SUCCEEDED, claims[2])
    await world.settle(SUCCEEDED, claims[2])
    assert await world.desk.batch(batch.uid) == BatchRecord(uid=batch.uid, total=3, pending=0)
    assert await world.names() == ["then"]


async def test_what_comes_then_is_the_whole_envelope(world: World) -> None:
    batch = new_uid()
    then = envelope(
        "then", payload={"x": [1, "ü\x00"]}, queue="mail", priority=3, delay_s=100, max_attempts=2
    )
    await world.send(envelope("a", batch=batch), batch=NewBatch(uid=batch, then=then))
    await world.settle(SUCCEEDED, *await world.claim())
    assert await world.claim(queues=("mail",)) == []
    world.advance(seconds=101)
    (claim,) = await world.claim(queues=("mail",))
    got = claim.envelope
    assert (got.uid, got.payload, got.priority) == (then.uid, then.payload, 3)
    assert got.max_attempts == 2


async def test_those_that_are_dead_or_cancelled_count_as_failed(world: World) -> None:
    batch = await begin(world, "done", "dead", "cancelled")
    for claim, outcome in zip(await world.claim(), (SUCCEEDED, DEAD, CANCELLED), strict=True):
        await world.settle(outcome, claim)
    record = await world.desk.batch(batch.uid)
    assert record == BatchRecord(uid=batch.uid, total=3, pending=0, failed=2)
    assert await world.names() == ["then"]


async def test_a_job_that_is_tried_again_has_not_ended(world: World) -> None:
    batch = await begin(world, "a")
    await world.settle(failure(), *await world.claim())
    assert await world.desk.batch(batch.uid) == BatchRecord(uid=batch.uid, total=1, pending=1)
    await world.settle(SUCCEEDED, *await world.claim())
    assert await world.names() == ["then"]


async def test_an_empty_batch_is_over_at_once(world: World) -> None:
    batch = await begin(world)
    record = await world.desk.batch(batch.uid)
    assert record == BatchRecord(uid=batch.uid, total=0, pending=0)
    assert await world.names() == ["then"]


async def test_a_batch_after_which_nothing_comes_is_told_of_as_well(world: World) -> None:
    batch = new_uid()
    await world.send(envelope("a", batch=batch), batch=NewBatch(uid=batch))
    await world.settle(SUCCEEDED, *await world.claim())
    assert await world.desk.batch(batch) == BatchRecord(uid=batch, total=1, pending=0)
    assert await world.claim() == []
    assert await world.desk.batch(new_uid()) is None


async def test_a_job_whose_key_is_taken_is_no_part_of_the_batch(world: World) -> None:
    batch = await begin(world, "a", "a", unique=UniqueKey(key="k"))
    assert await world.desk.batch(batch.uid) == BatchRecord(uid=batch.uid, total=1, pending=1)
    other = await begin(world, "a", unique=UniqueKey(key="k"))
    assert await world.desk.batch(other.uid) == BatchRecord(uid=other.uid, total=0, pending=0)
    assert sorted(await world.names()) == ["a", "then"]


async def test_the_last_two_may_end_at_the_same_time(world: World) -> None:
    await begin(world, "a", "b", "c", "d")
    held = {f"w{n}": await world.claim(f"w{n}", limit=1) for n in range(4)}
    await asyncio.gather(
        *(world.settle(SUCCEEDED, *claims, worker_id=name) for name, claims in held.items())
    )
    assert await world.names() == ["then"]


async def test_a_job_that_dies_with_its_worker_ends_the_batch(world: World) -> None:
    batch = NewBatch(uid=new_uid(), then=envelope("then"))
    await world.send(envelope("a", batch=batch.uid, max_attempts=1), batch=batch)
    await world.claim()
    world.advance(seconds=LEASE_S + 1)
    await world.sweep()
    assert await world.names("w2") == ["then"]


async def test_what_is_cancelled_or_discarded_from_outside_counts_as_failed(world: World) -> None:
    batch = await begin(world, "cancelled", "discarded", "done")
    assert await world.desk.cancel(JobQuery(tasks=("cancelled",))) == 1
    assert await world.desk.discard(JobQuery(tasks=("discarded",))) == 1
    await world.settle(SUCCEEDED, *await world.claim())
    record = await world.desk.batch(batch.uid)
    assert record == BatchRecord(uid=batch.uid, total=3, pending=0, failed=2)
    assert await world.names() == ["then"]


async def test_a_dead_job_that_is_retried_is_pending_again_and_then_comes_no_second_time(
    world: World,
) -> None:
    batch = await begin(world, "a")
    await world.settle(DEAD, *await world.claim())
    await world.settle(SUCCEEDED, *await world.claim())
    assert await world.desk.retry(JobQuery(batch=batch.uid)) == 1
    record = await world.desk.batch(batch.uid)
    assert record is not None
    assert (record.total, record.pending) == (1, 1)
    await world.settle(SUCCEEDED, *await world.claim())
    assert [job.task for job in await world.jobs()] == ["a", "then"]
    assert await world.states() == [JobState.DONE] * 2


async def test_the_jobs_of_a_batch_can_be_found(world: World) -> None:
    await world.enqueue("other")
    batch = await begin(world, "a", "b")
    assert [job.task for job in await world.jobs(batch=batch.uid)] == ["a", "b"]


async def test_a_batch_may_be_of_jobs_that_are_due_later(world: World) -> None:
    batch = NewBatch(uid=new_uid(), then=envelope("then"))
    later = envelope("later", batch=batch.uid, run_at=world.now() + timedelta(hours=1))
    await world.send(later, batch=batch)
    assert await world.claim() == []
    world.advance(hours=2)
    await world.settle(SUCCEEDED, *await world.claim())
    assert await world.names() == ["then"]


async def test_many_that_end_together_are_counted_each(world: World) -> None:
    batch = await begin(world, *(f"t{number}" for number in range(40)))
    claims = await world.claim()
    outcomes: list[Outcome] = [SUCCEEDED, DEAD] * 20
    for outcome in (SUCCEEDED, DEAD):
        ended = [c for c, o in zip(claims, outcomes, strict=True) if o is outcome]
        await world.settle(outcome, *ended)
    record = await world.desk.batch(batch.uid)
    assert record == BatchRecord(uid=batch.uid, total=40, pending=0, failed=20)
