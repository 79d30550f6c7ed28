"""Jobs behind a PgBouncer in transaction mode, by which nobody can listen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from fastforge import Role
from fastforge.contrib.db.resources import database
from fastforge.contrib.jobs.resources import job_store
from fastforge.tasks.limits import Slots
from tests import services
from tests.conftest import with_driver
from tests.folder import ProjectFolder, isolated

from .conftest import create_tables
from .doing import claim, job, names, settle

SETTINGS = """
    from fastforge.contrib.db import Database

    DATABASES = {{"default": Database(url={url!r}, direct_url={direct}, pooler="transaction")}}
    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs"]
"""


@pytest.fixture(scope="module")
def pgbouncer_server(postgres_server: str) -> Iterator[str]:
    server = services.start("pgbouncer", postgres_server)
    yield server.url
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def by_way_of(pooler_url: str, database_url: str) -> str:
    """The URL of a database behind the pooler, for the same driver."""
    direct = urlsplit(database_url)
    pooled = urlunsplit(urlsplit(pooler_url)._replace(path=direct.path))
    return with_driver(pooled, direct.scheme.partition("+")[2])


async def test_a_job_that_comes_through_the_pooler_wakes_a_worker_beside_it(
    folder: ProjectFolder, each_postgres_url: str, pgbouncer_server: str
) -> None:
    url = by_way_of(pgbouncer_server, each_postgres_url)
    folder.write({"shop/settings.py": SETTINGS.format(url=url, direct=repr(each_postgres_url))})
    project = folder.load()
    async with project.running(Role.COMMAND) as web:
        async with web[database].engine.begin() as connection:
            await connection.run_sync(create_tables)
        async with project.running(Role.WORKER) as worker:
            store = worker[job_store]
            woken = asyncio.Event()
            watching = asyncio.create_task(store.watch(woken.set))
            await asyncio.wait_for(woken.wait(), 60)  # it listens
            woken.clear()
            slots = Slots(key="k", limit=1)
            await web[job_store].enqueue([job("a", slots=slots), job("b", slots=slots)])
            await asyncio.wait_for(woken.wait(), 60)
            for name in ("a", "b"):
                claims = await claim(store)
                assert names(claims) == [name]
                await settle(store, claims)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        assert [each.done for each in await web[job_store].desk.stats()] == [2]


async def test_a_worker_that_has_only_the_pooler_records_what_jobs_say_and_how_they_end(
    folder: ProjectFolder, each_postgres_url: str, pgbouncer_server: str
) -> None:
    """Several at once: each transaction may be given another server."""
    url = by_way_of(pgbouncer_server, each_postgres_url)
    folder.write({"shop/settings.py": SETTINGS.format(url=url, direct=None)})
    project = folder.load()
    async with project.running(Role.COMMAND) as web:
        async with web[database].engine.begin() as connection:
            await connection.run_sync(create_tables)
        async with project.running(Role.WORKER) as worker:
            store = worker[job_store]
            await store.enqueue([job() for _ in range(20)])
            claims = await claim(store)
            assert len(claims) == 20
            for _ in range(3):
                renewing = asyncio.create_task(store.renew("w1", claims, lease_s=60))
                ended, claims = claims[:5], claims[5:]
                await asyncio.gather(
                    store.attend("w1", {}), *(settle(store, [each]) for each in ended)
                )
                assert (await renewing).lost <= {*ended}
            await settle(store, claims)
            assert [each.done for each in await store.desk.stats()] == [20]
