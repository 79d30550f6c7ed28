"""What the apps of a project measure is on the page, under the names of the reference."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from fastforge.contrib.redis import Redis, open_client
from fastforge.contrib.redis.errors import NoFreeConnection
from fastforge.contrib.redis.pool import Pool
from fastforge.observability.events import POOL_TIMEOUTS, POOL_WAIT_TIME
from fastforge.observability.metrics import Histogram
from tests.folder import isolated
from tests.processes import free_port

from .conftest import Scraped

SETTINGS = """
from fastforge.contrib.db import Database
from fastforge.contrib.prometheus import Prometheus
from fastforge.contrib.redis import Redis

INSTALLED_APPS = [
    "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.redis",
    "fastforge.contrib.http", "fastforge.contrib.prometheus", "shop.notes",
]
DATABASES = {{"default": Database(url="{sqlite}")}}
REDIS = Redis(url="{redis}")
PROMETHEUS = Prometheus(path="/metrics")
"""
ROUTES = """
from fastapi import APIRouter, WebSocket
from sqlalchemy import text

from fastforge import offload
from fastforge.contrib.db import DbSession
from fastforge.contrib.http import HttpClient
from fastforge.contrib.redis import RedisClient

router = APIRouter()


@router.get("/work")
async def work(db: DbSession, redis: RedisClient, http: HttpClient, url: str) -> int:
    await redis.ping()
    await db.execute(text("SELECT 1"))
    try:
        await http.get(url)
    except Exception:
        pass
    return await offload(sum, [1, 2])


@router.websocket("/talk")
async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive_text()
"""


@pytest.fixture
def client(tmp_path: Path, sqlite_url: str, redis_url: str) -> Iterator[TestClient]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": SETTINGS.format(sqlite=sqlite_url, redis=redis_url),
                "shop/notes/routes.py": ROUTES,
            }
        )
        with TestClient(get_asgi_application(folder.load())) as client:
            yield client


def scrape(client: TestClient) -> Scraped:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return Scraped(answer.text)


def test_pools_calls_threads_sockets_and_breakers_are_told(client: TestClient) -> None:
    away = f"http://127.0.0.1:{free_port()}/"
    assert client.get("/work", params={"url": away}).json() == 3
    with client.websocket_connect("/talk") as socket:
        told = scrape(client)
        assert told["http_server_open_sockets"] == 1
        socket.send_text("enough")
    pools = told.by("db_client_connection_max", "db_client_connection_pool_name")
    assert {*pools} == {"default", "redis"}
    states = told.by("db_client_connection_count", "db_client_connection_state")
    assert states["used"] == 0
    assert states["idle"] >= 2
    assert told["db_client_connection_use_time_seconds_count"] >= 1
    assert told["db_client_connection_created_total"] >= 1
    assert told["db_client_connection_timeouts_total"] == 0
    calls = "http_client_request_duration_seconds_count"
    assert told.by(calls, "server_address") == {"127.0.0.1": 1}
    assert told.by(calls, "http_response_status_code") == {"": 1}
    assert told.by("offload_limit", "limiter")["threads"] == 40
    assert told.by("breaker_open", "breaker") == {"redis": 0}
    assert told.by("resource_up", "resource")["database"] == 1
    assert told["log_lines_dropped_total"] == 0
    assert told.by("http_server_request_duration_seconds_count", "http_route") == {"/work": 1}


async def test_whoever_waits_for_a_connection_to_redis_is_counted(redis_url: str) -> None:
    config = Redis.model_validate({"url": redis_url, "read_timeout_s": 0.2})
    client = open_client(config, max_connections=1)
    pool = client.connection_pool
    assert isinstance(pool, Pool)
    held = await pool.get_connection()
    waiting = asyncio.ensure_future(client.ping())
    async with asyncio.timeout(30):
        while not pool.waiting:
            await asyncio.sleep(0)
    assert (pool.used, pool.idle) == (1, 0)
    with pytest.raises(NoFreeConnection):
        await waiting
    await pool.release(held)
    assert (pool.used, pool.idle, pool.waiting) == (0, 1, 0)
    found = {each.metric: each.value for each in pool.meter.samples()}
    assert found[POOL_TIMEOUTS] == 1
    waits = found[POOL_WAIT_TIME]
    assert isinstance(waits, Histogram)
    assert waits.count == 1
    await client.aclose()
