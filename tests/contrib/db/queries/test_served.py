"""What is told of statements by a project that is served over HTTP."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import start
from tests.conftest import with_driver
from tests.processes import Process, fetch, free_port, wait_until
from tests.request_path.site import write

FILES = {
    "shop/settings.py": """
        import os

        from fastforge.conf import App
        from fastforge.contrib.db import Database

        ALLOWED_HOSTS = ["*"]
        INSTALLED_APPS = ["fastforge.contrib.db", App("shop.orders", prefix="/api")]
        DATABASES = {"default": Database(url=os.environ["URL"], slow_query_ms=100)}
        """,
    "shop/orders/models.py": """
        from __future__ import annotations

        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import Mapped, mapped_column, relationship

        from fastforge.contrib.db import Model

        class Order(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            lines: Mapped[list[Line]] = relationship()

        class Line(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            order_id: Mapped[int] = mapped_column(ForeignKey(Order.id))
        """,
    "shop/orders/routes.py": """
        from fastapi import APIRouter
        from sqlalchemy import func, select, text

        from fastforge.contrib.db import DbSession, session

        from .models import Line, Order

        router = APIRouter(prefix="/orders")

        @router.post("/{number}")
        async def place(number: int, db: DbSession) -> int:
            await db.run_sync(lambda session: Order.metadata.create_all(session.connection()))
            db.add_all([Order(lines=[Line()]) for _ in range(number)])
            await db.flush()
            return await db.scalar(select(func.count()).select_from(Order))

        @router.get("/{number}")
        async def show(number: int, db: DbSession) -> int:
            orders = (await db.scalars(select(Order).limit(number))).all()
            return sum([len(await order.awaitable_attrs.lines) for order in orders])

        @router.get("/of/its/own")
        async def of_its_own() -> int:
            async with session() as db:
                return await db.scalar(text("SELECT 1"))

        @router.get("/nothing/at/all")
        async def nothing(db: DbSession) -> str:
            return ""

        @router.get("/slow/{seconds}")
        async def slow(seconds: float, db: DbSession) -> str:
            return await db.scalar(
                text(
                    "SELECT query FROM pg_stat_activity, pg_sleep(:s)"
                    " WHERE pid = pg_backend_pid()"
                ),
                {"s": seconds},
            )
        """,
}


class Shop:
    """The project, served."""

    def __init__(self, folder: Path, process: Process, port: int) -> None:
        self.folder = folder
        self.process = process
        self.url = f"http://127.0.0.1:{port}/api/orders"

    def ask(self, path: str) -> tuple[str, dict[str, str]]:
        answer = fetch(f"{self.url}{path}")
        assert answer is not None and answer.status == 200, f"{answer} {self.process}"
        return json.loads(answer.body), dict(answer.headers)


def served(path: Path, url: str, environment: str) -> Iterator[Shop]:
    write(path, FILES)
    port = free_port()
    argv = [sys.executable, "-m", "fastforge", "runserver", str(port), "--no-reload"]
    if environment == "production":
        argv += ["--workers", "1"]  # each writes lines of its own
    env = {
        "FASTFORGE_ENV": environment,
        "URL": url,
        "SECRET_KEY": "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd",
    }
    with start(argv, cwd=path, env=env) as process:
        shop = Shop(path, process, port)
        wait_until(lambda: fetch(f"{shop.url}/nothing/at/all") is not None, describe=process)
        yield shop


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def developed(folder: Path, postgres_server: str) -> Iterator[Shop]:
    yield from served(
        folder / "development", with_driver(postgres_server, "asyncpg"), "development"
    )


@pytest.fixture(scope="module")
def deployed(folder: Path, postgres_server: str) -> Iterator[Shop]:
    yield from served(folder / "production", with_driver(postgres_server, "psycopg"), "production")


def test_a_browser_is_told_what_a_request_asked_of_the_database(developed: Shop) -> None:
    _, headers = developed.ask("/nothing/at/all")
    assert "server-timing" not in headers
    text, headers = developed.ask("/slow/0")
    timing = re.fullmatch(r'db;desc="1 query";dur=(\d+\.\d)', headers["server-timing"])
    assert timing is not None and float(timing[1]) > 0
    # The route is that of the router's inclusion, and nothing of the request is in it.
    assert text.startswith("/*app='shop',route='/api/orders/slow/{seconds}'*/ SELECT query")


def test_a_browser_is_told_of_a_session_that_the_handler_opens_itself(developed: Shop) -> None:
    _, headers = developed.ask("/of/its/own")
    assert headers["server-timing"].startswith('db;desc="1 query";dur=')


def test_a_list_that_asks_row_by_row_is_told_of_once(developed: Shop) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{developed.url}/6", method="POST")).close()
    for _ in range(2):
        found, headers = developed.ask("/6")
        assert found == 6
        assert headers["server-timing"].startswith('db;desc="7 queries";dur=')
    output = developed.process.wait_for("repeated query: ")
    assert output.count("repeated query: ") == 1
    assert "5 times in GET /api/orders/{number}, request " in output
    lines = (developed.folder / "shop/orders/routes.py").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "awaitable_attrs" in text)
    place = f"shop/orders/routes.py:{line}"
    assert f", at {place}, which loads Order.lines for one Order after the other" in output


def test_a_slow_statement_is_one_line_in_production(deployed: Shop) -> None:
    text, headers = deployed.ask("/slow/0.2")
    assert text.startswith("/*app='shop',route='/api/orders/slow/{seconds}'*/ ")
    assert "server-timing" not in headers
    deployed.process.wait_for("slow query: ")
    lines = [line for line in deployed.process.output.splitlines() if "slow query: " in line]
    request = f"GET /api/orders/slow/{{seconds}}, request {headers['x-request-id']}: SELECT query"
    (line,) = lines
    assert re.search(
        rf"slow query: \d+(\.\d)? ms, 1 row, not in atomic, {re.escape(request)}", line
    )
