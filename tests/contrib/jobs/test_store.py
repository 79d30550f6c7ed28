"""What the jobs table does beyond the contract: transactions, indexes, old rows, errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge import Project, Role
from fastforge.contrib.db import session
from fastforge.contrib.db.resources import DatabaseConnection, database
from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.contrib.jobs import JobStore
from fastforge.contrib.jobs.resources import job_store
from fastforge.contrib.jobs.statements import JOB, claiming, leases, pruning
from fastforge.contrib.jobs.statements.idiom import Idiom
from fastforge.core.services import EMBEDDED_WORKER
from fastforge.lifecycle import Container
from fastforge.tasks import (
    BackendAway,
    BackendUnready,
    ClaimRequest,
    Envelope,
    Outcome,
    Settlement,
    Verdict,
)
from fastforge.tasks.outcome import JobState
from tests.folder import isolated
from tests.processes import wait_until_async

from .conftest import opened, rows
from .shop import Shop

REQUEST = ClaimRequest(worker_id="w1", queues=("default",), limit=100, lease_s=60)


def job(number: int = 1, **options: Any) -> Envelope:
    return Envelope(task="a", payload={"number": number}, **options)


async def test_an_enqueue_inside_atomic_commits_and_rolls_back_with_it(
    db: DatabaseConnection, store: JobStore
) -> None:
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit:
        with pytest.raises(KeyError):
            async with unit.session.atomic():
                await store.enqueue([job(1)])
                raise KeyError
        async with unit.session.atomic():
            await store.enqueue([job(2)])
            with pytest.raises(KeyError):
                async with unit.session.atomic():
                    await store.enqueue([job(3)])
                    raise KeyError
    assert [row.payload["number"] for row in await rows(db)] == [2]


async def test_an_enqueue_outside_atomic_stands_for_itself(
    db: DatabaseConnection, store: JobStore
) -> None:
    with pytest.raises(KeyError):
        async with use_unit(UnitOfWork(lambda _: db.session())):
            await store.enqueue([job(1)])
            raise KeyError
    await store.enqueue([job(2)])
    assert [row.payload["number"] for row in await rows(db)] == [1, 2]


async def test_nobody_sees_a_job_before_its_transaction_commits(
    db: DatabaseConnection, each_database_url: str
) -> None:
    store = JobStore(db.engine)
    woken = asyncio.Event()
    watching = asyncio.create_task(store.watch(woken.set))
    await asyncio.wait_for(woken.wait(), 60)  # it listens
    woken.clear()
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit:
        async with unit.session.atomic():
            await store.enqueue([job()])
            if not each_database_url.startswith("sqlite"):  # there a claim waits for the writer
                assert (await store.claim(REQUEST)).claims == ()
            await asyncio.sleep(0.1)
            assert not woken.is_set()
        await asyncio.wait_for(woken.wait(), 60)
    assert len((await store.claim(REQUEST)).claims) == 1
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_claim_reads_the_partial_index(db: DatabaseConnection, store: JobStore) -> None:
    for number in range(3):
        await store.enqueue([job(number)])
    idiom = Idiom(db.engine.dialect)
    for statement, index in (
        (claiming.claim(idiom, REQUEST), "ix_jobs_job_waiting"),
        (claiming.next_due(idiom, REQUEST), "ix_jobs_job_waiting"),
        ((leases.expired(idiom), {}), "ix_jobs_job_lease"),
        ((pruning.prune_jobs(idiom), {}), "ix_jobs_job_ended"),
    ):
        assert index in await explained(db, *statement)


async def explained(db: DatabaseConnection, statement: Any, parameters: Any) -> str:
    """How the database would run a statement, as it is sent."""
    sent: list[Any] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2:4])

    is_sqlite = db.engine.dialect.name == "sqlite"
    async with db.engine.begin() as connection:
        if not is_sqlite:  # so small a table is read whole else
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        sa.event.listen(db.engine.sync_engine, "before_cursor_execute", note)
        await connection.execute(statement, parameters)
        sa.event.remove(db.engine.sync_engine, "before_cursor_execute", note)
        text, values = sent[0]
        word = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        found = await connection.exec_driver_sql(f"{word} {text}", values)
        return "\n".join(str(row) for row in found)


async def test_a_claim_is_fenced_as_postgresql_needs(db: DatabaseConnection) -> None:
    dialect = postgresql_dialect()
    text = str(claiming.claim(Idiom(dialect), REQUEST)[0].compile(dialect=dialect))  # type: ignore[attr-defined]
    assert "AS MATERIALIZED" in text
    assert "FOR UPDATE SKIP LOCKED" in text
    assert "waiting.state = 0" in text


def postgresql_dialect() -> sa.Dialect:
    from sqlalchemy.dialects import postgresql

    return postgresql.dialect()


async def test_old_ended_jobs_are_forgotten_and_no_others(
    db: DatabaseConnection, store: JobStore
) -> None:
    for number in range(4):
        await store.enqueue([job(number)])
    claims = (await store.claim(REQUEST)).claims
    outcomes = [Outcome(verdict=Verdict.SUCCEEDED), Outcome(verdict=Verdict.DEAD)]
    settlements = [Settlement(claim=c, outcome=o) for c, o in zip(claims, outcomes, strict=False)]
    await store.settle("w1", settlements)
    kept = {row.payload["number"]: row.keep_until for row in await rows(db)}
    now = datetime.now(UTC)
    assert timedelta(hours=23) < kept[0] - now < timedelta(hours=25)
    assert timedelta(days=29) < kept[1] - now < timedelta(days=31)
    async with db.engine.begin() as connection:
        await connection.execute(
            JOB.update()
            .where(JOB.c.id == claims[0].key)
            .values(keep_until=now - timedelta(hours=1))
        )
    await store.renew("w1", claims[2:], lease_s=60)
    assert [row.payload["number"] for row in await rows(db)] == [1, 2, 3]


async def test_a_server_that_cannot_be_reached_is_away() -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    for url in (
        "postgresql+asyncpg://nobody:hunter2@127.0.0.1:1/none",
        "postgresql+psycopg://nobody:hunter2@127.0.0.1:1/none",
    ):
        engine = create_async_engine(url)
        with pytest.raises(BackendAway, match="jobs.E001") as caught:
            await JobStore(engine).claim(REQUEST)
        assert "hunter2" not in str(caught.value)
        await engine.dispose()


async def test_a_file_that_somebody_else_writes_for_long_is_away(sqlite_url: str) -> None:
    async with opened(sqlite_url, lock_timeout_s=0.05) as db:
        async with db.engine.begin():
            with pytest.raises(BackendAway, match="OperationalError: database is locked"):
                await JobStore(db.engine).claim(REQUEST)
        assert (await JobStore(db.engine).claim(REQUEST)).claims == ()


async def test_a_mistake_is_not_taken_for_an_absence(
    db: DatabaseConnection, store: JobStore
) -> None:
    async with db.engine.begin() as connection:
        await connection.run_sync(JOB.drop)
    with pytest.raises(BackendUnready, match="'jobs_job' does not exist; run: manage migrate"):
        await store.claim(REQUEST)
    async with db.engine.begin() as connection:
        await connection.run_sync(JOB.create)


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[Shop]:
    with isolated(tmp_path) as folder:
        yield Shop(folder, sqlite_url, tasks="")


async def test_jobs_that_hold_every_connection_do_not_stop_the_worker(shop: Shop) -> None:
    await shop.create_table()
    project: Project = shop.folder.load()
    async with project.running(Role.WORKER) as container, all_connections(container):
        store = container[job_store]
        await store.enqueue([job()])
        (claim,) = (await store.claim(REQUEST)).claims
        assert (await store.renew("w1", [claim], lease_s=60)).lost == frozenset()


async def test_nor_do_requests_that_hold_them_stop_a_worker_inside_the_server(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EMBEDDED_WORKER, "1")
    await shop.create_table()
    async with shop.folder.load().running(Role.WEB) as container, all_connections(container):
        import shop.tasks as tasks  # type: ignore[import-not-found]

        await tasks.work.enqueue(number=1)
        await wait_until_async(lambda: shop.logged("end")[1] == 1)


@asynccontextmanager
async def all_connections(container: Container) -> AsyncIterator[None]:
    """Hold every connection of the project's pool."""
    engine = container[database].engine
    held = [await engine.connect() for _ in range(engine.pool.size())]  # type: ignore[attr-defined]
    yield
    for connection in held:
        await connection.close()


