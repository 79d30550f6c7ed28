"""A test that says how many statements a block may run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from fastforge.asgi import get_asgi_application
from fastforge.contrib.db.queries import assert_num_queries
from fastforge.contrib.db.resources import DatabaseConnection
from tests.contrib.db.asgi import call, serving
from tests.contrib.db.tables import Account
from tests.folder import ProjectFolder, isolated


async def test_statements_are_counted_and_what_begins_and_ends_is_not(
    db: DatabaseConnection,
) -> None:
    with assert_num_queries(3) as count:
        async with db.session() as session, session.atomic():
            session.add(Account(name="a"))
            async with session.atomic():
                await session.scalars(select(Account))
            await session.scalar(text("SELECT 1"))
    assert [text.partition(" ")[0] for text in count.statements] == ["INSERT", "SELECT", "SELECT"]


async def test_a_wrong_number_fails_with_the_statements(sqlite: DatabaseConnection) -> None:
    with pytest.raises(AssertionError) as failure:
        async with assert_num_queries(1), sqlite.session() as session:
            await session.scalar(text("SELECT 1"))
            await session.scalar(select(Account.name).where(Account.id == 1))
    assert str(failure.value).splitlines() == [
        "1 queries expected, 2 ran:",
        "  1. SELECT 1",
        "  2. SELECT account.name FROM account WHERE account.id = ?",
    ]


async def test_none_at_all(sqlite: DatabaseConnection) -> None:
    with assert_num_queries(0):
        async with sqlite.session():
            pass
    with pytest.raises(AssertionError, match=r"^2 queries expected, 0 ran$"), assert_num_queries(2):
        pass


async def test_a_block_that_raises_is_not_judged(sqlite: DatabaseConnection) -> None:
    with pytest.raises(ZeroDivisionError), assert_num_queries(5):
        _ = 1 / 0


async def test_blocks_count_each_for_itself(sqlite: DatabaseConnection) -> None:
    async with sqlite.session() as session:
        with assert_num_queries(2):
            await session.scalar(text("SELECT 1"))
            with assert_num_queries(1):
                await session.scalar(text("SELECT 2"))
        await session.scalar(text("SELECT 3"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": f"""
                    from fastforge.contrib.db import Database

                    ALLOWED_HOSTS = ["*"]
                    INSTALLED_APPS = ["fastforge.contrib.db", "shop.numbers"]
                    DATABASES = {{
                        "default": Database(url="sqlite+aiosqlite:///{tmp_path}/shop.sqlite3")
                    }}
                    """,
                "shop/numbers/routes.py": """
                    from fastapi import APIRouter
                    from sqlalchemy import text
                    from fastforge.contrib.db import DbSession

                    router = APIRouter()

                    @router.get("/two")
                    async def two(db: DbSession) -> int:
                        return sum([await db.scalar(text("SELECT 1")) for _ in range(2)])
                    """,
            }
        )
        yield folder


async def test_the_statements_of_the_app_under_test_count(shop: ProjectFolder) -> None:
    async with serving(get_asgi_application(shop.load())) as app:
        with assert_num_queries(2):
            assert (await call(app, "GET", "/two")).body == b"2"
