"""A process that does not hear what others publish is seen, and is given no more clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from fastforge.channels.rooms.hub import hub_of
from fastforge.observability.metrics import snapshot
from fastforge.test.proxy import Proxy
from tests.channels.live import Live, live_with
from tests.folder import ProjectFolder, isolated


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


@contextmanager
def somebody(redis_url: str) -> Iterator[tuple[redis.Redis, str]]:
    """A user of Redis who may be denied everything, and the address with their name in it."""
    parts = urlsplit(redis_url)
    with redis.Redis.from_url(redis_url) as admin:
        admin.execute_command("ACL", "SETUSER", "deaf", "on", ">pw", "+@all", "~*", "&*")
        try:
            yield admin, parts._replace(netloc=f"deaf:pw@{parts.netloc}").geturl()
        finally:
            admin.execute_command("ACL", "DELUSER", "deaf")


@asynccontextmanager
async def living(folder: ProjectFolder, url: str, more: str = "") -> AsyncIterator[Live]:
    settings = f"""
                from fastforge.contrib.redis import Redis
                from fastforge.web import Health
                HEALTH = Health(grace_s=0, cache_s=0)
                REDIS = Redis(url={url!r}, {more})
    """
    apps = '"fastforge.contrib.redis", "shop.talk"'
    limits = 'backend="redis", deaf_limit_s=0.05'
    async with live_with(folder, settings=limits, apps=apps, more=settings) as live:
        yield live


async def ready(live: Live) -> tuple[int, str, str]:
    """What `/readyz` says: the status, and those of the process and of its channels."""
    answer = await live.http.get("/readyz")
    said = answer.json()
    return answer.status_code, said["status"], said["checks"]["channels:breaker"][0]["status"]


def measured(live: Live) -> dict[str, Any]:
    found = snapshot(live.found.container)
    return {each.metric.name: each.value for each in found if "pubsub" in each.metric.name}


async def wait_for(live: Live, expected: tuple[int, str, str]) -> None:
    """Wait until `/readyz` says so."""
    found: list[Any] = [None]
    try:
        async with asyncio.timeout(30):
            while found[-1] != expected:
                found.append(await ready(live))
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"it is never {expected}: {found[-3:]}")


async def test_one_that_is_deaf_while_redis_answers_is_not_ready_until_it_hears_again(
    folder: ProjectFolder, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with somebody(redis_url) as (admin, url):
        async with living(folder, url) as live:
            assert await ready(live) == (200, "pass", "pass")
            assert measured(live) == {}
            ann = await live.client()
            assert (await ann.join("news"))["type"] == "joined"
            heard = {"channel.pubsub.connected": 1, "channel.pubsub.reconnects": 0}
            assert measured(live) == heard
            admin.execute_command("ACL", "SETUSER", "deaf", "resetchannels")
            await wait_for(live, (503, "fail", "fail"))
            assert measured(live)["channel.pubsub.connected"] == 0
            admin.execute_command("ACL", "SETUSER", "deaf", "&*")
            await wait_for(live, (200, "pass", "pass"))
            assert measured(live) == {**heard, "channel.pubsub.reconnects": 1}
            assert hub_of(live.found.container).hearing is not None
    told = [each.message for each in caplog.records if "may have been missed" in each.message]
    assert [each.partition(":")[2].split()[0] for each in told] == ["1"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [("required=False", (200, "warn", "warn")), ("required=True", (503, "fail", "fail"))],
)
async def test_where_redis_is_away_for_all_processes_its_section_decides(
    folder: ProjectFolder, redis_url: str, more: str, expected: tuple[int, str, str]
) -> None:
    with Proxy(redis_url) as proxy:
        async with living(folder, proxy.url, more) as live:
            ann = await live.client()
            assert (await ann.join("news"))["type"] == "joined"
            proxy.refuse()
            proxy.reset()
            await wait_for(live, expected)
            proxy.heal()
            await wait_for(live, (200, "pass", "pass"))
            await live.publish("News", "it is back")
            await ann.assert_push(live.channels.Said(text="it is back"))
