"""What jobs in Redis do: limits, batches, unique keys, order, and what survives what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fastforge.tasks import JobQuery, JobState, Outcome
from fastforge.tasks.backend import NewBatch
from fastforge.tasks.clock import Clock
from fastforge.tasks.limits import Pace, Slots, UniqueKey
from fastforge.tasks.records import Progress, WorkerBeat
from fastforge.tasks.settings import Tasks

from .doing import CANCELLED, DEAD, INTERRUPTED, RETRY, SUCCEEDED, claim, job, names, record, settle
from .world import ArqWorld, opened_arq


async def states(world: ArqWorld) -> list[JobState]:
    return [job.state for job in (await world.backend.desk.find(JobQuery()))[::-1]]


# --- order ---------------------------------------------------------------------------------------


async def test_the_smallest_priority_comes_first_then_the_due_time_in_all_queues(
    world: ArqWorld,
) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    await world.backend.enqueue(
        [
            job("late", priority=5, run_at=past),
            job("third", queue="mail", run_at=past + timedelta(minutes=2)),
            job("second", run_at=past + timedelta(minutes=1)),
            job("first", queue="mail", priority=-3),
        ]
    )
    found = await claim(world.backend, queues=("default", "mail"), limit=3)
    assert names(found) == ["first", "second", "third"]
    assert names(await claim(world.backend)) == ["late"]


async def test_jobs_of_one_moment_keep_their_order(world: ArqWorld) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=1)
    wanted = [f"t{number}" for number in range(300)]
    await world.backend.enqueue([job(name) for name in wanted[:100]])
    assert names(await claim(world.backend)) == wanted[:100]
    for name in wanted[100:200]:
        await world.backend.enqueue([job(name)])
    assert names(await claim(world.backend)) == wanted[100:200]
    await world.backend.enqueue([job(name, run_at=moment) for name in wanted[200:]])
    assert names(await claim(world.backend)) == wanted[200:]


async def test_nobody_takes_from_a_paused_queue(world: ArqWorld) -> None:
    await world.backend.enqueue([job()])
    await world.backend.desk.pause("default")
    assert await claim(world.backend) == []
    (stats,) = await world.backend.desk.stats()
    assert (stats.paused, stats.ready) == (True, 1)
    await world.backend.desk.resume("default")
    assert len(await claim(world.backend)) == 1


async def test_a_priority_of_which_no_job_is_left_costs_a_claim_nothing(world: ArqWorld) -> None:
    """A project may take any number for it, and has had thousands in the end."""
    slots = Slots(key="k", limit=1)
    await world.backend.enqueue([job(f"t{n}", priority=n, slots=slots) for n in (3, 7)])
    await world.backend.enqueue([job(priority=-5)])
    found = await claim(world.backend)
    assert names(found) == ["a", "t3"]
    await world.backend.renew("w1", found, lease_s=60)
    assert await world.client.zrange("arq:fastforge:levels:default", 0, -1) == [b"-5", b"3"]
    await settle(world.backend, found)
    assert names(await claim(world.backend)) == ["t7"]  # it was held meanwhile
    await world.backend.renew("w1", (), lease_s=60)
    assert await world.client.zrange("arq:fastforge:levels:default", 0, -1) == [b"7"]


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [SUCCEEDED, DEAD, CANCELLED, INTERRUPTED])
async def test_a_job_is_held_while_its_slots_are_taken(world: ArqWorld, outcome: Outcome) -> None:
    slots = Slots(key="k", limit=2)
    await world.backend.enqueue([job(f"t{n}", slots=slots) for n in range(5)] + [job("free")])
    first = await claim(world.backend)
    assert names(first) == ["t0", "t1", "free"]
    assert (await states(world)).count(JobState.HELD) == 3
    (stats,) = await world.backend.desk.stats()
    assert (stats.held, stats.running, stats.ready) == (3, 3, 0)
    await settle(world.backend, first[:1], outcome)
    again = await claim(world.backend)
    assert names(again) == (["t0"] if outcome is INTERRUPTED else ["t2"])


async def test_a_lease_that_runs_out_frees_its_slot(world: ArqWorld) -> None:
    slots = Slots(key="k", limit=1)
    await world.backend.enqueue([job("t0", slots=slots), job("t1", slots=slots)])
    assert names(await claim(world.backend, lease_s=0)) == ["t0"]
    await world.backend.renew("w2", (), lease_s=60)
    assert names(await claim(world.backend, "w2")) == ["t1"]  # it has been due for longer
    assert await claim(world.backend, "w2") == []


async def test_the_held_job_of_the_smallest_priority_is_the_next(world: ArqWorld) -> None:
    slots = Slots(key="k", limit=1)
    await world.backend.enqueue(
        [job("runs", priority=-1, slots=slots), job("low", priority=3, slots=slots)]
    )
    first = await claim(world.backend)
    await world.backend.enqueue([job("high", slots=slots)])
    assert await claim(world.backend) == []
    await settle(world.backend, first)
    assert names(await claim(world.backend)) == ["high"]


async def test_a_renewal_mends_slots_that_nobody_has(world: ArqWorld) -> None:
    slots = Slots(key="k", limit=1)
    await world.backend.enqueue([job("t0", slots=slots), job("t1", slots=slots)])
    first = await claim(world.backend)
    await world.client.sadd("arq:fastforge:slots:k", "nobody")  # type: ignore[misc]
    await settle(world.backend, first)
    assert await claim(world.backend) == []
    await world.backend.renew("w1", (), lease_s=60)
    assert names(await claim(world.backend)) == ["t1"]


async def test_a_pace_lets_jobs_begin_evenly(redis_url: str, sqlite_url: str) -> None:
    clock = Clock()
    async with opened_arq(redis_url, sqlite_url, clock=clock) as world:
        pace = Pace(key="k", limit=2, per_s=10)
        await world.backend.enqueue([job(f"t{n}", pace=pace) for n in range(4)])
        begun = [names(await claim(world.backend))]
        for _ in range(3):
            clock.advance(timedelta(seconds=4))
            begun.append(names(await claim(world.backend)))
            clock.advance(timedelta(seconds=1.1))
            begun.append(names(await claim(world.backend)))
    assert begun == [["t0"], [], ["t1"], [], ["t2"], [], ["t3"]]


async def test_turns_are_given_a_minute_ahead_and_no_further(
    redis_url: str, sqlite_url: str
) -> None:
    clock = Clock()
    async with opened_arq(redis_url, sqlite_url, clock=clock) as world:
        pace = Pace(key="k", limit=1, per_s=20)
        await world.backend.enqueue([job(f"t{n}", pace=pace) for n in range(10)])
        begun = names(await claim(world.backend, lease_s=10_000))
        found = await world.backend.desk.find(JobQuery(states=(JobState.READY,)))
        ahead = [(job.run_at - clock.now()).total_seconds() for job in found]
        assert len(found) == 9
        assert max(ahead) < 61
        for _ in range(60):
            clock.advance(timedelta(seconds=10))
            begun += names(await claim(world.backend, lease_s=10_000))
    assert sorted(begun) == [f"t{n}" for n in range(10)]


# --- unique keys ---------------------------------------------------------------------------------


async def test_a_unique_job_exists_once_until_it_has_ended(each_world: ArqWorld) -> None:
    backend = each_world.backend
    unique = UniqueKey(key="k")
    first, second = await backend.enqueue([job(unique=unique), job(unique=unique)])
    assert (first.is_new, second.is_new, second.uid) == (True, False, first.uid)
    (third,) = await backend.enqueue([job(unique=unique)])
    assert (third.is_new, third.uid) == (False, first.uid)
    claims = await claim(backend)
    assert [each.envelope.uid for each in claims] == [first.uid]
    await settle(backend, claims)
    (fourth,) = await backend.enqueue([job(unique=unique)])
    assert fourth.is_new


@pytest.mark.parametrize("outcome", [DEAD, CANCELLED])
async def test_a_job_that_ends_badly_frees_its_key_as_well(
    world: ArqWorld, outcome: Outcome
) -> None:
    await world.backend.enqueue([job(unique=UniqueKey(key="k"))])
    await settle(world.backend, await claim(world.backend), outcome)
    (second,) = await world.backend.enqueue([job(unique=UniqueKey(key="k"))])
    assert second.is_new


async def test_a_key_with_a_period_is_taken_for_it(redis_url: str, sqlite_url: str) -> None:
    clock = Clock()
    async with opened_arq(redis_url, sqlite_url, clock=clock) as world:
        unique = UniqueKey(key="k", for_s=100)
        (first,) = await world.backend.enqueue([job(unique=unique)])
        await settle(world.backend, await claim(world.backend))
        (second,) = await world.backend.enqueue([job(unique=unique)])
        assert (second.is_new, second.uid) == (False, first.uid)
        clock.advance(timedelta(seconds=101))
        (third,) = await world.backend.enqueue([job(unique=unique)])
        assert third.is_new


# --- batches -------------------------------------------------------------------------------------


async def test_what_comes_after_a_batch_comes_once(world: ArqWorld) -> None:
    batch = NewBatch(uid=job().uid, then=job("then"))
    await world.backend.enqueue([job(f"t{n}", batch=batch.uid) for n in range(3)], batch=batch)
    one, two, three = await claim(world.backend)
    await settle(world.backend, [one])
    await settle(world.backend, [two], DEAD)
    await settle(world.backend, [two], DEAD)
    assert await claim(world.backend) == []
    told = await world.backend.desk.batch(batch.uid)
    assert told is not None
    assert (told.total, told.pending, told.failed) == (3, 1, 1)
    await settle(world.backend, [three], CANCELLED)
    assert names(await claim(world.backend)) == ["then"]
    told = await world.backend.desk.batch(batch.uid)
    assert told is not None
    assert (told.total, told.pending, told.failed) == (3, 0, 2)
    await world.backend.renew("w1", (), lease_s=60)
    assert await claim(world.backend) == []


async def test_what_is_no_id_is_that_of_no_batch_and_no_job(each_world: ArqWorld) -> None:
    assert await each_world.backend.desk.batch("x") is None
    assert await each_world.backend.desk.find(JobQuery(batch="x")) == []
    assert await each_world.backend.desk.count(JobQuery(uids=("x",))) == 0


async def test_a_batch_without_jobs_is_over_at_once(world: ArqWorld) -> None:
    batch = NewBatch(uid=job().uid, then=job("then"))
    await world.backend.enqueue([], batch=batch)
    assert names(await claim(world.backend)) == ["then"]


async def test_a_job_that_is_retried_belongs_to_its_batch_again(world: ArqWorld) -> None:
    batch = NewBatch(uid=job().uid, then=job("then"))
    await world.backend.enqueue([job("t0", batch=batch.uid)], batch=batch)
    await settle(world.backend, await claim(world.backend), DEAD)
    assert names(await claim(world.backend)) == ["then"]
    assert await world.backend.desk.retry(JobQuery(batch=batch.uid)) == 1
    told = await world.backend.desk.batch(batch.uid)
    assert told is not None
    assert (told.total, told.pending, told.failed) == (1, 1, 0)


# --- what is told of jobs, and done with them ----------------------------------------------------


async def test_a_job_is_told_of_in_every_state(each_world: ArqWorld) -> None:
    backend = each_world.backend
    (uid,) = [each.uid for each in await backend.enqueue([job(headers={"request_id": "r"})])]
    told = await record(backend, uid)
    assert (told.state, told.task, told.payload) == (JobState.READY, "a", {"n": 1})
    assert (told.headers, told.attempt) == ({"request_id": "r"}, 0)
    (held,) = await claim(backend)
    assert await backend.attend("w1", {held: Progress(done=1, total=3, message="so far")}) == []
    told = await record(backend, uid)
    assert (told.state, told.worker_id, told.attempt) == (JobState.RUNNING, "w1", 1)
    assert told.progress == Progress(done=1, total=3, message="so far")
    assert told.started_at is not None
    await settle(backend, [held], RETRY)
    told = await record(backend, uid)
    assert (told.state, told.attempt, told.progress) == (JobState.READY, 1, None)
    await settle(backend, await claim(backend))
    told = await record(backend, uid)
    assert (told.state, told.attempt, told.result) == (JobState.DONE, 2, {"n": 1})
    assert (told.worker_id, [error.message for error in told.errors]) == ("w1", ["again"])
    assert told.finished_at is not None


async def test_a_dead_job_is_a_row_and_begins_again_when_it_is_told_to(
    each_world: ArqWorld,
) -> None:
    backend = each_world.backend
    (uid,) = [each.uid for each in await backend.enqueue([job(priority=2)])]
    await settle(backend, await claim(backend), DEAD)
    assert await each_world.client.keys("arq:job:*") == []
    told = await record(backend, uid)
    assert (told.state, told.attempt, told.priority) == (JobState.DEAD, 1, 2)
    assert [error.message for error in told.errors] == ["no \x00"]
    assert await backend.desk.retry(JobQuery(states=(JobState.DEAD,))) == 1
    assert await backend.desk.retry(JobQuery(states=(JobState.DEAD,))) == 0
    (again,) = await claim(backend)
    assert (again.envelope.uid, again.attempt, len(again.errors)) == (uid, 1, 1)
    await settle(backend, [again])
    assert (await record(backend, uid)).state is JobState.DONE


async def test_jobs_that_wait_are_cancelled_and_running_ones_asked_to_end(
    world: ArqWorld,
) -> None:
    slots = Slots(key="k", limit=1)
    made = await world.backend.enqueue(
        [job("runs", slots=slots), job("held", slots=slots), job("later", delay_s=100)]
    )
    (running,) = await claim(world.backend)
    assert await world.backend.desk.cancel(JobQuery()) == 3
    assert await states(world) == [JobState.RUNNING, JobState.CANCELLED, JobState.CANCELLED]
    assert (await record(world.backend, made[0].uid)).cancelling
    assert await world.backend.attend("w1", {}) == [made[0].uid]
    assert await world.backend.attend("w2", {}) == []
    await settle(world.backend, [running], CANCELLED)
    assert await states(world) == [JobState.CANCELLED] * 3
    assert await world.backend.attend("w1", {}) == []
    assert await world.backend.desk.cancel(JobQuery(uids=("unknown",))) == 0


async def test_a_job_that_is_to_be_cancelled_is_not_tried_again(world: ArqWorld) -> None:
    await world.backend.enqueue([job()])
    claims = await claim(world.backend)
    await world.backend.desk.cancel(JobQuery())
    await settle(world.backend, claims, RETRY)
    assert await states(world) == [JobState.CANCELLED]


async def test_what_is_discarded_has_never_been(world: ArqWorld) -> None:
    unique = UniqueKey(key="k", for_s=1000)
    await world.backend.enqueue([job("done"), job("dead"), job("runs")])
    done, dead, _ = await claim(world.backend)
    await settle(world.backend, [done])
    await settle(world.backend, [dead], DEAD)
    await world.backend.enqueue([job("ready", unique=unique)])
    assert await world.backend.desk.discard(JobQuery()) == 3
    assert await states(world) == [JobState.RUNNING]
    (again,) = await world.backend.enqueue([job("ready", unique=unique)])
    assert again.is_new


async def test_queries_choose_and_count(world: ArqWorld) -> None:
    await world.backend.enqueue([job(f"t{n}", queue="mail") for n in range(5)])
    await world.backend.enqueue([job("other")])
    await settle(world.backend, await claim(world.backend), DEAD)
    desk = world.backend.desk
    assert await desk.count(JobQuery(limit=1)) == 6
    assert await desk.count(JobQuery(queues=("mail",))) == 5
    assert await desk.count(JobQuery(states=(JobState.DEAD,))) == 1
    assert await desk.count(JobQuery(tasks=("t1", "other"))) == 2
    newest = await desk.find(JobQuery(queues=("mail",), limit=2))
    assert [each.task for each in newest] == ["t4", "t3"]
    assert await desk.cancel(JobQuery(queues=("mail",), limit=2)) == 2
    left = await desk.find(JobQuery(states=(JobState.READY,)))
    assert [each.task for each in left] == ["t2", "t1", "t0"]


async def test_rows_are_found_by_what_their_ids_begin_with(each_world: ArqWorld) -> None:
    uids = ["0a1b2c3d-0000-4000-8000-000000000001", "ffffffff-0000-4000-8000-000000000004"]
    await each_world.backend.enqueue([job(uid=uid) for uid in uids])
    await settle(each_world.backend, await claim(each_world.backend), DEAD)
    for prefix, meant in (("0a1b2c3d-", uids[:1]), ("f", uids[1:]), ("%", []), ("*", [])):
        found = await each_world.backend.desk.find(JobQuery(uid_prefix=prefix))
        assert [each.uid for each in found] == meant


async def test_queues_tell_how_they_stand(world: ArqWorld) -> None:
    await world.backend.enqueue([job() for _ in range(6)] + [job(delay_s=100, priority=4)])
    one, two, _, _ = await claim(world.backend, limit=4)
    await settle(world.backend, [one])
    await settle(world.backend, [two], DEAD)
    (stats,) = await world.backend.desk.stats()
    assert (stats.ready, stats.scheduled, stats.running) == (2, 1, 2)
    assert (stats.done, stats.dead, stats.cancelled) == (1, 1, 0)
    assert stats.oldest_ready_s is not None
    assert stats.done_a_minute == 1


async def test_workers_are_known_until_they_leave(redis_url: str, sqlite_url: str) -> None:
    clock = Clock()
    async with opened_arq(redis_url, sqlite_url, clock=clock) as world:
        beat = WorkerBeat(
            worker_id="w1",
            host="h",
            pid=1,
            queues=("default", "mail"),
            concurrency=5,
            running=2,
            version="1",
            started_at=datetime.now(UTC),
        )
        await world.backend.beat(beat)
        (known,) = await world.backend.desk.workers()
        assert (known.queues, known.alive, known.started_at) == (beat.queues, True, beat.started_at)
        clock.advance(timedelta(minutes=2))
        assert [each.alive for each in await world.backend.desk.workers()] == [False]
        clock.advance(timedelta(hours=2))
        assert await world.backend.desk.workers() == []
        await world.backend.beat(beat)
        await world.backend.leave("w1")
        assert await world.backend.desk.workers() == []


# --- time ----------------------------------------------------------------------------------------


async def test_what_is_kept_is_forgotten_in_time(redis_url: str, sqlite_url: str) -> None:
    clock = Clock()
    settings = Tasks(keep_done_s=3600, keep_dead_s=7200)
    async with opened_arq(redis_url, sqlite_url, clock=clock, settings=settings) as world:
        await world.backend.enqueue([job("dead"), job("done")])
        dead, done = await claim(world.backend)
        await settle(world.backend, [done])
        await settle(world.backend, [dead], DEAD)
        assert 3000 < await world.client.ttl(f"arq:result:{done.key}") <= 3600
        clock.advance(timedelta(seconds=3700))
        await world.backend.renew("w1", (), lease_s=60)
        (stats,) = await world.backend.desk.stats()
        assert (stats.done, stats.dead) == (0, 1)
        clock.advance(timedelta(seconds=3700))
        await world.backend.renew("w1", (), lease_s=60)
        assert await world.backend.desk.find(JobQuery(states=(JobState.DEAD,))) == []


# --- the server ----------------------------------------------------------------------------------


async def test_a_server_that_forgot_the_scripts_is_given_them_again(world: ArqWorld) -> None:
    await world.backend.enqueue([job("t0")])
    assert names(await claim(world.backend)) == ["t0"]
    await world.client.script_flush()
    await world.backend.enqueue([job("t1")])
    await world.client.script_flush()
    assert names(await claim(world.backend)) == ["t1"]


async def test_a_watcher_hears_of_its_queues_alone(world: ArqWorld) -> None:
    await claim(world.backend, queues=("mail",))
    woken = asyncio.Event()
    watching = asyncio.create_task(world.backend.watch(woken.set))
    await asyncio.wait_for(woken.wait(), 60)  # it listens
    woken.clear()
    await world.backend.enqueue([job(queue="other")])
    await world.backend.enqueue([job(queue="mail")])
    await asyncio.wait_for(woken.wait(), 60)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