async def test_a_task_has_the_session_of_a_handler(shop: Shop) -> None:
    await shop.create_table()
    async with shop.enqueueing() as tasks, session() as db, db.atomic():
        await tasks.work.enqueue(number=1)
        assert await db.scalar(sa.select(sa.func.count()).select_from(JOB)) == 1


async def test_the_migration_makes_what_the_model_says(shop: Shop) -> None:
    """Then nothing is left to migrate, and the table can be gone back from."""
    shop.manage("migrate")
    assert "No changes" in shop.manage("makemigrations", "jobs", "--check")
    async with shop.enqueueing() as tasks:
        await tasks.work.enqueue(number=1)
    await wait_until_async(lambda: ready(shop))


async def ready(shop: Shop) -> bool:
    return await shop.count(JobState.READY) == 1


@pytest.mark.parametrize(
    "stored",
    [[{"attempt": 1, "message": "no", "hint": "of a newer version"}], [{"attempt": "x"}], {"a": 1}],
)
async def test_errors_of_another_version_keep_no_worker_from_claiming(
    db: DatabaseConnection, store: JobStore, stored: Any
) -> None:
    await store.enqueue([job(1), job(2)])
    async with db.engine.begin() as own:
        first = sa.select(sa.func.min(JOB.c.id)).scalar_subquery()
        await own.execute(JOB.update().where(JOB.c.id == first).values(errors=stored))
    claims = (await store.claim(REQUEST)).claims
    assert [claim.envelope.payload["number"] for claim in claims] == [1, 2]
    assert len(claims[0].errors) == 1
    dead = Outcome(verdict=Verdict.DEAD)
    await store.settle("w1", [Settlement(claim=claim, outcome=dead) for claim in claims])
    assert [row.state for row in await rows(db)] == [JobState.DEAD, JobState.DEAD]


async def test_vanished_workers_that_a_broken_renewal_found_are_told_of_by_the_next_one(
    db: DatabaseConnection, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.enqueue([job()])
    await store.claim(REQUEST)
    store.clock.advance(timedelta(hours=1))
    with monkeypatch.context() as patch:
        patch.setattr(pruning, "PRUNE_LIMIT", "no number")
        with pytest.raises(Exception, match="no number|LIMIT|limit"):
            await store.renew("w2", (), lease_s=60)
    renewal = await store.renew("w2", (), lease_s=60)
    assert (renewal.freed, len(renewal.vanished)) == (0, 1)
    assert (await store.renew("w2", (), lease_s=60)).vanished == ()
