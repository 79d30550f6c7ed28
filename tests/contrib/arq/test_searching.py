"""What a question costs Redis, and that nothing there makes it fail."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from fastforge import Role
from fastforge.contrib.arq.resources import arq_jobs
from fastforge.contrib.redis.resources import redis_client
from fastforge.tasks import JobQuery, JobState
from fastforge.tasks.clock import Clock
from fastforge.tasks.limits import Slots
from fastforge.test.proxy import Proxy
from tests.folder import ProjectFolder, isolated

from .doing import DEAD, claim, job, names, record, settle
from .shop import ArqShop
from .world import ArqWorld, opened_arq

MANY = 1000


async def calls(world: ArqWorld, command: str) -> int:
    """How often Redis has carried out a command, inside of scripts too."""
    stats: Mapping[str, Mapping[str, int]] = await world.client.info("commandstats")
    return stats.get(f"cmdstat_{command}", {"calls": 0})["calls"]


async def test_the_newest_are_found_without_a_look_at_all_others(
    redis_url: str, sqlite_url: str
) -> None:
    clock = Clock()
    async with opened_arq(redis_url, sqlite_url, clock=clock) as world:
        await world.backend.enqueue([job() for n in range(MANY)])
        clock.advance(timedelta(minutes=1))
        await world.backend.enqueue([job("first"), job("later", delay_s=100), job("last")])
        begun = await calls(world, "get")
        newest = await world.backend.desk.find(JobQuery(limit=3))
        assert [each.task for each in newest] == ["last", "later", "first"]
        assert await calls(world, "get") - begun < MANY / 2
        assert await world.backend.desk.find(JobQuery(limit=0)) == []


async def test_jobs_of_one_score_are_all_found_page_by_page(world: ArqWorld) -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    made = await world.backend.enqueue([job(run_at=moment) for _ in range(MANY)])
    await world.client.zadd("arq:queue", {each.uid: 5e12 for each in made[:700]})
    found = await world.backend.desk.find(JobQuery(limit=MANY))
    assert {each.uid for each in found} == {each.uid for each in made}


async def test_the_newest_are_found_in_every_state(each_world: ArqWorld) -> None:
    """A job is due when it is enqueued or later, whatever has happened to it since."""
    backend, slots = each_world.backend, Slots(key="k", limit=1)
    await backend.enqueue([job("runs", slots=slots), job("held", slots=slots), job("dead")])
    await backend.enqueue([job("done"), job("old", run_at=datetime(2020, 1, 1, tzinfo=UTC))])
    found = {each.envelope.task: each for each in await claim(backend)}
    await settle(backend, [found["done"], found["old"]])
    await settle(backend, [found["dead"]], DEAD)
    await backend.enqueue([job("waits")])
    everything = await backend.desk.find(JobQuery())
    assert len(everything) == 6
    for limit in range(1, 7):
        assert await backend.desk.find(JobQuery(limit=limit)) == everything[:limit]
    for state in (JobState.RUNNING, JobState.HELD, JobState.READY, JobState.DONE, JobState.DEAD):
        meant = [each for each in everything if each.state is state]
        assert await backend.desk.find(JobQuery(states=(state,), limit=9)) == meant
        assert await backend.desk.count(JobQuery(states=(state,))) == len(meant) > 0


async def test_jobs_of_states_and_queues_are_counted_without_a_look_at_them(
    world: ArqWorld,
) -> None:
    await world.backend.enqueue([job(queue="mail", delay_s=number % 2) for number in range(MANY)])
    await world.backend.enqueue([job(), job(), job()])
    await settle(world.backend, await claim(world.backend, limit=1))
    await settle(world.backend, await claim(world.backend, limit=1), DEAD)
    begun = await calls(world, "get")
    for query, count in (
        (JobQuery(), MANY + 3),
        (JobQuery(queues=("mail",)), MANY),
        (JobQuery(queues=("default",), states=(JobState.READY,)), 1),
        (JobQuery(queues=("default",), states=(JobState.DONE, JobState.DONE)), 1),
        (JobQuery(states=(JobState.DEAD, JobState.DONE), limit=1), 2),
        (JobQuery(states=(JobState.HELD, JobState.RUNNING)), 0),
    ):
        assert await world.backend.desk.count(query) == count
    assert await calls(world, "get") == begun
    assert await world.backend.desk.count(JobQuery(queues=("mail",), tasks=("a",))) == MANY


@pytest.mark.parametrize("year", [2286, 2290, 9999])
async def test_a_job_that_is_due_in_centuries_waits(each_world: ArqWorld, year: int) -> None:
    due = datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    (made,) = await each_world.backend.enqueue([job(run_at=due)])
    await each_world.backend.enqueue([job("now")])
    assert names(await claim(each_world.backend)) == ["now"]
    told = await record(each_world.backend, made.uid)
    assert told.state is JobState.READY
    assert abs(told.run_at - due) < timedelta(milliseconds=2)
    ((stats),) = await each_world.backend.desk.stats()
    assert (stats.scheduled, stats.running) == (1, 1)
    assert await each_world.backend.desk.cancel(JobQuery(uids=(made.uid,))) == 1
    assert (await record(each_world.backend, made.uid)).state is JobState.CANCELLED


async def test_scores_that_are_no_time_keep_nobody_from_other_jobs(each_world: ArqWorld) -> None:
    """Whoever can write to Redis can write any number."""
    backend = each_world.backend
    made = await backend.enqueue([job(f"t{n}") for n in range(4)])
    scores = (float("-inf"), -1e300, float("inf"), 1e300)
    written = {each.uid: score for each, score in zip(made, scores, strict=True)}
    await each_world.client.zadd("arq:queue", written)
    await backend.enqueue([job("good")])
    for limit in (None, 9):
        assert len(await backend.desk.find(JobQuery(limit=limit))) == 5
    found = await claim(backend)
    assert names(found) == ["t0", "t1", "good"]
    await settle(backend, found, DEAD)
    assert await backend.desk.count(JobQuery(states=(JobState.DEAD,))) == 3


async def test_a_renewal_looks_at_some_of_the_held_keys_and_in_time_at_all(
    world: ArqWorld,
) -> None:
    count = 600
    limits = [Slots(key=f"k{number}", limit=1) for number in range(count)]
    await world.backend.enqueue([job("runs", slots=slots) for slots in limits])
    assert len(await claim(world.backend, limit=count)) == count
    await world.backend.enqueue([job("held", slots=slots) for slots in limits])
    assert await claim(world.backend, limit=count) == []
    for slots in limits:  # what has the slots is gone, without a word
        await world.client.delete(f"arq:fastforge:slots:{slots.key}")
    begun = await calls(world, "srandmember")
    await world.backend.renew("w2", (), lease_s=60)
    assert 0 < await calls(world, "srandmember") - begun < count / 2
    for _ in range(count):
        await world.backend.renew("w2", (), lease_s=60)
        if not await world.client.exists("arq:fastforge:heldkeys"):
            break
    assert set(names(await claim(world.backend, "w2", limit=count))) == {"held"}
    assert await world.client.exists("arq:fastforge:helds") == 0


async def test_who_only_enqueues_has_one_pool_of_connections(
    redis_url: str, sqlite_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with isolated(tmp_path_factory.mktemp("shop")) as folder, Proxy(redis_url) as proxy:
        await shop_with_few_connections(folder, sqlite_url, proxy.url)
        async with folder.load().running(Role.COMMAND) as container:
            backend, client = container[arq_jobs], container[redis_client]
            await asyncio.gather(
                *(backend.enqueue([job()]) for _ in range(20)), *(client.ping() for _ in range(20))
            )
            assert await backend.desk.count(JobQuery()) == 20
            assert proxy.open_connections == 2


async def shop_with_few_connections(folder: ProjectFolder, url: str, redis_url: str) -> None:
    """A project whose processes have two connections to Redis at most."""
    shop = ArqShop(folder, url, redis_url)
    text = (folder.path / "shop" / "settings.py").read_text()
    limited = text.replace(f"url={redis_url!r}", f"url={redis_url!r}, max_connections=2")
    assert limited != text
    folder.write({"shop/settings.py": limited})
    await shop.create_table()
