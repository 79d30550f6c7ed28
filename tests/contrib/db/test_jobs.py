"""A job is there when the row is there, and never before: with a worker that waits for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from fastforge.contrib.db import session
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Role
from tests.commanding import start
from tests.contrib.jobs.shop import ENV, Shop
from tests.folder import isolated
from tests.processes import wait_until_async

TASKS = """
    from pathlib import Path

    from sqlalchemy import text

    from fastforge import injected, task
    from fastforge.contrib.db import DbSession

    LOG = Path(__file__).parent.parent / "log"
    ROW = text("SELECT count(*) FROM placed WHERE number = :number")

    @task
    async def look(number: int, *, db: DbSession = injected) -> None:
        found = await db.scalar(ROW, {"number": number})
        with LOG.open("a") as file:
            file.write(f"{'found' if found else 'missing'} {number}\\n")
"""

PLACES = """
    import asyncio
    import os
    import signal

    from sqlalchemy import text

    from fastforge import Project, Role
    from fastforge.contrib.db import atomic, on_commit, session

    async def main():
        async with Project.load().running(Role.COMMAND):
            from shop.tasks import look

            async with session() as db, atomic():
                await db.execute(text("INSERT INTO placed (number) VALUES (1)"))
                await look.enqueue(number=1)
                on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))

    asyncio.run(main())
"""


@pytest.fixture
def shop(tmp_path: Path, each_database_url: str) -> Iterator[Shop]:
    with isolated(tmp_path) as folder:
        shop = Shop(folder, each_database_url, tasks="concurrency=8")
        folder.write({"shop/tasks.py": TASKS, "place.py": PLACES})
        yield shop


async def prepare(shop: Shop) -> None:
    await shop.create_table()
    async with (
        shop.folder.load().running(Role.COMMAND) as container,
        container[database].engine.begin() as connection,
    ):
        await connection.execute(text("CREATE TABLE placed (number int)"))


async def place(shop: Shop, count: int) -> None:
    """Place rows and jobs while a worker waits for them; every fifth time it is undone."""
    await prepare(shop)
    with shop.worker() as worker:
        async with shop.enqueueing() as tasks:
            for number in range(count):
                try:
                    async with session() as db, db.atomic():
                        await tasks.look.enqueue(number=number)
                        await db.execute(
                            text("INSERT INTO placed (number) VALUES (:number)"),
                            {"number": number},
                        )
                        if number % 5 == 4:
                            raise KeyError(number)
                except KeyError:
                    pass
        expected = count - count // 5
        await wait_until_async(lambda: shop.log().total() >= expected, describe=worker)
        worker.terminate()
        assert worker.wait() == 0
    assert shop.logged("missing") == {}
    assert shop.logged("found") == {number: 1 for number in range(count) if number % 5 != 4}


async def test_a_worker_sees_no_job_before_its_row(shop: Shop) -> None:
    await place(shop, 50)


@pytest.mark.long
async def test_a_worker_sees_no_job_before_its_row_in_1000_tries(shop: Shop) -> None:
    await place(shop, 1000)


async def test_a_process_that_is_killed_after_its_commit_loses_no_job(shop: Shop) -> None:
    """It is killed by the first callback, before anybody has heard of the commit."""
    await prepare(shop)
    with start([sys.executable, "place.py"], cwd=shop.folder.path, env=ENV) as process:
        assert process.wait() == -9, process.output
    with shop.worker("--burst") as worker:
        assert worker.wait() == 0, worker.output
    assert shop.log() == {"found 1": 1}
