"""What goes wrong with a database is one answer and one line, without values, on every driver."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from sqlalchemy import text
from starlette.websockets import WebSocketDisconnect

from fastforge.asgi import get_asgi_application
from fastforge.contrib.db.errors import CheckViolation, UniqueViolation
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.tasks.outcome import AttemptError
from fastforge.test.proxy import Proxy
from tests.commanding import python
from tests.conftest import with_driver
from tests.folder import isolated
from tests.processes import wait_until_async

from .asgi import serving
from .tables import limited, opened

SECRET = "s3cret"
SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.bank"]
        DATABASES = {
            "default": Database(
                url=env("DATABASE_URL"),
                pool_size=2,
                max_overflow=0,
                pool_timeout_s=env("POOL_TIMEOUT_S", float, default=30),
                lock_timeout_s=env("LOCK_TIMEOUT_S", float, default=30),
                statement_timeout_s=env("STATEMENT_TIMEOUT_S", float, default=30),
            )
        }
        """,
    "shop/bank/tables.py": """
        from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table

        from fastforge.contrib.db.model import NAMING_CONVENTION, UtcDateTime

        goods = Table(
            "goods",
            MetaData(naming_convention=NAMING_CONVENTION),
            Column("id", Integer, primary_key=True),
            Column("name", String(8), unique=True, nullable=False),
            Column("price", Integer, CheckConstraint("price > 0", name="positive")),
            Column("parent_id", ForeignKey("goods.id")),
            Column("made_at", UtcDateTime),
        )
        """,
    "shop/bank/routes.py": """
        import asyncio
        from datetime import datetime

        from fastapi import APIRouter, WebSocket
        from sqlalchemy import insert, select, text, update

        from fastforge.contrib.db import DbSession, session

        from .tables import goods

        router = APIRouter()
        log = []
        proxies = []

        SECRET = "s3cret"
        VALUES = {
            "unique": {"name": SECRET},
            "reference": {"name": "x", "parent_id": 99},
            "missing": {"name": None},
            "check": {"name": "x", "price": -1},
            "long": {"name": SECRET + "and more"},
            "nul": {"name": SECRET[:3] + chr(0)},
            "half": {"name": SECRET[:3] + chr(0xD800)},
            "naive": {"name": "x", "made_at": datetime(2026, 1, 2)},
        }

        async def until(ready):
            async with asyncio.timeout(60):
                while not ready():
                    await asyncio.sleep(0.01)

        @router.post("/write/{what}")
        async def write(what: str, db: DbSession):
            await db.execute(insert(goods).values(VALUES[what]))

        @router.get("/read")
        async def read(db: DbSession):
            return await db.scalar(text("SELECT 1"))

        @router.get("/goods/{number}")
        async def one(number: int, db: DbSession):
            return await db.scalar(select(goods.c.name).where(goods.c.id == number))

        @router.get("/hold")
        async def hold(db: DbSession):
            async with db.streaming(text("SELECT 1")):
                log.append("held")
                await until(lambda: "go" in log)

        @router.post("/locked")
        async def locked(db: DbSession):
            change = update(goods).where(goods.c.id == 1).values(price=2)
            await db.execute(change)
            async with session() as own, own.atomic():
                await own.execute(change)

        @router.post("/slow")
        async def slow(db: DbSession):
            await db.execute(insert(goods).values(name="slow"))
            await db.execute(text("SELECT pg_sleep(60)"))

        @router.post("/deadlock/{first}/{second}")
        async def deadlock(first: int, second: int, db: DbSession):
            await db.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
            for id in (first, second):
                await db.execute(update(goods).where(goods.c.id == id).values(price=first))
                log.append(first)
                await until(lambda: len(log) > 1)

        @router.post("/stale")
        async def stale(db: DbSession):
            await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            change = update(goods).where(goods.c.id == 1).values(price=goods.c.price + 1)
            await db.scalar(select(goods.c.price))
            log.append("read")
            await until(lambda: "go" in log)
            await db.execute(change)

        @router.post("/killed/{then}")
        async def killed(then: str, db: DbSession):
            pid = await db.scalar(text("SELECT pg_backend_pid()"))
            await db.execute(insert(goods).values(name="killed"))
            async with session() as own:
                await own.execute(text(f"SELECT pg_terminate_backend({pid})"))
                while await own.scalar(text(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}")):
                    await asyncio.sleep(0.01)
            if then == "read":
                await db.execute(text("SELECT 1"))

        @router.post("/half/{how}")
        async def half(how: str, db: DbSession):
            async with session() as own:
                if how == "session":
                    async with own.atomic():
                        await own.execute(insert(goods).values(name="apart"))
                elif how == "looked":
                    async with own.atomic(), own.atomic():
                        await own.scalar(select(goods.c.name))
                elif how == "undone":
                    async with own.atomic():
                        await own.execute(insert(goods).values(name="undone"))
                        await own.rollback()
            await db.execute(insert(goods).values(name=how))
            if how == "commit":
                await db.commit()
            await killed("read", db)

        @router.post("/half-exhausted")
        async def half_exhausted(db: DbSession):
            await db.execute(insert(goods).values(name="half"))
            await db.commit()
            async with session() as one, one.atomic(), session() as other, other.atomic():
                await one.scalar(text("SELECT 1"))
                await other.scalar(text("SELECT 1"))
                await db.scalar(text("SELECT 1"))

        @router.post("/cut")
        async def cut(db: DbSession):
            await db.execute(insert(goods).values(name="cut"))
            proxies[0].cut_after(0, "to_client")

        @router.websocket("/socket/{accept}/{what}")
        async def socket(websocket: WebSocket, accept: bool, what: str, db: DbSession):
            if accept:
                await websocket.accept()
            async with db.atomic():
                await db.execute(insert(goods).values(VALUES[what]))

        @router.websocket("/locked")
        async def locked_socket(websocket: WebSocket, db: DbSession):
            await websocket.accept()
            async with db.atomic():
                await locked(db)
        """,
    "shop/bank/commands/fill.py": """
        '''Write the same row twice.'''

        from fastforge import injected
        from fastforge.commands import command
        from fastforge.contrib.db import DbSession
        from shop.bank.tables import goods


        @command
        async def fill(*, db: DbSession = injected) -> None:
            async with db.atomic():
                await (await db.connection()).run_sync(goods.create)
                for _ in range(2):
                    await db.execute(goods.insert().values(name="s3cret"))
        """,
}


