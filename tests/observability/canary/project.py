"""A project that says far too much: each route and task tells of all that it was given."""

from __future__ import annotations

from tests.folder import ProjectFolder

from .canaries import jwt, value

SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database
    from fastforge.contrib.telemetry import Telemetry
    from fastforge.core.settings import Server

    SECRET_KEY = env.secret("SECRET_KEY")
    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.http",
        "fastforge.contrib.telemetry", "shop.orders",
    ]
    DATABASES = {"default": Database(url=env("DATABASE_URL"), ready_when_migrated=False)}
    TELEMETRY = Telemetry(
        endpoint=env("COLLECTOR"), export_interval_s=0.05, sample_ratio=1,
        headers={"authorization": env("COLLECTOR_TOKEN")},
    )
    SERVER = Server(drain_s=0, linger_s=0, pre_stop_s=0)
"""
ROUTES = """
    import asyncio
    import logging
    import os
    import threading
    import warnings
    from typing import Annotated

    import sqlalchemy as sa
    import structlog
    from fastapi import APIRouter, Form, Request, WebSocket
    from pydantic import BaseModel

    from fastforge.contrib.db import DbSession
    from fastforge.contrib.http import HttpClient
    from fastforge.observability.tracing import span

    from .tasks import send

    router = APIRouter()
    log = logging.getLogger("shop")
    events = structlog.get_logger()


    class Login(BaseModel):
        name: str = ""
        age: int = 0
        token: int = 0
        password: str = ""
        note: str = ""


    @router.get("/header")
    async def header(request: Request) -> None:
        plain = request.headers["x-api-key"]  # a local variable, which nothing may show
        log.warning("headers %s and %s", dict(request.headers), request.headers.raw)
        events.warning("asked", headers=request.headers.raw, again=dict(request.headers))
        with span("look", attributes={"token": plain, "note": request.headers["x-note"]}):
            raise KeyError(request.headers["authorization"])

    @router.get("/query")
    async def query(request: Request, token: str, note: str) -> None:
        log.warning("asked for %s", request.url)
        if os.environ["FASTFORGE_ENV"] == "production":  # a terminal shows what is printed
            print("asked for", request.url, flush=True)
        raise ValueError(f"nothing at {request.url}")

    @router.post("/body")
    async def body(request: Request, login: Login) -> None:
        log.warning("a login %r of %r", login, await request.body())
        events.warning("a login", login=login, text=(await request.body()).decode())
        raise RuntimeError(f"cannot log in {login!r}")

    @router.get("/cookie")
    async def cookie(request: Request) -> None:
        events.warning("cookies", cookies=request.cookies, header=request.headers["cookie"])
        raise LookupError(f"{request.cookies} / Cookie: {request.headers['cookie']}")

    @router.get("/dsn")
    async def dsn() -> None:
        url = os.environ["DATABASE_URL"]
        log.warning("the key is %s, the database %s", os.environ["SECRET_KEY"], url)
        warnings.warn(f"soon there is nothing at {url}", stacklevel=1)
        raise ConnectionError(f"nobody answers at {url}")

    @router.get("/exception")
    async def exception(password: str, note: str) -> None:
        def fails() -> None:
            raise ValueError(f"in a thread: {password=} {note}")

        thread = threading.Thread(target=fails)
        thread.start()
        thread.join()
        task = asyncio.get_running_loop().create_task(_fails(password, note))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        error = ValueError(f"{password=} of {note}")
        error.add_note(f"with {note} and password={password}")
        raise ExceptionGroup("both", [error, OSError(f"token: {password}")]) from error

    async def _fails(password: str, note: str) -> None:
        raise ValueError(f"in a task: {password=} {note}")

    @router.post("/job")
    async def job(login: Login) -> str:
        handle = await send.enqueue(token=login.password, note=login.note)
        return handle.uid

    @router.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        frame = await websocket.receive_text()
        log.warning("a frame %s", frame)
        raise ValueError(f"no such frame: {frame}")

    @router.post("/validation")
    async def validation(login: Login) -> None:
        raise AssertionError("it has been refused")

    @router.get("/model")
    async def model(token: str) -> None:
        Login.model_validate({"token": token})

    @router.get("/unique")
    async def unique(token: str, db: DbSession) -> None:
        insert = sa.text("INSERT INTO accounts (token) VALUES (:token)")
        for _ in range(2):
            await db.execute(insert, {"token": token})

    @router.get("/wrong")
    async def wrong(token: str, db: DbSession) -> None:
        await db.execute(sa.text("SELECT 1 + CAST(:token AS integer)"), {"token": token})

    @router.get("/told")
    async def told(token: str, db: DbSession) -> None:
        try:
            async with db.atomic():
                await unique(token, db)
        except Exception as error:
            log.warning("it failed: %s", error)
            raise RuntimeError(f"it failed: {error!r}") from error

    @router.get("/outgoing")
    async def outgoing(api_key: str, note: str, http: HttpClient) -> None:
        logging.getLogger("httpx").setLevel("INFO")
        there = os.environ["COLLECTOR"]
        await http.post(f"{there}/v1/traces?api_key={api_key}&note={note}", content=b"")
        await http.get(f"http://ada:{api_key}@127.0.0.1:1/?api_key={api_key}&note={note}")

    @router.post("/form")
    async def form(
        request: Request, password: Annotated[str, Form()], age: Annotated[int, Form()]
    ) -> None:
        events.warning("a form", form=await request.form(), body=await request.body())
        raise ValueError(f"not that: {await request.form()}")
"""
TASKS = """
    import logging

    import structlog

    from fastforge import task
    from fastforge.tasks import Retry

    log = structlog.get_logger()


    @task(retry=Retry(max_attempts=1))
    async def send(token: str, note: str) -> None:
        log.warning("sending", token=token, note=note)
        logging.getLogger("shop").warning("sending %r", {"token": token, "note": note})
        raise ValueError(f"cannot send {token=} {note}")
"""


def write(folder: ProjectFolder, dsn: str, collector: str, environment: str) -> dict[str, str]:
    """Write the project; return the variables of its processes."""
    folder.write(
        {
            "shop/settings.py": SETTINGS,
            "shop/orders/routes.py": ROUTES,
            "shop/orders/tasks.py": TASKS,
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
        }
    )
    return {
        "FASTFORGE_ENV": environment,
        "FASTFORGE_LOG_FORMAT": "json" if environment == "production" else "console",
        "SECRET_KEY": f"{value('settings')}-0123456789abcdef0123456789abcdef",
        "DATABASE_URL": dsn,
        "COLLECTOR": collector,
        "COLLECTOR_TOKEN": f"Bearer {jwt('collector')}",
    }
