"""Sessions in Redis: what they hold, who loses nothing, and how they end."""

from __future__ import annotations

import asyncio
import shutil
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from fastforge import Project
from fastforge.checks import run_checks
from fastforge.contrib.sessions.store import Lifetime
from tests.folder import ProjectFolder
from tests.processes import free_port

from .shop import PASSWORD, browser, log_in, secret_of, settings

SECTION = """
    from fastforge.contrib.redis import Redis
    REDIS = Redis(url={url!r}, connect_timeout_s=0.2, read_timeout_s=0.5)
"""


def write(folder: ProjectFolder, database: Path, url: str) -> Project:
    shutil.copy(database, folder.path / "db.sqlite3")
    text = settings(apps='"fastforge.contrib.redis",', sessions='store="redis"')
    folder.write(
        {"shop/settings.py": textwrap.dedent(text) + textwrap.dedent(SECTION.format(url=url))}
    )
    return folder.load()


@pytest.fixture
def project(folder: ProjectFolder, database: Path, redis_url: str) -> Project:
    return write(folder, database, redis_url)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


async def test_it_is_the_same_in_redis(project: Project, redis: Redis) -> None:
    async with browser(project) as http:
        await http.post("/slow/first")
        await asyncio.gather(*(http.post(f"/slow/{key}") for key in "abcdef"))
        assert (await http.post("/slow/last")).json() == [*"abcdef", "first", "last"]
        guest = secret_of(http)
        assert await log_in(http) != guest
        assert (await http.get("/me")).json() == {"id": 1, "kind": "session"}
        assert (await http.post("/slow/last")).json() == [*"abcdef", "first", "last"]
        assert (await http.post("/cart/8", params={"status": 409})).status_code == 409
        assert (await http.get("/cart")).json() == []
        keys = [key async for key in redis.scan_iter("shop:sessions2:s:*")]
        assert len(keys) == 1
        assert 0 < await redis.ttl(keys[0]) <= 14 * 86_400
        assert secret_of(http).encode() not in keys[0] + (await redis.get(keys[0]) or b"")
        answers = await asyncio.gather(http.post("/logout"), http.post("/logout"))
        assert [each.status_code for each in answers] == [200, 200]
        assert (await http.get("/me")).status_code == 401
    assert [key async for key in redis.scan_iter("shop:sessions*")] == []


async def test_all_sessions_of_a_user_and_of_everybody_end_in_redis_too(
    project: Project, redis: Redis
) -> None:
    async with browser(project) as http, browser(project) as other, browser(project) as stranger:
        await stranger.post("/cart/7")
        await log_in(http)
        await log_in(other)
        assert (await http.post("/everywhere")).json() == 2
        assert (await other.get("/me")).status_code == 401
        assert (await stranger.get("/cart")).json() == [7]
        await log_in(http)
        assert (await http.post("/revoke", params={"everybody": True})).json() == 2
        assert (await stranger.get("/cart")).json() == []
    assert [key async for key in redis.scan_iter("shop:sessions*")] == []


async def test_a_use_lengthens_what_redis_keeps(
    project: Project, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser(project) as http:
        await http.post("/cart/7")
        secret = secret_of(http)
    (key,) = [key async for key in redis.scan_iter("shop:sessions2:s:*")]
    await redis.expire(key, 100)
    monkeypatch.setattr(Lifetime, "touch_s", 0)  # as if the last use were a minute ago
    async with browser(project) as http:  # another process, which has noted no use yet
        http.cookies.set("__Host-session", secret, domain="shop.example")
        assert (await http.get("/cart")).json() == [7]
    assert await redis.ttl(key) > 1000


async def test_who_writes_to_redis_is_nobody(project: Project, redis: Redis) -> None:
    """Neither by a record of their own, nor by somebody else's in the place of theirs."""
    bob = {"email": "bob@example.org", "password": PASSWORD}
    async with browser(project) as ann, browser(project) as http:
        await log_in(ann)
        (hers,) = [key async for key in redis.scan_iter("shop:sessions2:s:*")]
        await http.post("/register", params=bob)
        assert (await http.post("/login", params=bob)).json() == 2
        await http.post("/cart/7")
        (his,) = [key async for key in redis.scan_iter("shop:sessions2:s:*") if key != hers]
        entry = await redis.get(his) or b""
        forged = entry.replace(b'"user_id":"2"', b'"user_id":"1"')
        assert forged != entry
        for written in (forged, await redis.get(hers) or b"", b"", b"no JSON", entry[32:]):
            await redis.set(his, written)
            assert (await http.get("/me")).status_code == 401
            assert (await http.get("/cart")).json() == []
        await redis.set(his, entry)
        assert (await http.get("/cart")).json() == [7]
        assert (await ann.get("/me")).status_code == 200


async def test_while_redis_is_away_nobody_is_taken_for_somebody(
    folder: ProjectFolder, database: Path
) -> None:
    """Nor for nobody: that would be a logout, and an empty cart."""
    project = write(folder, database, f"redis://127.0.0.1:{free_port()}")
    async with browser(project) as http:
        answer = await http.post("/cart/7")
        assert answer.status_code == 503
        assert "set-cookie" not in answer.headers
        assert (await http.get("/free")).status_code == 200


def test_a_store_that_is_not_installed_is_told(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": settings(sessions='store="redis"')})
    (message,) = [each for each in run_checks(folder.load()).messages if "sessions" in each.id]
    assert message.hint == 'add "fastforge.contrib.redis" to INSTALLED_APPS'
