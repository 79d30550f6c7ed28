"""Workers as real processes, on a Redis that is killed, and callers that are."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fastforge import Role
from fastforge.contrib.db.resources import database
from fastforge.tasks import JobState
from tests.commanding import start
from tests.contrib.jobs.shop import ENV
from tests.folder import isolated
from tests.processes import wait_until, wait_until_async

from .shop import ArqShop, RedisServer

MakeShop = Callable[..., Awaitable[ArqShop]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that keeps its data on disk."""
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def make_shop(tmp_path: Path, server: RedisServer) -> Iterator[MakeShop]:
    with isolated(tmp_path) as folder:

        async def make(url: str, tasks: str = "") -> ArqShop:
            shop = ArqShop(folder, url, server.url, tasks=tasks)
            await shop.create_table()
            return shop

        yield make


def once(numbers: range) -> Counter[int]:
    return Counter(dict.fromkeys(numbers, 1))


async def all_done(shop: ArqShop, count: int) -> bool:
    return sum(job.state is JobState.DONE for job in await shop.records()) == count


async def test_after_kill_9_every_job_is_done_and_none_ends_twice(
    make_shop: MakeShop, sqlite_url: str
) -> None:
    shop = await make_shop(sqlite_url, "lease_s=2, concurrency=40")
    async with shop.enqueueing() as tasks:
        for number in range(40):
            await tasks.slow.enqueue(number=number, seconds=1.5)
    with shop.worker() as first:
        wait_until(lambda: len(shop.logged("begin")) == 40, describe=first)
        first.kill()
        first.wait()
    assert shop.logged("end") == {}
    with shop.worker() as second:
        await wait_until_async(lambda: all_done(shop, 40), describe=second)
        second.terminate()
        assert second.wait() == 0
    assert shop.logged("begin") == Counter(dict.fromkeys(range(40), 2))
    assert shop.logged("end") == once(range(40))
    jobs = await shop.records()
    assert {job.attempt for job in jobs} == {2}
    assert {job.errors[0].type for job in jobs} == {"WorkerVanished"}


async def test_four_workers_run_each_job_once(make_shop: MakeShop, sqlite_url: str) -> None:
    shop = await make_shop(sqlite_url, "concurrency=7")
    with shop.worker() as one, shop.worker() as two, shop.worker() as three, shop.worker() as four:
        workers = (one, two, three, four)
        for worker in workers:
            worker.wait_for("takes jobs from")
        async with shop.enqueueing() as tasks:
            for number in range(300):
                await tasks.work.enqueue(number=number)
        await wait_until_async(lambda: all_done(shop, 300), describe=one)
        for worker in workers:
            worker.terminate()
        assert [worker.wait() for worker in workers] == [0, 0, 0, 0]
    assert shop.logged("end") == shop.logged("begin") == once(range(300))


@pytest.mark.parametrize("away_s", [1.5, pytest.param(10, marks=pytest.mark.long)])
async def test_a_redis_that_is_killed_while_jobs_end_loses_none_and_repeats_none(
    make_shop: MakeShop, server: RedisServer, sqlite_url: str, away_s: float
) -> None:
    shop = await make_shop(sqlite_url, "lease_s=60")
    async with shop.enqueueing() as tasks:
        for number in range(20):
            await tasks.slow.enqueue(number=number, seconds=1 + number * away_s / 40)
    with shop.worker() as worker:
        wait_until(lambda: len(shop.logged("begin")) == 20, describe=worker)
        server.kill()
        wait_until(lambda: len(shop.logged("end")) == 20, describe=worker)
        worker.wait_for("the task backend fails")
        server.start()
        worker.wait_for("the task backend works again")
        await wait_until_async(lambda: all_done(shop, 20), describe=worker)
        async with shop.enqueueing() as tasks:
            await tasks.work.enqueue(number=20)
        wait_until(lambda: shop.logged("end")[20] == 1, describe=worker)
        worker.terminate()
        assert worker.wait() == 0
        assert worker.output.count("the task backend fails") == 1
        assert worker.output.count("Traceback") == 0, worker.output
    assert shop.logged("end") == shop.logged("begin") == once(range(21))
    assert {job.attempt for job in await shop.records()} == {1}


