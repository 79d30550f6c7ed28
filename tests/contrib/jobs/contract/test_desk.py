"""The desk: what may be asked of the jobs, and done with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fastforge.tasks import JobQuery, JobState, Settlement
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.limits import Slots, UniqueKey
from fastforge.tasks.records import QueueStats

from .world import CANCELLED, DEAD, SUCCEEDED, World, envelope, failure


async def test_a_record_tells_all_of_a_job(world: World) -> None:
    batch = new_uid()
    sent = envelope(
        "a.b",
        payload={"text": "ü\x00"},
        queue="mail",
        priority=4,
        max_attempts=3,
        headers={"request_id": "r-1"},
        run_at=world.now() + timedelta(hours=1),
        expires_at=world.now() + timedelta(hours=2),
        unique=UniqueKey(key="k"),
        batch=batch,
    )
    await world.send(sent)
    job = await world.job(sent.uid)
    assert (job.task, job.queue, job.state) == ("a.b", "mail", JobState.READY)
    assert (job.payload, job.headers) == (sent.payload, sent.headers)
    assert (job.priority, job.max_attempts, job.attempt) == (4, 3, 0)
    assert (job.run_at, job.expires_at) == (sent.run_at, sent.expires_at)
    assert (job.unique_key, job.batch) == ("k", batch)
    assert (job.result, job.errors, job.cancelling) == (None, (), False)
    assert abs(world.now() - job.enqueued_at) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["later", "mail", "dead", "plain"]),
        ({"states": (JobState.DEAD,)}, ["dead"]),
        ({"states": (JobState.DEAD, JobState.RUNNING)}, ["dead", "plain"]),
        ({"tasks": ("mail", "plain")}, ["mail", "plain"]),
        ({"queues": ("mail",)}, ["mail"]),
        ({"queues": ("mail", "default"), "states": (JobState.READY,)}, ["later", "mail"]),
        ({"tasks": ("nobody",)}, []),
        ({"limit": 2}, ["later", "mail"]),
        ({"limit": 1, "states": (JobState.DEAD, JobState.RUNNING)}, ["dead"]),
    ],
)
async def test_jobs_are_found_the_newest_first(
    world: World, query: dict[str, Any], found: list[str]
) -> None:
    await world.enqueue("plain", "dead")
    _, dead = await world.claim()
    await world.settle(DEAD, dead)
    await world.enqueue("mail", queue="mail")
    await world.enqueue("later", delay_s=1000)
    assert [job.task for job in await world.desk.find(JobQuery(**query))] == found
    total = len(await world.desk.find(JobQuery(**(query | {"limit": None}))))
    assert await world.desk.count(JobQuery(**query)) == total


async def test_jobs_are_found_by_their_ids_and_the_time_of_their_enqueueing(world: World) -> None:
    first = await world.enqueue("first")
    world.advance(hours=1)
    between = world.now() - timedelta(minutes=30)
    second, third = await world.enqueue("second", "third")
    assert [job.uid for job in await world.jobs(uids=(third, *first))] == [*first, third]
    assert await world.desk.find(JobQuery(uids=(new_uid(),))) == []
    assert [job.uid for job in await world.jobs(since=between)] == [second, third]
    assert [job.uid for job in await world.jobs(until=between)] == first


async def test_jobs_are_found_by_what_their_ids_begin_with(world: World) -> None:
    uids = [
        "0a1b2c3d-0000-4000-8000-000000000001",
        "0a1b2c3d-ffff-4000-8000-000000000002",
        "0a1b2c3e-0000-4000-8000-000000000003",
        "ffffffff-0000-4000-8000-000000000004",
    ]
    await world.send(*(envelope(uid=uid) for uid in uids))
    expected = {
        "0": uids[:3],
        "0a1b2c3d": uids[:2],
        "0a1b2c3d-": uids[:2],
        "0a1b2c3d-f": uids[1:2],
        "ffffffff": uids[3:],
        uids[2]: uids[2:3],
        "1": [],
    }
    for prefix, meant in expected.items():
        assert [job.uid for job in await world.jobs(uid_prefix=prefix)] == meant
        assert await world.desk.count(JobQuery(uid_prefix=prefix)) == len(meant)
    assert await world.jobs(uid_prefix="0a1b", uids=(uids[3],)) == []


async def test_dead_and_cancelled_jobs_are_tried_again_with_all_their_attempts(
    world: World,
) -> None:
    await world.enqueue("dead", "cancelled", "done", "running", max_attempts=2)
    dead, cancelled, done, _ = await world.claim()
    await world.settle(DEAD, dead)
    await world.settle(CANCELLED, cancelled)
    await world.settle(SUCCEEDED, done)
    assert await world.desk.retry(JobQuery()) == 2
    first, second = await world.jobs(states=(JobState.READY,))
    assert (first.task, first.attempt, len(first.errors)) == ("dead", 0, 1)
    assert (second.task, second.attempt) == ("cancelled", 0)
    assert (first.finished_at, first.cancelling) == (None, False)
    claims = await world.claim()
    assert [(claim.envelope.task, claim.attempt) for claim in claims] == [
        ("dead", 1),
        ("cancelled", 1),
    ]
    assert await world.desk.retry(JobQuery(uids=(new_uid(),))) == 0


async def test_what_was_cancelled_while_it_ran_can_be_tried_again(world: World) -> None:
    (uid,) = await world.enqueue("a")
    claims = await world.claim()
    await world.desk.cancel(JobQuery(uids=(uid,)))
    await world.settle(CANCELLED, *claims)
    assert await world.desk.retry(JobQuery(uids=(uid,))) == 1
    await world.settle(failure(), *await world.claim())
    assert (await world.job(uid)).state == JobState.READY


async def test_a_job_that_is_retried_is_kept_however_old_it_is(world: World) -> None:
    await world.enqueue("a")
    await world.settle(DEAD, *await world.claim())
    world.advance(days=29)
    await world.desk.retry(JobQuery())
    world.advance(days=2)
    await world.sweep()
    assert await world.names() == ["a"]


async def test_what_does_not_run_is_discarded(world: World) -> None:
    await world.enqueue("running", "dead")
    _, dead = await world.claim()
    await world.settle(DEAD, dead)
    await world.enqueue("ready")
    await world.enqueue("later", delay_s=100)
    assert await world.desk.discard(JobQuery()) == 3
    assert [job.task for job in await world.jobs()] == ["running"]
    assert await world.desk.discard(JobQuery()) == 0


async def test_one_of_several_is_done_with_by_its_id(world: World) -> None:
    first, second, third = await world.enqueue("a", "a", "a")
    assert await world.desk.cancel(JobQuery(uids=(second,))) == 1
    assert await world.desk.discard(JobQuery(uids=(third,))) == 1
    assert [(job.uid, job.state) for job in await world.jobs()] == [
        (first, JobState.READY),
        (second, JobState.CANCELLED),
    ]


async def test_no_worker_takes_jobs_from_a_paused_queue(world: World) -> None:
    await world.enqueue("letter", queue="mail")
    await world.enqueue("other")
    await world.desk.pause("mail")
    await world.desk.pause("mail")
    queues = ("default", "mail")
    assert await world.names(queues=queues) == ["other"]
    assert (await world.ask(queues=queues)).next_due_s is None
    await world.enqueue("second", queue="mail")
    await world.desk.resume("mail")
    await world.desk.resume("mail")
    assert await world.names(queues=queues) == ["letter", "second"]


async def test_what_runs_when_its_queue_is_paused_ends_as_ever(world: World) -> None:
    (uid,) = await world.enqueue("a")
    claims = await world.claim()
    await world.desk.pause("default")
    await world.settle(SUCCEEDED, *claims)
    assert (await world.job(uid)).state == JobState.DONE


async def test_a_queue_is_told_of_in_numbers(world: World) -> None:
    slots = Slots(key="k", limit=1)
    await world.enqueue("runs", "held", slots=slots)
    await world.enqueue("done", "dead", "cancelled", "done")
    runs, *others = await world.claim()
    assert runs.envelope.task == "runs"
    outcomes = (SUCCEEDED, DEAD, CANCELLED, SUCCEEDED)
    await world.backend.settle(
        "w1", [Settlement(claim=c, outcome=o) for c, o in zip(others, outcomes, strict=True)]
    )
    await world.enqueue("ready", run_at=world.now() - timedelta(seconds=100))
    await world.enqueue("ready")
    await world.enqueue("later", delay_s=1000)
    (stats,) = await world.desk.stats()
    assert 100 <= (stats.oldest_ready_s or 0) < 200
    assert stats == QueueStats(
        queue="default",
        ready=2,
        scheduled=1,
        held=1,
        running=1,
        done=2,
        dead=1,
        cancelled=1,
        oldest_ready_s=stats.oldest_ready_s,
        done_a_minute=2,
    )
    world.advance(seconds=61)
    assert (await world.desk.stats())[0].done_a_minute == 0


async def test_queues_are_told_of_apart_and_an_empty_one_when_it_is_paused(world: World) -> None:
    await world.enqueue("a", queue="b")
    await world.enqueue("a", "a", queue="a")
    await world.desk.pause("a")
    await world.desk.pause("empty")
    stats = {each.queue: each for each in await world.desk.stats()}
    assert stats["a"] == QueueStats(
        queue="a", ready=2, oldest_ready_s=stats["a"].oldest_ready_s, paused=True
    )
    assert (stats["b"].ready, stats["b"].paused) == (1, False)
    assert stats["empty"] == QueueStats(queue="empty", paused=True)
