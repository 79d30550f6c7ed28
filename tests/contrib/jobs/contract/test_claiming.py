"""Claiming: which jobs a worker gets, in which order, and each of them once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from fastforge.tasks import Envelope

from .world import LEASE_S, World, envelope


async def test_a_claim_gives_the_whole_envelope(world: World) -> None:
    sent = Envelope(
        task="a.b",
        payload={"text": "ü\x00", "nested": [1, None, {"x": 1.5}]},
        queue="mail",
        headers={"request_id": "r-1", "traceparent": "00-1-2-01"},
        run_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        max_attempts=7,
        version=3,
        priority=-5,
        expires_at=datetime(2026, 1, 2, 4, 4, 5, 678_000, tzinfo=UTC),
    )
    await world.send(sent)
    (claim,) = await world.claim(queues=("other", "mail"))
    got = claim.envelope
    assert (got.payload, got.headers) == (sent.payload, sent.headers)
    assert (got.uid, got.task, got.queue) == (sent.uid, "a.b", "mail")
    assert (got.max_attempts, got.version, got.priority) == (7, 3, -5)
    assert (got.run_at, got.expires_at) == (sent.run_at, sent.expires_at)
    assert (claim.attempt, claim.errors) == (1, ())


async def test_what_is_enqueued_is_told_in_the_order_of_the_call(world: World) -> None:
    sent = [envelope(f"t{number}") for number in range(20)]
    assert [(each.uid, each.is_new) for each in await world.send(*sent)] == [
        (each.uid, True) for each in sent
    ]
    assert await world.send() == []
    assert await world.names() == [each.task for each in sent]


async def test_each_job_is_given_once(world: World) -> None:
    await world.send(*(envelope(f"t{number}") for number in range(50)))
    asked = await asyncio.gather(*(world.ask(f"w{n}", limit=7) for n in range(4)))
    names = [claim.envelope.task for claimed in asked for claim in claimed.claims]
    assert len(names) == len(set(names))
    rest = await world.names()
    assert len(names) + len(rest) == 50
    assert await world.names() == []


async def test_what_is_due_first_comes_first_and_no_more_than_wanted(world: World) -> None:
    past = world.now() - timedelta(hours=1)
    await world.enqueue("second", run_at=past + timedelta(minutes=1))
    await world.enqueue("first", run_at=past)
    await world.enqueue("third", run_at=past + timedelta(minutes=2))
    assert await world.names(limit=2) == ["first", "second"]
    assert await world.names() == ["third"]


async def test_a_smaller_priority_comes_before_an_earlier_time(world: World) -> None:
    past = world.now() - timedelta(hours=1)
    await world.enqueue("usual", run_at=past)
    await world.enqueue("idle", run_at=past, priority=10)
    await world.enqueue("urgent", run_at=past + timedelta(minutes=1), priority=-10)
    assert await world.names(limit=1) == ["urgent"]
    assert await world.names() == ["usual", "idle"]


async def test_of_equals_the_older_comes_first(world: World) -> None:
    names = [f"t{number}" for number in range(10)]
    past = world.now() - timedelta(hours=1)
    await world.enqueue(*names, run_at=past)
    assert await world.names(limit=4) + await world.names() == names


async def test_urgent_jobs_of_all_queues_come_first(world: World) -> None:
    await world.enqueue("usual", queue="mail")
    await world.enqueue("urgent", queue="media", priority=-1)
    assert await world.names(queues=("mail", "media"), limit=1) == ["urgent"]


async def test_queues_are_apart(world: World) -> None:
    await world.enqueue("letter", queue="mail")
    await world.enqueue("picture", queue="media")
    assert await world.names(queues=("media",)) == ["picture"]


async def test_what_is_not_due_waits_and_says_for_how_long(world: World) -> None:
    await world.enqueue("later", run_at=world.now() + timedelta(seconds=100))
    claimed = await world.ask()
    assert claimed.claims == ()
    assert 50 < (claimed.next_due_s or 0) <= 100
    world.advance(seconds=101)
    assert await world.names() == ["later"]


async def test_a_delay_counts_from_the_enqueueing_on(world: World) -> None:
    world.advance(hours=5)
    await world.enqueue("delayed", delay_s=1000)
    await world.enqueue("now")
    assert await world.names() == ["now"]
    world.advance(seconds=900)
    assert await world.names() == []
    world.advance(seconds=101)
    assert await world.names() == ["delayed"]


async def test_an_empty_queue_says_that_nothing_waits(world: World) -> None:
    await world.enqueue("elsewhere", queue="other")
    assert (await world.ask()).next_due_s is None


async def test_a_job_that_has_expired_is_given_for_the_worker_to_end(world: World) -> None:
    """Nothing expires silently: whoever runs it records why it is dead."""
    expires_at = world.now() + timedelta(seconds=10)
    await world.enqueue("late", expires_at=expires_at)
    world.advance(seconds=11)
    (claim,) = await world.claim()
    assert claim.envelope.expires_at is not None
    assert claim.envelope.expires_at < world.now()


async def test_what_runs_tells_since_when_and_where(world: World) -> None:
    (uid,) = await world.enqueue("a")
    before = await world.job(uid)
    assert (before.attempt, before.started_at, before.worker_id) == (0, None, None)
    await world.claim("w7", lease_s=LEASE_S)
    running = await world.job(uid)
    assert (running.attempt, running.worker_id, running.finished_at) == (1, "w7", None)
    assert running.started_at is not None
    assert running.enqueued_at <= running.started_at <= world.now() + timedelta(seconds=1)
