"""The current session: of a request, a job, a command or a block, and of nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fastforge.contrib.db import DbSession, Session, atomic, session
from fastforge.contrib.db.errors import NoUnitOfWork, SessionClosed, WriteOutsideAtomic
from fastforge.contrib.db.resources import DatabaseConnection, database
from fastforge.contrib.db.sessions.unit import UnitOfWork, current_session
from fastforge.exceptions import ContainerMissing
from fastforge.lifecycle import Container, Role, execute, injected, plan
from tests.folder import isolated
from tests.processes import wait_until_async

from ..tables import Account, Base, connections_out

SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db"]
    DATABASES = {"default": Database(url=env("DATABASE_URL"))}
    """


@pytest.fixture
async def container(tmp_path: Path, each_database_url: str) -> AsyncIterator[Container]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        project = folder.load({"FASTFORGE_ENV": "test", "DATABASE_URL": each_database_url})
        async with project.running(Role.COMMAND) as running:
            async with running[database].engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            yield running


async def rows(container: Container) -> int:
    count = sa.select(sa.func.count(Account.id))
    return int(await container[database].session().scalar(count) or 0)


async def write(*, db: DbSession = injected) -> Session:
    assert not db.in_atomic
    assert current_session() is db
    async with atomic() as same:
        assert same is db
        db.add(Account(name="row"))
    return db


async def test_a_job_has_one_session_outside_atomic_which_is_closed_at_its_end(
    container: Container,
) -> None:
    async with execute(container, plan(write)) as values:
        db = await write(**values)
    assert await rows(container) == 1
    with pytest.raises(SessionClosed):
        await db.execute(sa.text("SELECT 1"))
    assert current_session() is None


async def test_a_job_that_leaves_objects_unwritten_fails(container: Container) -> None:
    with pytest.raises(WriteOutsideAtomic, match="Account"):
        async with execute(container, plan(write)) as values:
            values["db"].add(Account(name="row"))
    assert await rows(container) == 0


async def test_the_error_of_a_job_is_not_hidden_by_what_it_left_unwritten(
    container: Container,
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with execute(container, plan(write)) as values:
            values["db"].add(Account(name="row"))
            _ = 1 / 0
    assert await rows(container) == 0


async def test_session_gives_one_of_its_own(container: Container) -> None:
    async with session() as outer:
        async with session() as inner, atomic() as same:
            assert inner is same
            assert inner is not outer
            inner.add(Account(name="row"))
        assert current_session() is outer
        assert await outer.scalar(sa.select(Account.name)) == "row"
    assert current_session() is None


async def test_gathered_tasks_each_open_their_own(container: Container) -> None:
    async def task(number: int) -> None:
        async with session() as db, db.atomic():
            db.add(Account(name=str(number)))

    await asyncio.gather(*(task(number) for number in range(5)))
    assert await rows(container) == 5


async def test_where_nothing_gives_a_session_the_remedy_is_named(container: Container) -> None:
    assert current_session() is None
    with pytest.raises(NoUnitOfWork, match=r"async with session\(\) as db"):
        async with atomic():
            pass


async def test_without_a_project_there_is_no_session() -> None:
    with pytest.raises(ContainerMissing):
        async with session():
            pass


async def test_a_unit_that_is_not_used_makes_no_session(db: DatabaseConnection) -> None:
    made: list[Session] = []

    def make(_name: str) -> Session:
        made.append(db.session())
        return made[-1]

    unit = UnitOfWork(make)
    await unit.finish(commit=True)
    assert made == []
    with pytest.raises(SessionClosed):  # asked for too late
        await unit.session.execute(sa.text("SELECT 1"))
    await unit.finish(commit=True)


async def test_a_unit_can_be_ended_without_waiting_until_somebody_asks_for_a_session(
    db: DatabaseConnection,
) -> None:
    unused, used = UnitOfWork(lambda _: db.session()), UnitOfWork(lambda _: db.session())
    assert unused.end_unused()
    assert unused.ended
    assert used.session is used.opened
    assert not used.end_unused()
    assert not used.ended
    await used.finish(commit=False)


async def test_a_block_of_a_generator_that_the_event_loop_closes_is_rolled_back(
    container: Container,
) -> None:
    """Nobody else closes it where one generator reads from another; its context is a new one."""
    failures: list[object] = []

    async def inner() -> AsyncIterator[int]:
        async with session() as db, atomic():
            db.add(Account(name="half"))
            await db.flush()
            yield 1

    async def outer() -> None:
        async for _ in inner():
            return

    asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
    async with execute(container, plan(write)):
        await asyncio.create_task(outer())
    await wait_until_async(lambda: connections_out(container[database]) == 0)
    assert await rows(container) == 0
    assert failures == []


@pytest.mark.parametrize("opens", [False, True])
@pytest.mark.parametrize("commit", [False, True])
async def test_a_block_that_is_held_past_the_end_of_its_unit_ends_with_it(
    db: DatabaseConnection, opens: bool, commit: bool
) -> None:
    """A dependency of the default scope leaves its block after the answer."""

    def make(_name: str) -> Session:
        made = db.session()
        if opens:
            made.open()
        return made

    unit = UnitOfWork(make)
    async with unit.session.atomic(), unit.session.atomic():
        unit.session.add(Account(name="row"))
        await unit.finish(commit=commit)
        assert connections_out(db) == 0
    async with db.session() as other:
        assert list(await other.scalars(sa.select(Account.name))) == ["row"] * commit
