"""Clients that leave, and clients that come when the pool is empty, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import with_driver
from tests.processes import wait_until
from tests.request_path.site import Site, serving

SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.orders"]
        DATABASES = {
            "default": Database(
                url=env.secret("DATABASE_URL"),
                pool_size=env("POOL_SIZE", int),
                pool_timeout_s=env("POOL_TIMEOUT_S", float),
            )
        }
        TASKS = {"backend": "memory"}
        """,
    "shop/orders/__init__.py": "",
    "shop/orders/routes.py": """
        import asyncio
        from dataclasses import asdict

        from fastapi import APIRouter
        from fastapi.responses import StreamingResponse
        from sqlalchemy import text

        from fastforge.contrib.db import DbSession, database_gauges, session
        from fastforge.contrib.db.errors import SessionClosed

        router = APIRouter()
        SLOW = text("SELECT pg_sleep(:seconds)")

        @router.get("/ready")
        async def ready():
            return {}

        @router.get("/gauges")
        async def gauges():
            return asdict(database_gauges()["default"])

        @router.get("/one")
        async def one(db: DbSession):
            return await db.scalar(text("SELECT 1"))

        @router.get("/orders/{seconds}")
        async def orders(seconds: float, db: DbSession):
            await db.execute(SLOW, {"seconds": seconds})

        @router.get("/streams/{seconds}")
        async def streams(seconds: float):
            async def parts():
                yield "begun"
                async with session() as db:
                    await db.execute(SLOW, {"seconds": seconds})

            return StreamingResponse(parts())

        @router.get("/late")
        async def late(db: DbSession):
            async def parts():
                try:
                    await db.scalar(text("SELECT 1"))
                except SessionClosed as closed:
                    yield closed.code

            return StreamingResponse(parts())

        @router.post("/held/{order}")
        async def held(order: int, db: DbSession):
            await db.scalar(text("SELECT 1"))
            print("held", flush=True)
            await asyncio.sleep(60)
        """,
}


@contextmanager
def shop(path: Path, url: str, **settings: object) -> Iterator[Site]:
    environ = {name.upper(): str(value) for name, value in settings.items()}
    with serving(path, SHOP, environ={"DATABASE_URL": url, **environ}) as site:
        yield site


def leaves_nothing(path: Path, url: str, *, clients: int, query_s: float, within_s: float) -> None:
    """Let clients leave during a query, half of them in streams; then ask again."""
    dsn = with_driver(url, "")
    with (
        shop(path, url, pool_size=clients, pool_timeout_s=20) as site,
        psycopg.connect(dsn, autocommit=True) as admin,
    ):

        def backends(query: str) -> int:
            rows = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND query LIKE %s",
                [query],
            ).fetchone()
            assert rows is not None
            return int(rows[0])

        wires = [site.connect() for _ in range(clients)]
        for number, wire in enumerate(wires):
            kind = "streams" if number % 2 else "orders"
            wire.get(f"/{kind}/{query_s}")
        wait_until(lambda: backends("%pg_sleep%") == clients, describe=site.process)
        for wire in wires:
            wire.leave()
        for _ in range(clients // 2):  # what the streams had is given to others
            assert site.get("/one").status == 200

        def is_quiet() -> bool:
            gauges = site.get("/gauges").json
            return gauges["checked_out"] == 0 and backends("%") <= clients

        wait_until(is_quiet, deadline_s=within_s, describe=site.process)
        assert site.get("/one").status == 200
        assert site.get("/late").body == b"db.E004"
        assert site.get("/gauges").json["checked_out"] == 0
        assert "garbage collector" not in site.process.output
        assert "Traceback" not in site.process.output


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_clients_that_leave_take_no_connection_along(
    tmp_path: Path, postgres_dsn: str, driver: str
) -> None:
    url = with_driver(postgres_dsn, driver)
    leaves_nothing(tmp_path, url, clients=10, query_s=1.5, within_s=60)


@pytest.mark.long
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_50_clients_that_leave_take_no_connection_along(
    tmp_path: Path, postgres_dsn: str, driver: str
) -> None:
    url = with_driver(postgres_dsn, driver)
    leaves_nothing(tmp_path, url, clients=50, query_s=5, within_s=5)


def test_an_empty_pool_is_503_and_the_log_names_who_holds_it(
    tmp_path: Path, each_postgres_url: str
) -> None:
    with shop(tmp_path, each_postgres_url, pool_size=1, pool_timeout_s=0.2) as site:
        holding = site.connect().post("/held/7")
        site.wait_for('"event":"held"')
        answer = site.get("/one")
        assert answer.status == 503
        assert answer.one("retry-after") == "1"
        assert answer.json["code"] == "db.E007"
        assert b"held" not in answer.body
        assert site.get("/gauges").json["timeouts"] == 1
        holder = re.search(
            r"db\.E007\].*: 1 of 1 are held by POST /held/\{order\}, request \S+"
            r" \(\d+\.\d s, in atomic\)",
            site.process.output,
        )
        assert holder, site.process
        holding.leave()
