"""A project whose database, Redis and upstream are behind proxies that can fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastforge.test import live_server
from fastforge.test.proxy import Proxy
from tests.folder import ProjectFolder, isolated
from tests.processes import wait_until

SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database
    from fastforge.contrib.http import Http
    from fastforge.contrib.redis import Redis
    from fastforge.core.settings import Server
    from fastforge.tasks import Tasks

    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.redis", "fastforge.contrib.http", "shop.orders"
    ]
    DATABASES = {
        "default": Database(
            url=env.secret("DATABASE_URL"), pool_size=2, pool_timeout_s=0.3, idle_ping_s=0,
            connect_timeout_s=1,
        )
    }
    REDIS = Redis(url=env.secret("REDIS_URL"), connect_timeout_s=0.2, read_timeout_s=0.2)
    HTTP = Http(timeout_s=0.5, connect_timeout_s=0.5, max_connections=2)
    SERVER = Server(request_timeout_s=1.5)
    HEALTH = {"grace_s": 0, "cache_s": 0}
    TASKS = Tasks(backend="memory")
"""
ROUTES = """
    import asyncio
    from dataclasses import asdict

    from fastapi import APIRouter
    from redis.exceptions import RedisError
    from sqlalchemy import text

    from fastforge.contrib.db import DbSession, database_gauges
    from fastforge.contrib.http import HttpClient
    from fastforge.contrib.redis import RedisClient
    from fastforge.lifecycle import breaker_gauges

    router = APIRouter()
    held, go_on = asyncio.Event(), asyncio.Event()

    @router.get("/fast")
    async def fast() -> str:
        return "fast"

    @router.get("/db")
    async def db(db: DbSession) -> int:
        return await db.scalar(text("SELECT 1"))

    @router.post("/rows/{name}")
    async def row(name: str, db: DbSession) -> None:
        await db.execute(text("INSERT INTO kept VALUES (:name)"), {"name": name})

    @router.post("/halves/{name}")
    async def half(name: str, db: DbSession) -> None:
        await db.execute(text("INSERT INTO kept VALUES (:name)"), {"name": name})
        held.set()
        await go_on.wait()
        await db.execute(text("INSERT INTO kept VALUES (:name)"), {"name": name})

    @router.get("/held")
    async def is_held() -> bool:
        return held.is_set()

    @router.post("/go-on")
    async def set_go_on() -> None:
        go_on.set()

    @router.get("/rows")
    async def rows(db: DbSession) -> list[str]:
        return list((await db.execute(text("SELECT name FROM kept ORDER BY name"))).scalars())

    @router.get("/slow/{seconds}")
    async def slow(seconds: float, db: DbSession) -> None:
        await db.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})

    @router.get("/out")
    async def out() -> int:
        return asdict(database_gauges()["default"])["checked_out"]

    @router.get("/cached/{user}")
    async def cached(user: int, redis: RedisClient, db: DbSession) -> dict:
        # As a cache of identities: the real check where the cache cannot be asked.
        try:
            found = await redis.get(f"user:{user}")
        except RedisError:
            found = None
        if found is not None:
            return {"from": "cache", "name": found.decode()}
        return {"from": "db", "name": await db.scalar(text("SELECT :user"), {"user": str(user)})}

    @router.get("/needed/{user}")
    async def needed(user: int, redis: RedisClient) -> str:
        return (await redis.get(f"user:{user}")).decode()

    @router.get("/breaker")
    async def breaker() -> dict:
        return {name: asdict(each) for name, each in breaker_gauges().items()}

    @router.get("/upstream")
    async def upstream(url: str, http: HttpClient) -> str:
        return (await http.get(url)).text
"""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A project that is served, and what stands between it and its services."""

    url: str
    database: Proxy
    redis: Proxy
    http: httpx.Client

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(self.url + path, params=params)

    def post(self, path: str) -> httpx.Response:
        return self.http.post(self.url + path)

    def wait_until_ok(self, path: str) -> None:
        """Wait until a request is answered with 200, as it is without a restart."""
        wait_until(lambda: self.get(path).status_code == 200)

    @property
    def breaker(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/breaker").json()["redis"]
        return found


@pytest.fixture
def database(postgres_url: str) -> Iterator[Proxy]:
    with Proxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture
def redis(redis_url: str) -> Iterator[Proxy]:
    with Proxy(redis_url) as proxy:
        yield proxy


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS, "shop/orders/routes.py": ROUTES})
        yield folder


@pytest.fixture
def shop(folder: ProjectFolder, database: Proxy, redis: Proxy) -> Iterator[Shop]:
    """The project, once it answers."""
    project = folder.load(
        {"FASTFORGE_ENV": "test", "DATABASE_URL": database.url, "REDIS_URL": redis.url}
    )
    with ExitStack() as stack:
        url = stack.enter_context(live_server(project))
        http = stack.enter_context(httpx.Client(timeout=30))
        yield Shop(url=url, database=database, redis=redis, http=http)
