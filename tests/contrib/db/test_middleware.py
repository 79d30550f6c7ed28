"""What becomes of a request's session, decided at the instant the answer begins."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request, Response
from fastapi.testclient import TestClient
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from fastforge.asgi import get_asgi_application
from fastforge.contrib.db import DbSession, Session
from fastforge.contrib.db.middleware import Transactions
from fastforge.contrib.db.resources import DatabaseConnection
from tests.folder import isolated
from tests.middleware.asgi import Served

from .asgi import call, serving
from .tables import Account, Entry, connections_out, opened

LIMIT_S = 0.05
SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.bank"]
        DATABASES = {
            "default": Database(
                url=env("DATABASE_URL"),
                pool_size=2,
                pool_timeout_s=30,
                atomic_requests=env("ATOMIC", bool, default=True),
            )
        }
        """,
    "shop/bank/routes.py": """
        import asyncio
        from typing import Annotated

        from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Response, WebSocket
        from fastapi.responses import JSONResponse, StreamingResponse
        from sqlalchemy import func, insert, select, text

        from fastforge.contrib.db import DbSession, Session, atomic, session
        from fastforge.contrib.db.errors import SessionClosed
        from fastforge.contrib.db.sessions.unit import current_session
        from tests.contrib.db.tables import Account, Entry

        router = APIRouter()
        log = []

        @router.post("/ok", status_code=201)
        async def ok(db: DbSession):
            db.add(Account(name="row"))
            return {"in_atomic": db.in_atomic}

        @router.post("/returned")
        async def returned(db: DbSession):
            db.add(Account(name="row"))
            await db.flush()
            return JSONResponse({"why": "returned"}, status_code=409)

        @router.post("/set")
        async def set_(db: DbSession, response: Response):
            db.add(Account(name="row"))
            response.status_code = 409

        @router.post("/raised")
        async def raised(db: DbSession):
            db.add(Account(name="row"))
            await db.flush()
            raise HTTPException(409)

        @router.post("/invalid")
        async def invalid(db: DbSession) -> int:
            db.add(Account(name="row"))
            await db.flush()
            return "no number"

        @router.post("/boom")
        async def boom(db: DbSession):
            db.add(Account(name="row"))
            await db.flush()
            raise KeyError("boom")

        @router.post("/deferred")
        async def deferred(db: DbSession, background: BackgroundTasks):
            background.add_task(log.append, "background task of a failed commit")
            db.add(Account(name="row"))
            await db.execute(insert(Entry).values(account_id=999, text=""))

        @router.post("/missing")
        async def missing(db: DbSession):
            db.add(Account(name=None))

        @router.post("/broken")
        async def broken(db: DbSession):
            db.add(Account(id="no number", name="row"))

        @router.post("/duplicate")
        async def duplicate(db: DbSession):
            db.add_all([Account(name="row"), Account(name="row")])
            await db.flush()

        @router.get("/no-table")
        async def no_table(db: DbSession):
            await db.execute(text("SELECT id FROM notes_note"))

        @router.post("/swallowed")
        async def swallowed(db: DbSession):
            await db.execute(insert(Account).values(name="row"))
            try:
                await db.execute(text("SELECT nothing FROM nowhere"))
            except Exception:
                pass
            return {}

        @router.post("/stream")
        async def stream(db: DbSession):
            db.add(Account(name="row"))

            async def body():
                try:
                    await db.execute(text("SELECT 1"))
                except SessionClosed as error:
                    yield str(error)
                async with session() as own:
                    yield f" rows {await own.scalar(select(func.count(Account.id)))}"

            return StreamingResponse(body())

        async def service(db: DbSession):
            log.append("service opens")
            try:
                yield db
            finally:
                log.append("service closes")

        @router.post("/service")
        async def through_service(db: Annotated[Session, Depends(service)]):
            db.add(Account(name="row"))

        @router.post("/function-service")
        async def through_function_service(
            db: Annotated[Session, Depends(service, scope="function")]
        ):
            db.add(Account(name="row"))

        @router.post("/background")
        async def background(db: DbSession, background: BackgroundTasks):
            async def later():
                log.append(current_session())
                try:
                    await db.execute(text("SELECT 1"))
                except SessionClosed as error:
                    log.append(str(error))
                async with session() as own, atomic():
                    log.append(own.in_atomic)
                    own.add(Account(name="later"))

            db.add(Account(name="row"))
            background.add_task(later)

        @router.post("/commit")
        async def commit(db: DbSession):
            db.add(Account(name="row"))
            await db.commit()
            db.add(Account(name="lost"))
            await db.flush()
            raise HTTPException(400)

        @router.post("/nested")
        async def nested(db: DbSession):
            async with atomic() as same:
                assert same is db
                db.add(Account(name="row"))

        @router.post("/unused")
        async def unused(db: DbSession):
            return {}

        @router.post("/explicit")
        async def explicit(db: DbSession):
            outside = db.in_atomic
            async with db.atomic():
                db.add(Account(name="row"))
            return {"outside": outside}

        @router.get("/reads")
        async def reads(db: DbSession):
            await db.get(Account, 1)
            await db.scalar(select(func.count(Account.id)))
            await db.execute(text("SELECT 1"))
            return {"in_atomic": db.in_atomic}

        @router.get("/writes")
        async def writes(db: DbSession):
            db.add(Account(name="row"))
            return {}

        @router.post("/insert")
        async def insert_(db: DbSession):
            await db.execute(insert(Account).values(name="row"))

        @router.get("/wait")
        async def wait(db: DbSession):
            await db.execute(text("SELECT 1"))
            await gate(log)
            await db.execute(text("SELECT 2"))

        @router.post("/entries")
        async def entries(db: DbSession):
            log.append("one more")
            db.add(Entry(account=Account(name=f"n{len(log)}")))

        async def gate(log):
            log.append("waiting")
            while log.count("waiting") < 40:
                await asyncio.sleep(0.01)

        @router.websocket("/socket")
        async def socket(websocket: WebSocket, db: DbSession):
            await websocket.accept()
            assert not db.in_atomic
            async with db.atomic():
                db.add(Account(name="row"))
            await websocket.send_json(await db.scalar(select(func.count(Account.id))))
            await websocket.close()

        async def half():
            async with atomic() as db:
                db.add(Account(name="half"))
                await db.flush()
                log.append("inside")
                await asyncio.Event().wait()

        async def leave_behind():
            log.append(asyncio.create_task(half()))
            while "inside" not in log:
                await asyncio.sleep(0.01)

        @router.post("/left-behind")
        @router.get("/left-behind")
        async def left_behind(db: DbSession):
            await leave_behind()

        @router.post("/left-behind-unseen")
        async def left_behind_unseen():
            await leave_behind()

        @router.get("/nothing")
        async def nothing():
            return {}
        """,
}


