"""Workers: what they say of themselves, and who has not been heard of in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fastforge.tasks.records import WorkerBeat

from .world import World

BEAT = WorkerBeat(
    worker_id="w1",
    host="host",
    pid=42,
    queues=("default", "mail"),
    concurrency=20,
    running=3,
    version="1.0",
    started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)


async def test_a_worker_is_known_by_what_it_says(world: World) -> None:
    assert list(await world.desk.workers()) == []
    await world.backend.beat(BEAT)
    (known,) = await world.desk.workers()
    assert known == replace(BEAT, beat_at=known.beat_at, alive=True)
    assert known.beat_at is not None
    assert abs(world.now() - known.beat_at) < timedelta(minutes=1)


async def test_the_last_word_of_a_worker_counts(world: World) -> None:
    await world.backend.beat(BEAT)
    world.advance(seconds=10)
    await world.backend.beat(replace(BEAT, running=0))
    await world.backend.beat(replace(BEAT, worker_id="w2"))
    assert {each.worker_id: each.running for each in await world.desk.workers()} == {
        "w1": 0,
        "w2": 3,
    }


async def test_a_worker_that_says_nothing_is_not_alive(world: World) -> None:
    await world.backend.beat(BEAT)
    await world.backend.beat(replace(BEAT, worker_id="w2"))
    world.advance(minutes=3)
    await world.backend.beat(replace(BEAT, worker_id="w2"))
    assert {each.worker_id: each.alive for each in await world.desk.workers()} == {
        "w1": False,
        "w2": True,
    }
    await world.backend.beat(BEAT)
    assert all(each.alive for each in await world.desk.workers())


async def test_a_worker_that_leaves_is_not_there_any_more(world: World) -> None:
    await world.backend.beat(BEAT)
    await world.backend.beat(replace(BEAT, worker_id="w2"))
    await world.backend.leave("w1")
    await world.backend.leave("nobody")
    assert [each.worker_id for each in await world.desk.workers()] == ["w2"]
