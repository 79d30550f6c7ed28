"""The format: arq's own client reads our jobs, we run its, and a pickle is never loaded."""

from __future__ import annotations

import base64
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from arq.jobs import Job, JobStatus

from fastforge.contrib.arq import dump_json, load_json
from fastforge.tasks import JobQuery, JobState

from .doing import DEAD, claim, job, record, settle
from .world import ArqWorld, all_due


@pytest.fixture
def arq(world: ArqWorld) -> ArqRedis:
    """arq's own client."""
    return ArqRedis(
        connection_pool=world.client.connection_pool,
        job_serializer=dump_json,
        job_deserializer=load_json,
    )


async def test_arq_reads_what_waits(world: ArqWorld, arq: ArqRedis) -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    await world.backend.enqueue([job("now"), job("later", run_at=moment), job("m", queue="mail")])
    now, later = await arq.queued_jobs()
    assert (now.function, now.args, now.kwargs) == ("now", [], {"n": 1})
    assert abs((now.enqueue_time - datetime.now(UTC)).total_seconds()) < 60
    assert later.score is not None
    assert abs(later.score / 1000 - moment.timestamp()) < 1
    assert [each.function for each in await arq.queued_jobs(queue_name="arq:queue:mail")] == ["m"]
    assert now.job_id is not None
    handle = Job(now.job_id, arq, _deserializer=load_json)
    assert await handle.status() is JobStatus.queued
    info = await handle.info()
    assert info is not None
    assert info.function == "now"


async def test_arq_reads_results(world: ArqWorld, arq: ArqRedis) -> None:
    (made,) = await world.backend.enqueue([job("a")])
    handle = Job(made.uid, arq, _deserializer=load_json)
    held = await claim(world.backend)
    assert await handle.status() is JobStatus.deferred
    await settle(world.backend, held)
    assert await handle.status() is JobStatus.complete
    assert await handle.result(timeout=1) == {"n": 1}
    info = await handle.result_info()
    assert info is not None
    assert (info.function, info.success, info.job_try) == ("a", True, 1)
    assert info.queue_name == "arq:queue"
    assert info.start_time <= info.finish_time


async def test_what_arq_enqueues_as_json_runs(world: ArqWorld, arq: ArqRedis) -> None:
    made = await arq.enqueue_job("shop.tasks.work", number=7)
    assert made is not None
    await all_due(world)  # the client rounds its time to a millisecond, and half of them up
    (held,) = await claim(world.backend)
    assert (held.envelope.task, held.envelope.payload) == ("shop.tasks.work", {"number": 7})
    assert (held.fault, held.envelope.queue) == (None, "default")
    await settle(world.backend, [held])
    assert await made.result(timeout=1) == {"n": 1}


class Bomb:
    """What a pickle does to whoever loads it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.file,)


async def test_a_pickle_is_dead_with_its_bytes_and_nothing_of_it_is_loaded(
    world: ArqWorld, tmp_path: Path
) -> None:
    written = pickle.dumps({"f": "a", "a": (Bomb(tmp_path / "hit"),), "k": {}, "t": 1, "et": 1})
    await world.client.set("arq:job:x1", written)
    await world.client.zadd("arq:queue", {"x1": 1})
    (held,) = await claim(world.backend)
    assert held.fault is not None
    assert "pickle" in held.fault
    await settle(world.backend, [held], DEAD)
    (told,) = await world.backend.desk.find(JobQuery(states=(JobState.DEAD,)))
    assert base64.b64decode(told.payload["base64"]) == written
    assert not (tmp_path / "hit").exists()
    assert await world.client.keys("arq:job:*") == []


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"", "its data is gone"),
        (b"\xff\xfe", "no JSON"),
        (b"[1]", "a JSON object is expected"),
        (b'{"f": "a", "k": {}, "et": 1}', "lacks the field 'a'"),
        (b'{"f": "a", "a": [1], "k": {}, "et": 1}', "arguments by name"),
        (b'{"f": 1, "a": [], "k": {}, "et": 1}', "names no task"),
        (b'{"f": "a", "a": [], "k": {}, "et": 1e300}', ""),
        (b'{"f": "a", "a": [], "k": {}, "et": 1, "ff": 3}', ""),
        (b"[" * 100_000, "no JSON"),
    ],
)
async def test_what_cannot_be_read_says_why(world: ArqWorld, written: bytes, words: str) -> None:
    if written:
        await world.client.set("arq:job:x1", written)
    await world.client.zadd("arq:queue", {"x1": 1})
    (held,) = await claim(world.backend)
    assert held.fault is not None
    assert words in held.fault
    await settle(world.backend, [held], DEAD)
    told = await record(world.backend, held.envelope.uid)
    assert base64.b64decode(told.payload["base64"]) == written


async def test_big_numbers_and_odd_text_arrive_as_they_were(world: ArqWorld) -> None:
    payload = {"big": 2**200, "text": "ü\x00\U0001f600", "float": 0.1, "none": None, "list": [[]]}
    from fastforge.tasks import Envelope

    await world.backend.enqueue([Envelope(task="a", payload=payload)])
    (held,) = await claim(world.backend)
    assert held.envelope.payload == payload
