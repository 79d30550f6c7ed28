"""While Redis is away, reads pass uncounted and writes are counted by each process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from fastforge.test import client
from fastforge.test.proxy import Proxy
from tests.folder import ProjectFolder
from tests.processes import wait_until_async

from .conftest import settings

REDIS = """
    from fastforge.contrib.redis import Redis
    REDIS = Redis(url={url!r}, connect_timeout_s=0.2, read_timeout_s=0.2)
"""


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    with Proxy(redis_url) as proxy:
        yield proxy


@pytest.fixture
def behind(folder: ProjectFolder, proxy: Proxy) -> ProjectFolder:
    """The project, whose counters are in a Redis behind the proxy."""
    apps = '"fastforge.contrib.redis", '
    text = settings("storage='redis'", apps=apps, more=REDIS.strip().format(url=proxy.url))
    folder.write({"shop/settings.py": text})
    return folder


async def statuses(http: httpx.AsyncClient, method: str, path: str, times: int) -> list[int]:
    return [(await http.request(method, path)).status_code for _ in range(times)]


def refuse(proxy: Proxy) -> None:
    proxy.refuse()
    proxy.reset()


FAULTS: dict[str, Callable[[Proxy], Any]] = {"refused": refuse, "blackholed": Proxy.blackhole}


@pytest.mark.parametrize("fault", FAULTS)
async def test_reads_pass_and_writes_are_counted_here_until_it_is_back(
    behind: ProjectFolder, proxy: Proxy, fault: str
) -> None:
    async with client(behind.load()) as http:
        assert await statuses(http, "GET", "/read", 3) == [200, 200, 429]
        FAULTS[fault](proxy)
        answer = await http.get("/read")
        assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)
        assert await statuses(http, "GET", "/read", 9) == [200] * 9
        assert await statuses(http, "POST", "/write", 3) == [200, 200, 429]
        assert await statuses(http, "POST", "/passing", 3) == [200] * 3
        assert await statuses(http, "GET", "/counting", 2) == [200, 429]
        proxy.heal()

        async def is_counted_again() -> bool:
            return (await http.get("/read")).status_code == 429

        await wait_until_async(is_counted_again)


async def test_two_processes_count_together(behind: ProjectFolder) -> None:
    project = behind.load()
    async with client(project) as one, client(project) as other:
        assert await statuses(one, "POST", "/write", 1) == [200]
        assert await statuses(other, "POST", "/write", 2) == [200, 429]
        assert await statuses(one, "POST", "/write", 1) == [429]
