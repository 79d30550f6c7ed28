"""Through a PgBouncer in transaction mode, where each transaction may have another connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text

from fastforge.contrib.db import Database
from fastforge.contrib.db.errors import StatementTimeout, TransactionMisuse
from fastforge.contrib.db.opening import open_database
from tests.contrib.db.tables import Account, opened

CLIENTS = 20


@pytest.mark.parametrize("units", [200, pytest.param(1000, marks=pytest.mark.long)])
async def test_many_units_meet_no_error(pooled_url: str, units: int) -> None:
    """Many more connections to the pooler than it has to the server: they get each other's."""
    async with opened(pooled_url, pooler="transaction", pool_size=CLIENTS, pool_timeout_s=60) as db:

        async def unit(client: int, number: int) -> None:
            async with db.session() as session:
                if number % 5:
                    told = text(f"SELECT {client}, :number ::int")
                    rows = await session.execute(told, {"number": number})
                    assert rows.one() == (client, number)
                else:
                    async with session.atomic():
                        session.add(Account(name=f"{client}-{number}"))

        async def run(client: int) -> None:
            for number in range(units // CLIENTS):
                await unit(client, number)

        async with asyncio.TaskGroup() as group:
            for client in range(CLIENTS):
                group.create_task(run(client))
        gauges = db.engines.pool.gauges
        assert (gauges.connects, gauges.invalidations) == (CLIENTS, 0)
        async with db.session() as session:
            rows = await session.scalar(select(func.count(Account.id)))
        assert rows == units // 5


async def test_each_transaction_is_told_its_limits(pooled_url: str) -> None:
    async with opened(
        pooled_url, pooler="transaction", statement_timeout_s=7, lock_timeout_s=3, pool_size=1
    ) as db:
        session = db.session()
        shown = [
            await session.scalar(text(f"SHOW {name}"))
            for name in (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "client_connection_check_interval",
            )
        ]
        async with session.atomic():
            shown.append(await session.scalar(text("SHOW statement_timeout")))
    assert shown == ["7s", "3s", "30s", "0", "7s"]


async def test_a_limit_holds_through_the_pooler(pooled_url: str) -> None:
    async with opened(pooled_url, pooler="transaction", statement_timeout_s=0.05) as db:
        with pytest.raises(StatementTimeout):
            await db.session().execute(text("SELECT pg_sleep(60)"))


async def test_a_limit_is_no_statement_of_the_users(pooled_url: str) -> None:
    """One of a request that is counted, tagged, or complained of."""
    async with opened(pooled_url, pooler="transaction") as db:
        seen: list[str] = []

        @event.listens_for(db.engines.write, "before_cursor_execute")
        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)

        await db.session().scalar(text("SELECT 1"))
    assert seen == ["SELECT 1"]


async def test_the_servers_own_view_of_a_replica_is_set_as_well(pooled_url: str) -> None:
    config = Database(url=pooled_url, pooler="transaction", read_only=True)
    replica = await open_database(config, root=Path.cwd(), environment="test")
    assert await replica.session().scalar(text("SHOW transaction_read_only")) == "on"
    await replica.engine.dispose()


async def test_what_needs_a_connection_of_its_own_is_refused(pooled_url: str) -> None:
    async with opened(pooled_url, pooler="transaction") as db, db.session() as session:
        with pytest.raises(TransactionMisuse, match=r"db\.E044\] pinned\(\) needs one connection"):
            async with session.pinned():
                pass