async def test_what_is_enqueued_while_redis_is_away_runs_when_it_is_back(
    make_shop: MakeShop, server: RedisServer, sqlite_url: str
) -> None:
    shop = await make_shop(sqlite_url)
    server.kill()
    async with shop.enqueueing() as tasks:
        await tasks.work.enqueue(number=1)
    server.start()
    with shop.worker() as worker:
        wait_until(lambda: shop.logged("end")[1] == 1, describe=worker)
        worker.terminate()
        assert worker.wait() == 0


async def test_sigterm_hands_back_what_still_runs(make_shop: MakeShop, sqlite_url: str) -> None:
    shop = await make_shop(sqlite_url, "drain_s=0.1")
    async with shop.enqueueing() as tasks:
        await tasks.slow.enqueue(number=1, seconds=3600)
    with shop.worker() as worker:
        wait_until(lambda: shop.logged("begin")[1] == 1, describe=worker)
        worker.terminate()
        assert worker.wait() == 0
    (job,) = await shop.records()
    assert (job.state, job.attempt, job.worker_id) == (JobState.READY, 0, None)


async def test_a_failing_job_is_dead_with_every_exception(
    make_shop: MakeShop, sqlite_url: str
) -> None:
    shop = await make_shop(sqlite_url)
    async with shop.enqueueing() as tasks:
        await tasks.fail.enqueue(number=7)
    with shop.worker() as worker:
        worker.wait_for("is dead after attempt 3 of 3: ValueError: number 7")
        worker.terminate()
        worker.wait()
    (job,) = await shop.records()
    assert (job.state, job.attempt) == (JobState.DEAD, 3)
    assert [error.attempt for error in job.errors] == [1, 2, 3]


PLACE = """
    import asyncio, sys

    from sqlalchemy import text

    from fastforge import Project, Role
    from fastforge.contrib.db import session

    async def main(first: int) -> None:
        async with Project.load().running(Role.COMMAND), session() as db:
            from shop.tasks import work

            for number in range(first, first + 10_000):
                try:
                    async with db.atomic():
                        await db.execute(text("INSERT INTO placed VALUES (:n)"), {"n": number})
                        await work.enqueue(number=number)
                        if number % 5 == 0:
                            raise KeyError(number)
                except KeyError:
                    pass
                print("placed", number, flush=True)

    asyncio.run(main(int(sys.argv[1])))
"""


async def placed(shop: ArqShop) -> set[int]:
    """The numbers that were committed."""
    async with (
        shop.folder.load().running(Role.COMMAND) as container,
        container[database].engine.begin() as connection,
    ):
        return set((await connection.execute(sa.text("SELECT number FROM placed"))).scalars())


@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=pytest.mark.long)])
async def test_a_caller_that_is_killed_loses_no_job_and_enqueues_none_that_is_rolled_back(
    make_shop: MakeShop, sqlite_url: str, count: int
) -> None:
    """Wherever it was: before the commit, between the commit and Redis, or after it."""
    shop = await make_shop(sqlite_url)
    shop.folder.write({"place.py": PLACE})
    async with (
        shop.folder.load().running(Role.COMMAND) as container,
        container[database].engine.begin() as connection,
    ):
        await connection.execute(sa.text("CREATE TABLE placed (number INTEGER)"))
    rounds, chance = 0, random.Random(7)
    while len(await placed(shop)) < count:
        argv = [sys.executable, "place.py", str(rounds * 10_000)]
        with start(argv, cwd=shop.folder.path, env=ENV) as caller:
            wanted = f"placed {rounds * 10_000 + chance.randrange(3, 9 + count // 20)}\n"
            wait_until(lambda: wanted in caller.output, describe=caller)  # noqa: B023
            caller.kill()
            caller.wait()
        rounds += 1
    committed = await placed(shop)
    assert not any(number % 5 == 0 for number in committed)
    with shop.worker() as worker:
        wait_until(lambda: set(shop.logged("end")) == committed, describe=worker)
        worker.terminate()
        assert worker.wait() == 0
    assert shop.logged("end") == Counter(dict.fromkeys(committed, 1))
    assert rounds > 1
