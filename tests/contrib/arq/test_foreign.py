"""Jobs that somebody else has written to Redis: arq's own client, or one who makes mistakes."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from arq.connections import ArqRedis

from fastforge.contrib.arq import load_json
from fastforge.contrib.arq.wire import dump_json
from fastforge.tasks import JobQuery, JobState

from .doing import DEAD, claim, job, names, settle
from .world import ArqWorld, all_due


async def enqueue_by_arq(world: ArqWorld, **options: Any) -> None:
    client = ArqRedis(
        connection_pool=world.client.connection_pool,
        job_serializer=dump_json,
        job_deserializer=load_json,
    )
    assert await client.enqueue_job("task", n=1, **options) is not None
    await all_due(world)  # the client rounds its time to a millisecond, and half of them up


async def test_a_job_of_arqs_client_is_freed_when_its_worker_is_killed(world: ArqWorld) -> None:
    await enqueue_by_arq(world)
    assert names(await claim(world.backend, lease_s=0)) == ["task"]
    assert (await world.backend.renew("w2", (), lease_s=60)).freed == 1
    (again,) = await claim(world.backend, "w2")
    assert again.attempt == 2


async def test_a_job_of_arqs_client_whose_claim_was_not_answered_is_given_back(
    world: ArqWorld,
) -> None:
    await enqueue_by_arq(world)
    await claim(world.backend)
    await world.backend.give_back_strays("w1", ())
    assert names(await claim(world.backend)) == ["task"]


async def test_a_running_job_of_arqs_client_can_be_cancelled(world: ArqWorld) -> None:
    await enqueue_by_arq(world, _job_id="no uuid")
    (held,) = await claim(world.backend)
    assert await world.backend.desk.cancel(JobQuery()) == 1
    assert list(await world.backend.attend("w1", {})) == [held.envelope.uid]


@pytest.mark.parametrize("job_id", [None, "no uuid"], ids=["arq's own id", "a name"])
@pytest.mark.parametrize("state", [JobState.READY, JobState.RUNNING, JobState.DEAD])
async def test_a_job_of_arqs_client_is_found_by_the_id_that_is_shown(
    world: ArqWorld, job_id: str | None, state: JobState
) -> None:
    """Its client writes no dashes in an id, and takes any name for one."""
    desk = world.backend.desk
    await enqueue_by_arq(world, _job_id=job_id)
    if state is not JobState.READY:
        found = await claim(world.backend)
        await settle(world.backend, found if state is JobState.DEAD else (), DEAD)
    await world.backend.enqueue([job("other", delay_s=1000)])
    (shown,) = [each for each in await desk.find(JobQuery()) if each.task == "task"]
    assert shown.state is state
    for query in (
        JobQuery(uids=(shown.uid,), tasks=("task",)),
        JobQuery(uids=(shown.uid,), limit=9),
        JobQuery(uid_prefix=shown.uid[:8], limit=9),
        JobQuery(uid_prefix=shown.uid[:12]),
        JobQuery(uids=(job_id or shown.uid,)),
    ):
        assert await desk.find(query) == [shown]
        assert await desk.count(query) == 1
    if state is not JobState.DEAD:
        assert await desk.cancel(JobQuery(uids=(shown.uid,))) == 1


UNFIT: list[dict[str, Any]] = [
    *({"m": "x"}, {"m": 0}, {"m": 10**12}, {"m": float("inf")}),
    *({"q": 5}, {"q": "a\x00b"}, {"q": "\ud800"}),
    *({"p": "x"}, {"p": 1.5}, {"p": 10**30}, {"v": "9"}, {"v": -1}, {"v": True}),
    *({"l": "x"}, {"d": "2020-01-01"}, {"x": "2020-01-01T00:00:00"}, {"t": 1e300}),
    *({"b": 7}, {"b": "\x00"}, {"h": [1]}, {"h": {"request_id": 1}}),
    *({"u": {"key": 5}}, {"u": {"key": "\x00"}}, {"u": {"key": "k", "for_s": "x"}}),
    *({"s": {"key": 1, "limit": 1}}, {"s": {"key": "k", "limit": "x"}}, {"r": {"key": "k"}}),
    {"r": {"key": "k", "limit": 1, "per_s": 0}},
]


async def write(world: ArqWorld, task: str, extras: dict[str, Any]) -> str:
    uid = str(uuid.uuid4())
    written = {"t": None, "f": task, "a": [], "k": {}, "et": 1, "ff": extras}
    await world.client.set(f"arq:job:{uid}", json.dumps(written))
    await world.client.zadd("arq:queue", {uid: 1})
    return uid


async def test_jobs_with_fields_that_fit_nowhere_die_alone(each_world: ArqWorld) -> None:
    backend = each_world.backend
    good = job("good")
    await backend.enqueue([good])
    bad = {await write(each_world, "task", extras): str(extras) for extras in UNFIT}
    bad |= {await write(each_world, name, {}): repr(name) for name in ("a\x00b", "\ud800")}
    lost = await claim(backend, lease_s=0)
    assert (await backend.renew("w2", (), lease_s=60)).freed == len(lost)
    found = await claim(backend, "w2")
    assert {each.key for each in found} == {good.uid, *bad}
    assert [bad.get(str(each.key)) for each in found if each.fault is None] == [None]
    await settle(backend, [each for each in found if each.fault], DEAD, "w2")
    dead = await backend.desk.find(JobQuery(states=(JobState.DEAD,)))
    assert {each.uid for each in dead} == set(bad)
    assert {each.task for each in dead} == {"(unreadable)"}
    assert await each_world.client.zcard("arq:fastforge:buried") == 0
