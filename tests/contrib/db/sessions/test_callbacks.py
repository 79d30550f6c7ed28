"""What a commit starts, callbacks and jobs: twelve stories, and what is left of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from fastforge.contrib.db import atomic, on_commit, session
from fastforge.contrib.db.resources import DatabaseConnection, database
from fastforge.contrib.db.sessions import callbacks
from fastforge.contrib.jobs.statements import JOB
from fastforge.lifecycle import Container, Role
from tests.folder import isolated

from ..tables import Account, Base

SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop"]
        DATABASES = {"default": Database(url=env("DATABASE_URL"))}
        """,
    "shop/tasks.py": """
        from fastforge import task

        @task
        async def greet(name: str) -> None: ...
        """,
}


@pytest.fixture
async def container(tmp_path: Path, each_database_url: str) -> AsyncIterator[Container]:
    """A project with jobs."""
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        project = folder.load({"FASTFORGE_ENV": "test", "DATABASE_URL": each_database_url})
        async with project.running(Role.COMMAND) as running:
            async with running[database].engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
                await connection.run_sync(JOB.create)
            yield running


@dataclass
class Story:
    """Things that happen, each of them a row, a callback and a job of one name."""

    db: Any
    greet: Any
    ran: list[str] = field(default_factory=list)
    attempts: int = 0

    async def happens(self, name: str) -> None:
        self.db.add(Account(name=name))
        on_commit(lambda: self.ran.append(name))
        await self.greet.enqueue(name=name)

    async def fails(self, name: str) -> None:
        await self.happens(name)
        raise Failure

    async def collides(self) -> None:
        """Fail as a deadlock does, in the first attempt alone."""
        self.attempts += 1
        if self.attempts == 1:
            raise sa.exc.DBAPIError("", None, Deadlock())


class Failure(Exception):
    pass


class Deadlock(Exception):
    sqlstate = "40P01"


async def commits(story: Story) -> None:
    async with atomic():
        await story.happens("outer")


async def fails(story: Story) -> None:
    with pytest.raises(Failure):
        async with atomic():
            await story.fails("outer")


async def keeps_a_savepoint(story: Story) -> None:
    async with atomic():
        await story.happens("outer")
        async with atomic():
            await story.happens("inner")
        await story.happens("last")


async def undoes_a_savepoint(story: Story) -> None:
    async with atomic():
        await story.happens("outer")
        with pytest.raises(Failure):
            async with atomic():
                await story.fails("inner")
        await story.happens("last")


async def fails_around_a_kept_savepoint(story: Story) -> None:
    with pytest.raises(Failure):
        async with atomic():
            async with atomic():
                await story.happens("inner")
            await story.fails("outer")


async def undoes_a_savepoint_around_a_kept_one(story: Story) -> None:
    async with atomic():
        await story.happens("outer")
        with pytest.raises(Failure):
            async with atomic():
                async with atomic():
                    await story.happens("deep")
                await story.fails("inner")


async def keeps_a_savepoint_around_an_undone_one(story: Story) -> None:
    async with atomic():
        async with atomic():
            await story.happens("inner")
            with pytest.raises(Failure):
                async with atomic():
                    await story.fails("deep")
        await story.happens("outer")


async def joins(story: Story) -> None:
    async with atomic():
        await story.happens("outer")
        async with atomic(savepoint=False):
            await story.happens("inner")


async def fails_in_a_part(story: Story) -> None:
    with pytest.raises(Exception, match=r"db\.E013"):
        async with atomic():
            await story.happens("outer")
            with pytest.raises(Failure):
                async with atomic(savepoint=False):
                    await story.fails("inner")


async def commits_in_the_middle(story: Story) -> None:
    with pytest.raises(Failure):
        async with atomic():
            await story.happens("before")
            await story.db.commit()
            await story.fails("after")


async def is_run_again(story: Story) -> None:
    @atomic(retries=2)
    async def attempt() -> None:
        await story.happens(f"attempt {story.attempts + 1}")
        async with atomic():
            await story.happens(f"savepoint {story.attempts + 1}")
        await story.collides()

    await attempt()