@pytest.fixture
async def world(each_database_url: str) -> AsyncIterator[DatabaseConnection]:
    """The database as another process sees it."""
    async with opened(each_database_url) as connection:
        yield connection


@pytest.fixture
def app(tmp_path: Path, each_database_url: str, world: DatabaseConnection) -> Iterator[FastAPI]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        environ = {"FASTFORGE_ENV": "test", "DATABASE_URL": each_database_url}
        yield get_asgi_application(folder.load(environ))


def log() -> list[Any]:
    entries: list[Any] = sys.modules["shop.bank.routes"].log
    return entries


async def names(world: DatabaseConnection) -> list[str]:
    from sqlalchemy import select

    session = world.session()
    return sorted((await session.scalars(select(Account.name))).all())


@pytest.mark.parametrize(
    ("path", "status", "rows"),
    [
        ("/ok", 201, ["row"]),
        ("/returned", 409, []),
        ("/set", 409, []),
        ("/raised", 409, []),
        ("/invalid", 500, []),
        ("/boom", 500, []),
        ("/deferred", 409, []),
        ("/missing", 500, []),
        ("/broken", 500, []),
        ("/duplicate", 409, []),
        ("/stream", 200, ["row"]),
        ("/service", 200, ["row"]),
        ("/function-service", 200, ["row"]),
        ("/nested", 200, ["row"]),
        ("/commit", 400, ["row"]),
        ("/unused", 200, []),
    ],
)
async def test_what_is_acknowledged_is_committed_and_nothing_else(
    app: FastAPI, world: DatabaseConnection, path: str, status: int, rows: list[str]
) -> None:
    """The rows are what another connection sees when the first byte of the answer goes out."""
    async with serving(app):
        answer = await call(app, "POST", path, at_start=lambda: names(world))
    assert (answer.status, answer.seen_at_start) == (status, rows)
    assert answer.starts == 1
    assert await names(world) == rows