@dataclass
class Bank:
    """The project, running, and its database as another process sees it."""

    app: FastAPI
    world: DatabaseConnection
    client: httpx.AsyncClient

    async def post(self, path: str) -> httpx.Response:
        return await self.client.post(path)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def names(self) -> list[str]:
        async with self.world.engine.connect() as raw:
            rows = await raw.execute(text("SELECT name FROM goods ORDER BY id"))
            return list(rows.scalars())


@asynccontextmanager
async def running(
    path: Path, url: str, *, app: FastAPI | None = None, through: str = "", **environ: str
) -> AsyncIterator[Bank]:
    """Run the project on a database that has two goods.

    Args:
        path: An empty folder.
        url: The database.
        app: The application, where the test has one of its own.
        through: Another URL of the same database, by which the project reaches it.
        environ: Variables that the settings read.
    """
    with isolated(path) as folder:
        folder.write(SHOP)
        variables = {"FASTFORGE_ENV": "test", "DATABASE_URL": through or url, **environ}
        project = folder.load(variables)
        app = get_asgi_application(project, app=app)
        async with opened(url) as world:
            goods = sys.modules["shop.bank.tables"].goods
            async with world.engine.begin() as raw:
                await raw.run_sync(goods.create)
                await raw.execute(goods.insert(), [{"name": SECRET}, {"name": "other"}])
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
            async with serving(app), client:
                yield Bank(app, world, client)


def module() -> Any:
    return sys.modules["shop.bank.routes"]