async def fails_when_it_is_run_again(story: Story) -> None:
    @atomic(retries=2)
    async def attempt() -> None:
        await story.happens(f"attempt {story.attempts + 1}")
        await story.collides()
        raise Failure

    with pytest.raises(Failure):
        await attempt()


TABLE: list[tuple[Callable[[Story], Awaitable[None]], list[str]]] = [
    (commits, ["outer"]),
    (fails, []),
    (keeps_a_savepoint, ["outer", "inner", "last"]),
    (undoes_a_savepoint, ["outer", "last"]),
    (fails_around_a_kept_savepoint, []),
    (undoes_a_savepoint_around_a_kept_one, ["outer"]),
    (keeps_a_savepoint_around_an_undone_one, ["inner", "outer"]),
    (joins, ["outer", "inner"]),
    (fails_in_a_part, []),
    (commits_in_the_middle, ["before"]),
    (is_run_again, ["attempt 2", "savepoint 2"]),
    (fails_when_it_is_run_again, []),
]


async def test_rows_callbacks_and_jobs_of_every_story_are_the_same(container: Container) -> None:
    """All of them on one database; what is left of a story is taken away before the next."""
    from shop.tasks import greet  # type: ignore[import-not-found]

    for tell, left in TABLE:
        async with session() as db:
            story = Story(db, greet)
            await tell(story)
        assert story.ran == left, tell.__name__
        async with container[database].engine.begin() as raw:
            rows = (await raw.execute(sa.select(Account.name).order_by(Account.id))).scalars()
            assert list(rows) == left, tell.__name__
            jobs = (await raw.execute(sa.select(JOB.c.payload).order_by(JOB.c.id))).scalars()
            assert [payload["name"] for payload in jobs] == left, tell.__name__
            await raw.execute(sa.delete(Account))
            await raw.execute(sa.delete(JOB))
    assert len(TABLE) == 12


# --- callbacks that fail ---


async def test_a_callback_that_is_not_robust_stops_those_after_it(
    db: DatabaseConnection, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []
    own = db.session()
    async with own.atomic():
        own.add(Account(name="kept"))
        own.on_commit(fail)
        own.on_commit(lambda: ran.append("after a robust one"))
        own.on_commit(fail, robust=False)
        own.on_commit(lambda: ran.append("never"))
        own.on_commit(lambda: ran.append("never"))
    assert ran == ["after a robust one"]
    assert await own.scalar(sa.select(Account.name)) == "kept"
    assert caplog.text.count("a callback of on_commit failed; the commit stands") == 2
    assert "2 callbacks after it did not run" in caplog.text


def fail() -> None:
    raise LookupError("broken callback")


async def test_a_callback_that_is_cancelled_is_a_failure_of_its_own(
    sqlite: DatabaseConnection, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []
    own = sqlite.session()

    async def wait_for_the_cancelled() -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    async with own.atomic():
        own.on_commit(wait_for_the_cancelled)
        own.on_commit(lambda: ran.append("next"))
    assert ran == ["next"]
    assert "a callback of on_commit was cancelled; the commit stands" in caplog.text


async def test_callbacks_that_take_too_long_are_cut_and_the_commit_stands(
    sqlite: DatabaseConnection, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "CALLBACKS_LIMIT_S", 0.05)
    own = sqlite.session()
    async with own.atomic():
        own.add(Account(name="kept"))
        own.on_commit(asyncio.Event().wait)
        own.on_commit(lambda: None)
    assert await own.scalar(sa.select(Account.name)) == "kept"
    assert "took over 0.05 s and were cut; 1 of 2 did not run" in caplog.text


async def test_a_callback_that_writes_leaves_the_blocks_way_as_it_was(
    postgres: DatabaseConnection,
) -> None:
    """After a commit in the middle the block goes on as isolated as it began."""
    own = postgres.session()

    async def write() -> None:
        async with own.atomic():
            own.add(Account(name="by the callback"))

    async with own.atomic(isolation="serializable"):
        own.on_commit(write)
        await own.scalar(text("SELECT 1"))
        await own.commit()
        level = await own.scalar(text("SELECT current_setting('transaction_isolation')"))
        assert level == "serializable"
    assert await own.scalar(sa.select(Account.name)) == "by the callback"
