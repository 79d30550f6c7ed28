"""A project whose routes are limited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folder import ProjectFolder, isolated

SETTINGS = """
    from fastforge.contrib.ratelimit import RateLimit

    SECRET_KEY = "an-example-of-thirty-two-bytes-or-more"
    TRUSTED_PROXIES = ["127.0.0.1"]
    INSTALLED_APPS = [{apps}"fastforge.contrib.ratelimit", "shop.orders"]
    RATE_LIMIT = RateLimit({fields})
    {more}
"""
ROUTES = """
    from fastapi import APIRouter, HTTPException, WebSocket
    from starlette.requests import HTTPConnection

    from fastforge.contrib.ratelimit import rate_limit

    def by_word(connection: HTTPConnection) -> str | None:
        return connection.query_params.get("word")

    router = APIRouter()
    group = APIRouter(prefix="/group", dependencies=[rate_limit("2/day", name="group")])

    @router.get("/read", dependencies=[rate_limit("2/day")])
    async def read() -> str:
        return "read"

    @router.post("/write", dependencies=[rate_limit("2/day")])
    async def write() -> str:
        return "written"

    @router.get("/of/{name}", dependencies=[rate_limit("2/day")])
    async def of(name: str) -> str:
        return name

    @router.get("/word", dependencies=[rate_limit("1/day", by=by_word)])
    async def word() -> str:
        return "word"

    @router.get("/two", dependencies=[rate_limit("3/day; 5/month")])
    async def two() -> str:
        return "two"

    @router.get("/tenant", dependencies=[rate_limit("1/day", by="tenant")])
    async def tenant() -> str:
        return "tenant"

    @router.post("/passing", dependencies=[rate_limit("1/day", when_away="pass")])
    async def passing() -> str:
        return "passed"

    @router.get("/counting", dependencies=[rate_limit("1/day", when_away="count_here")])
    async def counting() -> str:
        return "counted"

    @router.get("/odd", dependencies=[rate_limit("9/day", name='a "b"\\r\\nx-c: d é')])
    async def odd() -> str:
        return "odd"

    @router.websocket("/feed", dependencies=[rate_limit("2/day")])
    async def feed(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    @router.get("/free")
    async def free() -> str:
        return "free"

    @router.get("/failing", dependencies=[rate_limit("9/day")])
    async def failing() -> str:
        raise HTTPException(409)

    @group.get("/a")
    async def a() -> str:
        return "a"

    @group.get("/b")
    async def b() -> str:
        return "b"
"""
CALLERS = """
    from fastapi import HTTPException
    from starlette.requests import HTTPConnection

    from fastforge.exceptions import ForgeError
    from fastforge.web import caller

    class Bad(ForgeError):
        status = 401

    @caller
    async def tenant(connection: HTTPConnection) -> str | None:
        told = connection.headers.get("x-tenant")
        if told == "bad":
            raise Bad("no tenant", code="shop.E001")
        return told
"""


def settings(fields: str = "", *, apps: str = "", more: str = "") -> str:
    """The settings of a project with limits."""
    return SETTINGS.format(fields=fields, apps=apps, more=more)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": settings(),
                "shop/orders/routes.py": ROUTES,
                "shop/orders/callers.py": CALLERS,
            }
        )
        yield folder
