"""Two versions at the same time, as in every deployment: what the newer one writes is read."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.contrib.jobs.statements.tables import BATCH
from fastforge.tasks import JobQuery, Outcome, Verdict
from fastforge.tasks.backend import NewBatch
from fastforge.tasks.limits import Pace, Slots, UniqueKey
from fastforge.tasks.records import Progress, WorkerBeat

from .doing import claim, job, names, record, settle
from .world import ArqWorld

NEWER = {"of_a_newer_version": 1}
BEAT = WorkerBeat(
    worker_id="w1",
    host="h",
    pid=1,
    queues=("default",),
    concurrency=5,
    running=2,
    version="1",
    started_at=datetime.now(UTC),
)


async def test_progress_with_more_fields_is_read(world: ArqWorld) -> None:
    (made,) = await world.backend.enqueue([job()])
    found = await claim(world.backend)
    written = json.dumps({"done": 1, "message": "m"} | NEWER)
    await world.client.hset(f"arq:fastforge:job:{made.uid}", "g", written)  # type: ignore[misc]
    assert (await record(world.backend, made.uid)).progress == Progress(done=1, message="m")
    await settle(world.backend, found)
    assert (await record(world.backend, made.uid)).progress == Progress(done=1, message="m")


async def test_the_beats_of_other_versions_hide_no_worker(world: ArqWorld) -> None:
    await world.backend.beat(BEAT)
    said = json.loads(await world.client.hget("arq:fastforge:workers", "w1") or "")  # type: ignore[misc]
    for worker_id, beat in {
        "newer": json.dumps(said | NEWER | {"worker_id": "newer"}),
        "older": json.dumps({"worker_id": "older"}),
        "else": "no JSON",
    }.items():
        await world.client.hset("arq:fastforge:workers", worker_id, beat)  # type: ignore[misc]
    known = await world.backend.desk.workers()
    assert {each.worker_id for each in known} == {"w1", "newer"}


async def test_who_was_killed_long_ago_is_forgotten_when_a_worker_begins(world: ArqWorld) -> None:
    """Nobody need ask for it: a worker that is started again and again has a new id each time."""
    await world.backend.beat(BEAT)
    said = json.loads(await world.client.hget("arq:fastforge:workers", "w1") or "")  # type: ignore[misc]
    old = {"worker_id": "old", "beat_at": datetime(2020, 1, 1, tzinfo=UTC).isoformat()}
    await world.client.hset("arq:fastforge:workers", "old", json.dumps(said | old))  # type: ignore[misc]
    await world.backend.beat(WorkerBeat(**{**fields(BEAT), "worker_id": "w2"}))
    assert set(await world.client.hkeys("arq:fastforge:workers")) == {b"w1", b"w2"}  # type: ignore[misc]


def fields(beat: WorkerBeat) -> dict[str, Any]:
    return {name: getattr(beat, name) for name in WorkerBeat.__dataclass_fields__}


async def test_a_job_whose_limits_have_more_fields_runs(world: ArqWorld) -> None:
    limits: dict[str, Any] = {
        "slots": Slots(key="s", limit=1),
        "pace": Pace(key="p", limit=1, per_s=1),
        "unique": UniqueKey(key="u", for_s=1),
    }
    (made,) = await world.backend.enqueue([job(**limits)])
    written = json.loads(await world.client.get(f"arq:job:{made.uid}") or "")
    for name in "sru":
        written["ff"][name] |= NEWER
    await world.client.set(f"arq:job:{made.uid}", json.dumps(written))
    (held,) = await claim(world.backend)
    assert held.fault is None
    got = held.envelope
    assert (got.slots, got.pace, got.unique) == tuple(limits.values())


async def test_what_comes_after_a_batch_is_read_with_more_fields(each_world: ArqWorld) -> None:
    """Else one such row would keep all others from being forwarded."""
    backend, db = each_world.backend, each_world.db
    batch = NewBatch(uid=str(uuid.uuid4()), then=job("then", slots=Slots(key="s", limit=1)))
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit, unit.session.atomic() as own:
        await backend.enqueue([job(batch=batch.uid)], batch=batch)
        (then,) = (await own.execute(sa.select(BATCH.c.then))).scalars()
        newer = then | NEWER | {"slots": then["slots"] | NEWER}
        await own.execute(BATCH.update().values(then=newer))
        own.waiting.clear()
    assert await backend.desk.cancel(JobQuery(tasks=("unknown",))) == 0  # forwards at once
    await settle(backend, await claim(backend))
    assert names(await claim(backend)) == ["then"]


async def test_a_job_in_a_form_that_only_a_newer_version_knows_is_left_to_it(
    world: ArqWorld,
) -> None:
    (made,) = await world.backend.enqueue([job()])
    await world.client.set(f"arq:job:{made.uid}", json.dumps({"ff": {"v": 2}, "name": "a"}))
    (held,) = await claim(world.backend)
    assert (held.fault, held.envelope.version) == (None, 2)
    await settle(world.backend, [held], Outcome(verdict=Verdict.PUT_BACK))
    assert await world.client.get(f"arq:job:{made.uid}") == b'{"ff": {"v": 2}, "name": "a"}'
