"""A statement outside a transaction has a connection that commits it, and puts it back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.util import greenlet_spawn

from fastforge.contrib.db.opening import DatabaseConnection
from fastforge.contrib.db.pool.single import Single


async def driver_says(db: DatabaseConnection, *, autocommit: bool) -> bool:
    """Whether the connection that the pool gives next begins transactions or does not."""

    def look() -> bool:
        with db.engines.write.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            return bool(driver.autocommit) is autocommit

    return await greenlet_spawn(look)


async def test_each_statement_stands_for_itself_and_the_next_user_has_transactions(
    postgres: DatabaseConnection,
) -> None:
    def use() -> list[bool]:
        single = Single(postgres.engines.single)
        driver: Any = single.connection.connection.dbapi_connection
        said = [bool(driver.autocommit)]
        single.connection.execute(text("SELECT 1"))
        single.close()
        return [*said, single.connection.closed]

    assert await greenlet_spawn(use) == [True, True]
    assert await driver_says(postgres, autocommit=False)
    assert postgres.engines.pool.checkedout() == 0


async def test_a_connection_that_cannot_be_put_back_is_thrown_away(
    postgres: DatabaseConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def use() -> Connection:
        single = Single(postgres.engines.single)
        single.close()
        return single.connection

    def fail(_connection: Any) -> None:
        raise RuntimeError("it cannot")

    before = postgres.engines.pool.counts.invalidations
    with monkeypatch.context() as patched:
        patched.setattr(postgres.engine.dialect, "reset_isolation_level", fail)
        await greenlet_spawn(use)
    assert postgres.engines.pool.counts.invalidations == before + 1
    assert postgres.engines.pool.checkedout() == 0
    assert await driver_says(postgres, autocommit=False)


async def test_a_connection_that_cannot_be_told_goes_back(
    postgres: DatabaseConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_connection: Any, _level: str) -> None:
        raise RuntimeError("it cannot")

    with monkeypatch.context() as patched:
        patched.setattr(postgres.engine.dialect, "set_isolation_level", fail)
        with pytest.raises(RuntimeError):
            await greenlet_spawn(Single, postgres.engines.single)
    assert postgres.engines.pool.checkedout() == 0


async def test_what_has_failed_in_a_savepoint_of_the_driver_spoils_nothing(
    postgres: DatabaseConnection,
) -> None:
    """The server is asked at the commit, since nobody notes what was taken back."""
    db = postgres.session()
    async with db.atomic():
        connection = await db.connection()
        with pytest.raises(Exception, match="division by zero"):
            async with connection.begin_nested():
                await connection.execute(text("SELECT 1 / 0"))
        assert await db.scalar(text("SELECT 1")) == 1
    await db.close()