def told(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """The one line of the log, which holds no value and no SQL."""
    (record,) = (each for each in caplog.records if each.name == "fastforge.contrib.db")
    message = record.getMessage()
    assert not record.exc_info
    assert "\n" not in message
    assert not any(secret in message for secret in (SECRET, "INSERT", "UPDATE", "SELECT"))
    caplog.clear()
    return record


def assert_told(
    answer: httpx.Response,
    caplog: pytest.LogCaptureFixture,
    *,
    status: int,
    code: str,
    line: str,
    retry_after: str | None = None,
) -> None:
    """Compare an answer, which names nothing of ours, and its line."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry_after
    assert not any(name in answer.text for name in (SECRET, "goods", "INSERT", "SELECT", "23505"))
    record = told(caplog)
    assert record.getMessage().startswith(f"[{code}] ")
    assert line in record.getMessage()
    assert record.levelno >= logging.INFO


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="fastforge.contrib.db")


# --- what the constraints refuse ---


async def test_what_constraints_refuse(
    tmp_path: Path, each_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite = each_database_url.startswith("sqlite")
    facts = {
        "unique": (409, "UniqueViolation, uq_goods_name of goods, SQLSTATE 23505"),
        "reference": (
            409,
            "ForeignKeyViolation, fk_goods_parent_id_goods of goods, SQLSTATE 23503",
        ),
        "missing": (500, "NotNullViolation, goods.name, SQLSTATE 23502"),
        "check": (500, "CheckViolation, ck_goods_positive of goods, SQLSTATE 23514"),
        "long": (500, "ValueTooLong, SQLSTATE 22001"),
        "nul": (500, "InvalidText, SQLSTATE 22021"),
        "half": (500, "InvalidText, SQLSTATE 22021"),
    }
    if sqlite:
        facts["reference"] = (409, "ForeignKeyViolation, SQLSTATE")
        del facts["long"], facts["nul"]
    async with running(tmp_path, each_database_url) as bank:
        for what, (status, line) in facts.items():
            answer = await bank.post(f"/write/{what}")
            code = "db.E021" if status == 409 else "db.E050"
            place = f"{tmp_path / 'shop/bank/routes.py'}:"
            assert place in caplog.records[-1].getMessage()
            assert_told(answer, caplog, status=status, code=code, line=line)
        answer = await bank.get(f"/goods/{10**30}")
        line = "ValueOutOfRange, SQLSTATE 22003"
        assert_told(answer, caplog, status=500, code="db.E050", line=line)
        if sqlite:  # which takes a text of any length, and NUL
            for what in ("long", "nul"):
                assert (await bank.post(f"/write/{what}")).status_code == 200
            return
        assert await bank.names() == [SECRET, "other"]


async def test_a_handler_of_the_users_says_it_better(tmp_path: Path, sqlite_url: str) -> None:
    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, CheckViolation)
        return Response(error.constraint, 422)

    app = FastAPI(exception_handlers={CheckViolation: invalid})
    async with running(tmp_path, sqlite_url, app=app) as bank:
        answer = await bank.post("/write/check")
    assert (answer.status_code, answer.text) == (422, "ck_goods_positive")


async def test_a_time_without_a_zone(
    tmp_path: Path, each_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, each_database_url) as bank:
        answer = await bank.post("/write/naive")
        assert answer.status_code == 500
        assert "2026" not in answer.text
        assert await bank.names() == [SECRET, "other"]
    # A mistake in the program, with its traceback: that ends with our line, and has no SQL.
    assert "INSERT" not in caplog.text


# --- what passes, and what may be sent again ---


async def test_somebody_elses_lock(
    tmp_path: Path, each_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, each_database_url, LOCK_TIMEOUT_S="0.1") as bank:
        answer = await bank.post("/locked")
    line = "LockTimeout, SQLSTATE 55P03"
    assert_told(answer, caplog, status=503, code="db.E052", line=line, retry_after="1")


async def test_a_deadlock(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, each_postgres_url) as bank:
        answers = await asyncio.gather(bank.post("/deadlock/1/2"), bank.post("/deadlock/2/1"))
        kept, ended = sorted(answers, key=lambda answer: answer.status_code)
        assert kept.status_code == 200
        line = "Deadlock, SQLSTATE 40P01"
        assert_told(ended, caplog, status=503, code="db.E051", line=line, retry_after="1")


async def test_a_serialization_failure(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, each_postgres_url) as bank:
        request = asyncio.create_task(bank.post("/stale"))
        await wait_until_async(lambda: module().log == ["read"])
        async with bank.world.engine.begin() as raw:
            await raw.execute(text("UPDATE goods SET price = 5 WHERE id = 1"))
        module().log.append("go")
        answer = await request
    line = "SerializationFailure, SQLSTATE 40001"
    assert_told(answer, caplog, status=503, code="db.E051", line=line, retry_after="1")


async def test_a_statement_that_takes_too_long(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, each_postgres_url, STATEMENT_TIMEOUT_S="0.3") as bank:
        answer = await bank.post("/slow")
        line = "StatementTimeout, SQLSTATE 57014"
        assert_told(answer, caplog, status=504, code="db.E053", line=line)
        assert await bank.names() == [SECRET, "other"]


async def test_a_pool_without_a_free_connection(
    tmp_path: Path, each_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, each_database_url, POOL_TIMEOUT_S="0.2") as bank:
        holders = [asyncio.create_task(bank.get("/hold")) for _ in range(2)]
        await wait_until_async(lambda: len(module().log) == 2)
        answer = await bank.get("/read")
        module().log.append("go")
        assert [holder.status_code for holder in await asyncio.gather(*holders)] == [200, 200]
        assert (await bank.get("/read")).json() == 1
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["code"] == "db.E007"
    assert answer.json()["detail"] == "nothing has been written; try again"
    assert "/hold" not in answer.text
    (line,) = (each for each in caplog.messages if each.startswith("[db.E007]"))
    assert "2 of 2 are held by" in line
    assert len(re.findall(r"GET /hold, request [\w-]+ \(\d+\.\d s, in a stream\)", line)) == 2


async def test_a_server_without_a_free_connection(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        limited(each_postgres_url, connections=1) as narrow,
        running(tmp_path, each_postgres_url, through=narrow) as bank,
    ):
        holder = asyncio.create_task(bank.get("/hold"))
        await wait_until_async(lambda: module().log == ["held"])
        answer = await bank.get("/read")
        module().log.append("go")
        assert (await holder).status_code == 200
        assert (await bank.get("/read")).json() == 1
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "db.E054"


# --- connections that break ---


async def test_a_connection_that_is_killed_in_mid_request(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, each_postgres_url) as bank:
        answer = await bank.post("/killed/read")
        line = "was lost before the commit (ConnectionLost"
        assert_told(answer, caplog, status=503, code="db.E055", line=line, retry_after="1")

        answer = await bank.post("/killed/commit")
        line = "unknown outcome: the connection to the database was lost while COMMIT ran"
        assert_told(answer, caplog, status=500, code="db.E056", line=line)
        assert await bank.names() == [SECRET, "other"]
        assert (await bank.get("/read")).json() == 1


async def test_what_has_been_written_in_part_is_not_to_be_repeated(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By a commit on the way, or in a session of its own."""
    async with running(tmp_path, each_postgres_url) as bank:
        for how in ("commit", "session"):
            answer = await bank.post(f"/half/{how}")
            line = "after a part of the request was committed (ConnectionLost"
            assert_told(answer, caplog, status=500, code="db.E055", line=line)
            assert answer.json()["detail"].startswith("a part of this has been written")
        assert await bank.names() == [SECRET, "other", "commit", "apart"]


async def test_who_has_only_looked_may_try_again(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A transaction that has read, and one that has been undone, leave nothing behind."""
    async with running(tmp_path, each_postgres_url) as bank:
        for how in ("looked", "undone"):
            answer = await bank.post(f"/half/{how}")
            line = "was lost before the commit (ConnectionLost"
            assert_told(answer, caplog, status=503, code="db.E055", line=line, retry_after="1")
            assert answer.json()["detail"] == "nothing has been written; try again"
        assert await bank.names() == [SECRET, "other"]


async def test_a_pool_that_is_exhausted_after_a_commit_invites_nobody(
    tmp_path: Path, each_postgres_url: str
) -> None:
    async with running(tmp_path, each_postgres_url, POOL_TIMEOUT_S="0.2") as bank:
        answer = await bank.post("/half-exhausted")
        assert (answer.status_code, answer.json()["code"]) == (500, "db.E007")
        assert answer.json()["detail"].startswith("a part of this has been written")
        assert "retry-after" not in answer.headers


async def test_a_commit_whose_answer_is_lost(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The rows are there, and the client has no 2xx: why it is told not to repeat it blindly."""
    with Proxy(each_postgres_url) as proxy:
        async with running(tmp_path, each_postgres_url, through=proxy.url) as bank:
            module().proxies.append(proxy)
            answer = await bank.post("/cut")
            proxy.heal()
            line = "unknown outcome"
            assert_told(answer, caplog, status=500, code="db.E056", line=line)
            assert "look before you try again" in answer.json()["detail"]
            assert await bank.names() == [SECRET, "other", "cut"]


async def test_a_server_that_is_down(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Proxy(each_postgres_url) as proxy:
        async with running(tmp_path, each_postgres_url, through=proxy.url) as bank:
            proxy.refuse()
            proxy.reset()
            lost = await bank.post("/write/unique")
            line = "was lost before the commit (ConnectionLost"
            assert_told(lost, caplog, status=503, code="db.E055", line=line, retry_after="1")
            for request in (bank.post("/write/unique"), bank.get("/read")):
                answer = await request
                line = f"the database 127.0.0.1:{proxy.port}/"
                assert_told(answer, caplog, status=503, code="db.E020", line=line, retry_after="5")
            proxy.heal()
            assert (await bank.get("/read")).json() == 1


# --- sockets, jobs ---


async def test_a_socket_is_refused_or_closed_by_what_it_means(
    tmp_path: Path, each_database_url: str
) -> None:
    def handshake(client: TestClient) -> int:
        with (
            pytest.raises(WebSocketDisconnect) as refused,
            client.websocket_connect("/socket/0/unique"),
        ):
            pass
        status: int = getattr(refused.value, "status_code", 0)
        return status

    def code(client: TestClient, path: str) -> int:
        socket_to = client.websocket_connect(path)
        with socket_to as socket, pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        return closed.value.code

    def talk(app: FastAPI) -> tuple[int, int, int, int]:
        with TestClient(app, base_url="http://localhost") as client:
            return (
                handshake(client),
                code(client, "/socket/1/unique"),
                code(client, "/socket/1/check"),
                code(client, "/locked"),
            )

    async with running(tmp_path, each_database_url, LOCK_TIMEOUT_S="0.1") as bank:
        assert await asyncio.to_thread(talk, bank.app) == (409, 1008, 1011, 1013)


async def test_a_job_keeps_what_it_means_and_no_value(postgres: DatabaseConnection) -> None:
    """Whether it is tried again is its policy's affair, as with any other error."""
    postgres.engine.sync_engine.hide_parameters = True
    insert = text("INSERT INTO account (name, balance) VALUES (:name, 0)")
    with pytest.raises(UniqueViolation) as raised:
        for _ in range(2):
            async with postgres.session().atomic() as session:
                await session.execute(insert, {"name": SECRET})
    kept = AttemptError.of(raised.value, attempt=1)
    assert kept.type == "fastforge.contrib.db.errors.UniqueViolation"
    assert SECRET not in kept.message


# --- at the start ---


@pytest.mark.parametrize(
    ("driver", "change", "line"),
    [
        ("asyncpg", {"password": "wrong"}, "the server refuses the user or its password; check"),
        ("psycopg", {"password": "wrong"}, "the server refuses the user or its password; check"),
        ("asyncpg", {"database": "nowhere"}, "the server has no such database; create it, or"),
        ("psycopg", {"port": 9}, "nothing listens there; start it, or check the host and port"),
        ("psycopg", {"host": "nowhere.invalid"}, "the host name is unknown; check the host"),
        ("psycopg", {"query": {"colour": "1"}}, 'invalid connection option "colour"; correct it'),
        ("asyncpg", {"query": {"sslmode": "so"}}, "`sslmode` parameter must be one of: "),
    ],
)
def test_a_command_tells_it_in_one_line(
    tmp_path: Path, postgres_dsn: str, driver: str, change: dict[str, Any], line: str
) -> None:
    url = sa.make_url(with_driver(postgres_dsn, driver)).set(**change)
    done = managed(tmp_path, url.render_as_string(hide_password=False), "migrate")
    (told,) = (done.stdout + done.stderr).splitlines()
    place = f"{url.host}:{url.port}/{url.database}"
    start = f"error: [db.E020] shop/settings.py:5: the database {place} cannot be reached: {line}"
    assert told.startswith(start)
    assert str(url.password) not in told
    assert done.returncode == 3


def test_a_users_command_tells_it_in_one_line(tmp_path: Path, each_database_url: str) -> None:
    done = managed(tmp_path, each_database_url, "fill")
    (told,) = (done.stdout + done.stderr).splitlines()
    assert told.startswith("error: [management.E010] shop/bank/commands/fill.py:")
    assert "UniqueViolation: " in told
    assert SECRET not in told
    assert done.returncode == 1


def managed(path: Path, url: str, command: str) -> CompletedProcess[str]:
    with isolated(path) as folder:
        folder.write(SHOP)
    manage = "from fastforge.__main__ import main; main()"
    return python(
        ["-c", manage, "--settings", "shop.settings", command],
        cwd=path,
        env={"FASTFORGE_ENV": "test", "DATABASE_URL": url},
    )