async def test_a_failing_commit_is_a_problem_in_place_of_the_answer(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(app):
        conflict = await call(app, "POST", "/deferred")
        failure = await call(app, "POST", "/broken")
    assert conflict.content_type == failure.content_type == "application/problem+json"
    assert conflict.json["code"] == "db.E021"
    assert failure.json["code"] == "db.E022"
    assert "account" not in conflict.body.decode() + failure.body.decode()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert errors[0].exc_info


@pytest.mark.parametrize("kind", ["async", "plain", "failing"])
async def test_a_handler_of_the_users_wins_also_where_the_commit_fails(
    tmp_path: Path, each_database_url: str, world: DatabaseConnection, kind: str
) -> None:
    def plain(request: Request, error: Exception) -> Response:
        return Response(type(error).__name__, 418)

    async def in_the_loop(request: Request, error: Exception) -> Response:
        return plain(request, error)

    async def failing(request: Request, error: Exception) -> Response:
        raise LookupError

    handler = {"plain": plain, "async": in_the_loop, "failing": failing}[kind]
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        project = folder.load({"FASTFORGE_ENV": "test", "DATABASE_URL": each_database_url})
        app = FastAPI(exception_handlers={IntegrityError: handler})
        async with serving(get_asgi_application(project, app=app)):
            answer = await call(app, "POST", "/deferred")
            assert log() == []
    assert (answer.status, answer.starts) == (500 if kind == "failing" else 418, 1)
    assert answer.body == b"ForeignKeyViolation" or kind == "failing"
    assert await names(world) == []


async def test_a_missing_table_is_one_line_and_a_problem(
    app: FastAPI, world: DatabaseConnection, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(app):
        answer = await call(app, "GET", "/no-table")
        async with world.engine.begin() as raw:
            await raw.execute(text("ALTER TABLE account RENAME TO gone"))
        commit = await call(app, "POST", "/ok")
    assert (answer.status, answer.json["code"], answer.error) == (500, "db.E026", None)
    assert (commit.status, commit.json["code"], commit.error) == (500, "db.E026", None)
    assert "notes_note" not in answer.body.decode()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [error.getMessage() for error in errors] == [
        f"[db.E026] the table {name!r} does not exist;"
        " run: manage migrate (and manage makemigrations when the models changed)"
        for name in ("notes_note", "account")
    ]
    assert not any(error.exc_info for error in errors)


async def test_background_tasks_of_a_failed_commit_do_not_run(app: FastAPI) -> None:
    async with serving(app):
        await call(app, "POST", "/deferred")
        assert log() == []


async def test_a_swallowed_error_is_no_success(app: FastAPI, world: DatabaseConnection) -> None:
    """On PostgreSQL the transaction is lost by then; on SQLite it is not."""
    async with serving(app):
        answer = await call(app, "POST", "/swallowed")
    if world.config.is_sqlite:
        assert (answer.status, await names(world)) == (200, ["row"])
    else:
        assert (answer.status, await names(world)) == (500, [])
        assert answer.json["code"] == "db.E013"


async def test_streams_and_background_tasks_run_after_the_commit_with_a_closed_session(
    app: FastAPI, world: DatabaseConnection
) -> None:
    async with serving(app):
        stream = await call(app, "POST", "/stream")
        assert "async with session() as db" in stream.body.decode()
        assert stream.body.decode().endswith(" rows 1")
        connection = app_connection(app)
        assert connections_out(connection) == 0
    async with serving(app), world.session().atomic() as session:
        await session.execute(Account.__table__.delete())  # type: ignore[attr-defined]
    async with serving(app):
        await call(app, "POST", "/background")
        nothing, message, in_atomic = log()
    assert nothing is None
    assert "async with session() as db" in message
    assert in_atomic is True
    assert await names(world) == ["later", "row"]


async def test_a_dependency_of_the_users_around_the_session_is_closed_once(app: FastAPI) -> None:
    async with serving(app):
        await call(app, "POST", "/service")
        assert log() == ["service opens", "service closes"]


async def test_reading_methods_stand_outside_atomic_and_refuse_to_lose_objects(
    app: FastAPI, world: DatabaseConnection, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(app):
        assert (await call(app, "GET", "/reads")).json == {"in_atomic": False}
        answer = await call(app, "GET", "/writes")
    assert (answer.status, answer.json["code"]) == (500, "db.E002")
    assert "Account" in caplog.text
    assert await names(world) == []


def limited(app: Any) -> Served:
    return Served(app, time_limit_of=lambda _: LIMIT_S, shortest_time_limit_s=LIMIT_S)


async def test_an_answer_that_has_begun_is_not_cut_where_a_layer_holds_it_back() -> None:
    """Also of a request without a session: the time limit is that of the handler."""
    gate = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await gate.wait()
        await send({"type": "http.response.body", "body": b"at last"})

    async def holding(scope: Any, receive: Any, send: Any) -> None:
        held: list[Any] = []

        async def together(message: Any) -> None:
            held.append(message)
            if message["type"] == "http.response.body":
                for each in held:
                    await send(each)

        await Transactions(stream)(scope, receive, together)

    async def never(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    asking = asyncio.create_task(limited(holding).get())
    await asyncio.sleep(0)
    assert (await limited(never).get()).status == 504  # it came later, with the same limit
    gate.set()
    heard = await asking
    assert (heard.status, heard.body) == (200, b"at last")


async def test_statements_are_no_more_than_the_handler_runs(app: FastAPI) -> None:
    """GET with three reads: three statements. POST: begin, insert, commit."""
    async with serving(app):
        sent = events_of(app)
        await call(app, "GET", "/nothing")
        await call(app, "POST", "/unused")
        assert sent == []
        await call(app, "GET", "/reads")
        assert [each.split()[0] for each in sent] == ["SELECT", "SELECT", "SELECT"]
        sent.clear()
        await call(app, "POST", "/insert")
        sqlite = app_connection(app).config.is_sqlite
        begin = ["BEGIN"] if sqlite else []  # PostgreSQL drivers send it unseen by SQLAlchemy
        assert [each.split()[0] for each in sent] == [*begin, "INSERT", "(commit)"]


async def test_requests_that_wait_do_not_hold_the_pool(app: FastAPI) -> None:
    """40 requests, a pool of 2: all of them are between two statements at the same time."""
    async with serving(app):
        answers = await asyncio.gather(*(call(app, "GET", "/wait") for _ in range(40)))
    assert {answer.status for answer in answers} == {200}


async def test_without_atomic_requests_writing_needs_atomic(
    tmp_path: Path, each_database_url: str, world: DatabaseConnection
) -> None:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        environ = {"FASTFORGE_ENV": "test", "DATABASE_URL": each_database_url, "ATOMIC": "no"}
        app = get_asgi_application(folder.load(environ))
        async with serving(app):
            assert (await call(app, "POST", "/ok")).json["code"] == "db.E002"
            assert (await call(app, "POST", "/explicit")).json == {"outside": False}
    assert await names(world) == ["row"]


async def test_sockets_stand_outside_atomic(app: FastAPI, world: DatabaseConnection) -> None:
    def talk() -> int:
        with (
            TestClient(app, base_url="http://localhost") as client,
            client.websocket_connect("/socket") as socket,
        ):
            rows: int = socket.receive_json()
            return rows

    assert await asyncio.to_thread(talk) == 1
    assert await names(world) == ["row"]


async def test_200_posts_are_each_seen_at_their_answer(
    app: FastAPI, world: DatabaseConnection
) -> None:
    from sqlalchemy import func, select

    async def rows() -> int:
        session = world.session()
        return int(await session.scalar(select(func.count(Entry.id))) or 0)

    async with serving(app):
        for count in range(1, 201):
            answer = await call(app, "POST", "/entries", at_start=rows)
            assert (answer.status, answer.seen_at_start) == (200, count)


def app_connection(app: FastAPI) -> DatabaseConnection:
    from fastforge.contrib.db.resources import database

    stack: Any = app.middleware_stack
    connection: DatabaseConnection = stack.state.container[database]
    return connection


def events_of(app: FastAPI) -> list[str]:
    """Everything that SQLAlchemy sends for the application from now on."""
    engine = app_connection(app).engine.sync_engine
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda c, cu, sql, *_: sent.append(sql))
    event.listen(engine, "commit", lambda c: sent.append("(commit)"))
    return sent


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/left-behind"), ("GET", "/left-behind"), ("POST", "/left-behind-unseen")],
)
async def test_the_half_of_a_block_that_a_task_was_left_behind_in_is_not_committed(
    app: FastAPI,
    world: DatabaseConnection,
    method: str,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(app):
        answer = await call(app, method, path)
        assert await names(world) == []
        task: asyncio.Task[None] = log()[0]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await names(world) == []
        assert connections_out(app_connection(app)) == 0
    assert (answer.status, answer.json["code"], answer.starts) == (500, "db.E045", 1)
    (line,) = (each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR)
    assert "[db.E045] a task that was left behind is in the middle of a block" in line


async def test_a_block_that_a_dependency_holds_may_stand_in_a_task_of_a_middleware(
    tmp_path: Path, sqlite_url: str
) -> None:
    """In a mounted application, whose middleware answers in a task that is not the handler's."""
    inner = FastAPI()

    @inner.middleware("http")
    async def pass_on(request: Request, call_next: Any) -> Response:
        answer: Response = await call_next(request)
        return answer

    async def holding(db: DbSession) -> AsyncIterator[Session]:
        async with db.atomic():
            yield db

    async def keep(db: Session = Depends(holding)) -> None:  # noqa: B008 - it is local
        db.add(Account(name="kept"))

    inner.post("/keep")(keep)
    outer = FastAPI()
    outer.mount("/inner", inner)
    async with opened(sqlite_url) as world:
        with isolated(tmp_path) as folder:
            folder.write(SHOP)
            environ = {"FASTFORGE_ENV": "test", "DATABASE_URL": sqlite_url}
            async with serving(get_asgi_application(folder.load(environ), app=outer)) as app:
                answer = await call(app, "POST", "/inner/keep", at_start=lambda: names(world))
    assert (answer.status, answer.seen_at_start) == (200, ["kept"])
