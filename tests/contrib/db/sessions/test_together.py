"""Sessions of several databases in one unit: what is committed in which order, and what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fastforge.contrib.db import Session, atomic, session
from fastforge.contrib.db.errors import DatabaseError, WriteOutsideAtomic
from fastforge.contrib.db.resources import connection_of
from fastforge.contrib.db.sessions.unit import UnitOfWork, new_session, new_transaction, use_unit
from fastforge.lifecycle import Role
from tests.folder import isolated

from ..tables import Account, Base, Entry

SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db"]
    DATABASES = {
        "default": Database(url=env("DATABASE_URL")),
        "archive": Database(url="sqlite+aiosqlite:///archive.sqlite3"),
        "audit": Database(url="sqlite+aiosqlite:///audit.sqlite3"),
    }
    """
NAMES = ("default", "archive", "audit")


@pytest.fixture
async def running(tmp_path: Path, each_database_url: str) -> AsyncIterator[None]:
    """A project with three databases."""
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        project = folder.load({"FASTFORGE_ENV": "test", "DATABASE_URL": each_database_url})
        async with project.running(Role.COMMAND):
            for name in NAMES:
                async with connection_of(name).engine.begin() as connection:
                    await connection.run_sync(Base.metadata.create_all)
            yield


async def rows() -> dict[str, list[str]]:
    """What is committed, in each database."""
    found = {}
    for name in NAMES:
        async with connection_of(name).session() as own:
            names = await own.scalars(sa.select(Account.name).order_by(Account.name))
            found[name] = list(names)
    return found


def commits(*names: str) -> list[str]:
    """The databases in the order of their commits from now on."""
    order: list[str] = []
    for name in names:
        engine = connection_of(name).engine.sync_engine
        sa.event.listen(engine, "commit", lambda _, name=name: order.append(name))
    return order


def add_everywhere(unit: UnitOfWork) -> None:
    for name in ("default", "audit", "archive"):
        unit.session_of(name).add(Account(name=f"in {name}"))


async def test_each_database_has_one_session(running: None) -> None:
    async with use_unit(UnitOfWork(new_transaction)) as unit:
        assert unit.session_of("archive") is unit.session_of("archive")
        assert unit.session_of("default") is unit.session
        assert unit.session_of("archive") is not unit.session


async def test_they_commit_in_the_order_of_their_use_and_the_default_one_last(
    running: None,
) -> None:
    order = commits(*NAMES)
    async with use_unit(UnitOfWork(new_transaction)) as unit:
        add_everywhere(unit)
    assert order == ["audit", "archive", "default"]
    assert await rows() == {name: [f"in {name}"] for name in NAMES}


async def test_an_exception_rolls_all_of_them_back(running: None) -> None:
    with pytest.raises(ZeroDivisionError):
        async with use_unit(UnitOfWork(new_transaction)) as unit:
            add_everywhere(unit)
            _ = 1 / 0
    assert await rows() == {name: [] for name in NAMES}


async def test_what_a_statement_fails_of_is_found_before_the_first_commit(running: None) -> None:
    order = commits(*NAMES)
    with pytest.raises(IntegrityError):
        async with use_unit(UnitOfWork(new_transaction)) as unit:
            add_everywhere(unit)
            unit.session.add(Account(name="in default"))  # a second time
    assert order == []
    assert await rows() == {name: [] for name in NAMES}


async def test_when_the_second_commit_fails_the_first_stands_and_the_rest_is_rolled_back(
    running: None, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(IntegrityError) as raised:
        async with use_unit(UnitOfWork(new_transaction)) as unit:
            add_everywhere(unit)
            deferred = sa.insert(Entry).values(account_id=999, text="")
            await unit.session_of("archive").execute(deferred)
    assert await rows() == {"default": [], "archive": [], "audit": ["in audit"]}
    assert "the database 'archive' failed after the commit of 'audit'" in raised.value.__notes__
    assert "after the commit of 'audit', which stands" in caplog.text


async def test_objects_that_no_block_wrote_stop_every_commit(running: None) -> None:
    def open_session(name: str) -> Session:
        return new_transaction(name) if name == "default" else new_session(name)

    with pytest.raises(WriteOutsideAtomic):
        async with use_unit(UnitOfWork(open_session)) as unit:
            unit.session.add(Account(name="in default"))
            unit.session_of("audit").add(Account(name="never written"))
    assert await rows() == {name: [] for name in NAMES}


async def test_a_block_and_a_session_may_be_of_another_database(running: None) -> None:
    async with session("archive") as archive, atomic(using="archive") as same:
        assert same is archive
        archive.add(Account(name="in archive"))
    async with session(), atomic(using="audit") as audit:
        assert isinstance(audit, Session)
        audit.add(Account(name="in audit"))

    @atomic(using="archive", retries=1)
    async def add_more() -> None:
        async with atomic(using="archive") as db:
            db.add(Account(name="more"))

    async with session():
        await add_more()
    assert await rows() == {"default": [], "archive": ["in archive", "more"], "audit": ["in audit"]}


async def test_an_unknown_name_has_one_error(running: None) -> None:
    with pytest.raises(DatabaseError, match=r"'archiv'.*did you mean 'archive'"):
        async with session("archiv"):
            pass
    async with session():
        with pytest.raises(DatabaseError, match="did you mean 'audit'"):
            async with atomic(using="audits"):
                pass
