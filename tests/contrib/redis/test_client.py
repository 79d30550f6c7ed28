"""One pooled Redis client a process: in handlers, tasks, commands; with and without a server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from redis import exceptions

from fastforge import ForgeError, Role
from fastforge.asgi import get_asgi_application
from fastforge.contrib.redis import Redis, open_client, redis_client
from fastforge.exceptions import StartError
from fastforge.lifecycle.health import check_health
from fastforge.test.proxy import Proxy
from tests.folder import ProjectFolder, isolated
from tests.processes import clean_environment, run, wait_until_async

SETTINGS = """
    from fastforge.contrib.redis import Redis
    from fastforge.tasks import Tasks

    INSTALLED_APPS = ["fastforge.contrib.redis", "shop.orders"]
    REDIS = Redis({options})
    TASKS = Tasks(backend="memory")
"""
NOBODY = "redis://:hunter2@127.0.0.1:1/0"

SHOP = {
    "shop/orders/routes.py": """
        from fastapi import APIRouter
        from fastforge.contrib.redis import RedisClient

        router = APIRouter()

        @router.get("/hits")
        async def hits(redis: RedisClient) -> int:
            return await redis.incr("hits")
        """,
    "shop/orders/commands/__init__.py": "",
    "shop/orders/commands/hits.py": '''
        """Show the hits."""

        from fastforge import injected
        from fastforge.commands import command
        from fastforge.contrib.redis import RedisClient

        @command
        async def hits(*, redis: RedisClient = injected) -> None:
            print("hits", int(await redis.get("hits")))
        ''',
    "shop/orders/tasks.py": """
        from fastforge import injected, task
        from fastforge.contrib.redis import RedisClient

        @task
        async def count(by: int, *, redis: RedisClient = injected) -> None:
            await redis.incrby("hits", by)
        """,
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


def configured(folder: ProjectFolder, url: str, **options: object) -> ProjectFolder:
    written = ", ".join(f"{name}={value!r}" for name, value in {"url": url, **options}.items())
    folder.write({"shop/settings.py": SETTINGS.format(options=written)})
    return folder


def test_a_handler_and_a_command_have_the_client(folder: ProjectFolder, redis_url: str) -> None:
    project = configured(folder, redis_url).load()
    with TestClient(get_asgi_application(project)) as client:
        assert (client.get("/hits").json(), client.get("/hits").json()) == (1, 2)
    argv = [sys.executable, "-m", "fastforge", "hits"]
    done = run(argv, cwd=folder.path, env={"FASTFORGE_ENV": "test"})
    assert done.stdout.strip() == "hits 2", done.stderr


async def test_a_task_has_the_client(folder: ProjectFolder, redis_url: str) -> None:
    from fastforge.tasks import Consumer, ConsumerOptions, Stop
    from fastforge.tasks.backend import backend_of

    project = configured(folder, redis_url).load()
    async with project.running(Role.WORKER) as container:
        from shop.orders.tasks import count  # type: ignore[import-not-found]

        await count.enqueue(by=5)
        options = ConsumerOptions(
            queues=("default",), concurrency=1, lease_s=30, drain_s=0, burst=True
        )
        await Consumer(container, backend_of(container), options, Stop()).run()
        assert await container[redis_client].get("hits") == b"5"


async def test_a_server_that_is_away_is_told_in_one_line_and_used_when_it_comes(
    folder: ProjectFolder, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Proxy(redis_url) as proxy:
        proxy.refuse()
        project = configured(folder, proxy.url).load()
        async with project.running(Role.COMMAND) as container:
            (line,) = [each.getMessage() for each in caplog.records if "Redis" in each.getMessage()]
            assert line.startswith("the breaker 'redis' is open: [redis.E001]")
            assert "hunter2" not in line
            (health,) = await check_health(container)
            assert "cannot be reached" in health.error
            assert not health.required
            proxy.heal()

            async def answers() -> bool:
                (health,) = await check_health(container, timeout_s=30)
                return not health.error

            await wait_until_async(answers)
            assert await container[redis_client].ping()


def test_a_request_that_needs_it_while_it_is_away_is_503_and_one_line(
    folder: ProjectFolder, caplog: pytest.LogCaptureFixture
) -> None:
    project = configured(folder, NOBODY).load()
    with TestClient(get_asgi_application(project)) as client:
        for _ in range(3):
            answer = client.get("/hits")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert "127.0.0.1:1" not in answer.text
        assert client.get("/readyz").json()["status"] == "warn"
    assert not any(record.exc_info for record in caplog.records)


async def test_a_required_server_that_is_away_ends_the_start(folder: ProjectFolder) -> None:
    project = configured(folder, NOBODY, required=True).load()
    with pytest.raises(StartError, match="redis.E001") as caught:
        async with project.running(Role.COMMAND):
            raise AssertionError("it started")
    text = str(caught.value)
    assert "nothing listens there" in text
    assert "hunter2" not in text
    assert "shop/settings.py" in text


async def test_readiness_asks_a_required_server(folder: ProjectFolder, redis_url: str) -> None:
    with Proxy(redis_url) as proxy:
        through = proxy.url
        project = configured(folder, through, required=True).load()
        async with project.running(Role.WEB) as container:
            assert [each.error for each in await check_health(container)] == [""]
            proxy.refuse()
            proxy.reset()
            (health,) = await check_health(container, timeout_s=30)
            assert "cannot be reached" in health.error


async def test_whoever_wants_a_connection_too_many_waits_for_one(redis_url: str) -> None:
    config = Redis(url=redis_url, max_connections=3, read_timeout_s=30)
    client = open_client(config)
    assert await asyncio.gather(*(client.incr("n") for _ in range(100)))
    assert await client.get("n") == b"100"
    connections = [each for each in await client.client_list() if each["name"] == ""]
    assert len(connections) <= 3 + 1  # one of the fixture that empties it
    await client.aclose()


async def test_a_command_that_is_not_answered_in_time_is_not_sent_again(redis_url: str) -> None:
    """It may have been carried out: a second one would count twice."""
    with Proxy(redis_url) as proxy:
        through = proxy.url
        client = open_client(Redis(url=through, read_timeout_s=0.2))
        await client.set("n", 0)
        proxy.blackhole()
        with pytest.raises(exceptions.TimeoutError):
            await client.incr("n")
        proxy.heal()
        await client.aclose()
    client = open_client(Redis(url=redis_url))
    assert int(await client.get("n") or 0) <= 1
    await client.aclose()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:6379", "this is no Redis URL"),
        ("redsi://localhost", "did you mean 'redis'?"),
        ("postgresql://localhost", "is no scheme of Redis"),
        ("redis://:hunter2@/0", "names no host"),
        ("redis://user:hun@ter2@host", "two @"),
        ("redis://user:hunter2/x@host", "no number up to 65535"),
        ("redis://host:70000", "no number up to 65535"),
        ("redis://host/first", "'first' is no number of a Redis database"),
        ("redis://[::1/0", "cannot be read"),
        ("unix://", "names no socket"),
        ("redis://host?socket_timeout=3", "'socket_timeout'"),
        ("rediss://host?ssl_certreqs=none", "did you mean 'ssl_cert_reqs'?"),
    ],
)
def test_a_wrong_url_is_one_error_of_the_settings(
    folder: ProjectFolder, url: str, words: str
) -> None:
    with pytest.raises(ForgeError) as caught:
        configured(folder, url).load()
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert words in text
    assert "shop/settings.py:5" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "url", ["redis://h", "rediss://u:p%40@h:1/15?ssl_cert_reqs=none", "unix:///run/r.sock?db=2"]
)
def test_usual_urls_are_taken(url: str) -> None:
    config = Redis(url=url)
    assert config.url == url
    assert "p%40" not in repr(config)


def test_without_the_package_the_error_is_the_line_that_installs_it(
    folder: ProjectFolder, redis_url: str
) -> None:
    configured(folder, redis_url)
    code = "import sys; sys.modules['redis'] = None\nfrom fastforge import Project\nProject.load()"
    done = run(
        [sys.executable, "-c", code],
        cwd=folder.path,
        env=clean_environment() | {"FASTFORGE_ENV": "test"},
    )
    assert 'pip install "fastforge-framework[redis]"' in done.stderr.splitlines()[-1]
