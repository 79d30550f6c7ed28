"""`manage check --redis`: what the server itself says of the settings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from fastforge import Project
from fastforge.checks import Level, run_checks
from fastforge.contrib.redis import checks
from tests import services
from tests.folder import ProjectFolder, isolated
from tests.processes import run

SETTINGS = """
    from fastforge.contrib.db import Database
    from fastforge.contrib.redis import Redis
    from fastforge.tasks import Tasks

    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.redis",
        "fastforge.contrib.arq", "shop",
    ]
    DATABASES = {{"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}}
    REDIS = Redis(url={url!r}, {options})
    TASKS = Tasks(backend={backend!r}, processes=2)
    SERVER = {{"processes": 3}}
"""
SHOP = {
    "shop/tasks.py": """
        from fastforge import task

        @task
        async def work() -> None: ...
        """,
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


@pytest.fixture
def server() -> Iterator[services.Server]:
    """A server whose settings a test may change."""
    server = services.start("redis")
    yield server
    server.close()


def found(
    folder: ProjectFolder, url: str, backend: str = "arq", options: str = ""
) -> dict[str, str]:
    """Return what the checks that ask Redis find, by id."""
    text = SETTINGS.format(url=url, backend=backend, options=options)
    folder.write({"shop/settings.py": text})
    messages = run_checks(folder.load(), connecting=("redis",), tags=("redis",))
    assert all(each.where is not None and each.where.line == 10 for each in messages)
    return {each.id: each.text for each in messages if each.level is not Level.INFO}


def test_a_server_that_fits_is_told(folder: ProjectFolder, redis_url: str) -> None:
    assert found(folder, redis_url, backend="memory") == {}
    argv = [sys.executable, "-m", "fastforge", "check", "--redis", "--tag", "redis"]
    done = run(argv, cwd=folder.path, env={"FASTFORGE_ENV": "test"})
    assert done.returncode == 0, done.stderr
    assert "info [redis.I010] shop/settings.py:10: Redis " in done.stdout
    total = "suffice: 3 servers x max_connections 50 = 150 connections, and the server takes 10000"
    assert total in done.stdout


def test_nothing_connects_unless_it_is_asked_for(folder: ProjectFolder) -> None:
    folder.write(
        {"shop/settings.py": SETTINGS.format(url="redis://127.0.0.1:1", backend="arq", options="")}
    )
    assert not [each for each in run_checks(folder.load()) if each.id.startswith(("redis", "arq"))]


def test_a_pool_that_is_small_for_its_users_is_told_before_a_release(folder: ProjectFolder) -> None:
    text = SETTINGS.format(url="redis://127.0.0.1:1", backend="arq", options="max_connections=2")
    folder.write({"shop/settings.py": text})
    project = folder.load()

    def told(project: Project) -> list[str]:
        return [each.text for each in run_checks(project, deploy=True) if each.id == "redis.W001"]

    (jobs,) = told(project)
    assert jobs.startswith("50 jobs of a worker (TASKS.concurrency) share REDIS.max_connections 2")
    busy = {"TASKS": {"concurrency": 40}, "SERVER": {"concurrency_limit": 1000}}
    (requests,) = told(project.overriding(settings=busy))
    assert requests.startswith("1,000 requests (SERVER.concurrency_limit) share")
    assert told(project.overriding(settings={"TASKS": {"concurrency": 40}})) == []


def test_a_server_that_is_away_is_one_error_without_its_password(folder: ProjectFolder) -> None:
    (text,) = found(folder, "redis://:hunter2@127.0.0.1:1/0").values()
    assert text == ("Redis at redis://:***@127.0.0.1:1/0 cannot be reached: nothing listens there")


def test_a_server_that_forgets_jobs_is_told_where_jobs_flow_through_it(
    folder: ProjectFolder, server: services.Server
) -> None:
    assert set(found(folder, server.url)) == {"arq.W002"}
    assert found(folder, server.url, backend="database") == {}
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("appendonly", "yes")
        admin.config_set("maxmemory-policy", "allkeys-lru")
        assert found(folder, server.url) == {}  # without a limit nothing is ever deleted
        admin.config_set("maxmemory", "100mb")
    (text,) = found(folder, server.url).values()
    assert "maxmemory-policy allkeys-lru" in text
    assert found(folder, server.url, backend="database") == {}


def test_pools_that_are_too_large_together_are_summed_up(
    folder: ProjectFolder, server: services.Server
) -> None:
    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("maxclients", 100)
        admin.config_set("save", "60 1")
    texts = found(folder, server.url, options="max_connections=20")
    assert texts == {
        "redis.E012": "too many connections to Redis: 3 servers x max_connections 20"
        " + 2 workers x (max_connections 20 + jobs 5) = 110 connections, and the server takes 100"
        " (maxclients)"
    }


def test_a_node_of_a_cluster_is_refused(folder: ProjectFolder) -> None:
    server = services.start("redis", "--cluster-enabled", "yes")
    try:
        assert "is a node of a cluster" in found(folder, server.url)["redis.E011"]
    finally:
        server.close()


def test_a_server_that_is_too_old_is_told(
    folder: ProjectFolder, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "OLDEST", (99, 0))
    assert set(found(folder, redis_url, backend="memory")) == {"redis.W010"}


def test_a_server_that_keeps_its_settings_to_itself_is_not_judged_by_them(
    folder: ProjectFolder, server: services.Server
) -> None:
    with redis.Redis.from_url(server.url) as admin:
        admin.execute_command("ACL SETUSER", "hosted", "on", ">pw", "~*", "&*", "+@all", "-config")
    url = server.url.replace("redis://", "redis://hosted:pw@")
    assert found(folder, url) == {}


def test_a_process_that_requires_it_ends_with_3(folder: ProjectFolder) -> None:
    settings = """
        from fastforge.contrib.redis import Redis
        from fastforge.tasks import Tasks

        INSTALLED_APPS = ["fastforge.contrib.redis", "shop"]
        REDIS = Redis(url="redis://:hunter2@127.0.0.1:1/0", required=True)
        TASKS = Tasks(backend="memory")
        """
    command = """
        \"\"\"Do nothing.\"\"\"

        from fastforge.commands import command

        @command
        async def nothing() -> None: ...
        """
    folder.write({"shop/settings.py": settings, "shop/commands/nothing.py": command})
    argv = [sys.executable, "-m", "fastforge", "nothing"]
    done = run(argv, cwd=folder.path, env={"FASTFORGE_ENV": "test"})
    assert done.returncode == 3, done.stderr
    assert "[redis.E001]" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


CHANNELS = """
    from fastforge.channels import Channel

    class News(Channel, pattern="news", public=True): ...
"""


def test_a_user_that_may_not_hear_channels_is_told_before_anybody_joins(
    folder: ProjectFolder, server: services.Server
) -> None:
    """And the one connection by which each server hears is counted."""
    with redis.Redis.from_url(server.url) as admin:
        admin.acl_setuser("shop", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@all"])
        url = server.url.replace("//", "//shop:pw@")
        assert "redis.E013" not in found(folder, url)
        folder.write({"shop/channels.py": CHANNELS})
        told = found(folder, url, options="max_connections=4000")
        assert "may not publish, or hear what is published" in told["redis.E013"]
        assert "3 servers x (max_connections 4000 + channels 1)" in told["redis.E012"]
        admin.execute_command("ACL", "SETUSER", "shop", "&shop:*", "-subscribe")
        assert "redis.E013" in found(folder, url)
        admin.execute_command("ACL", "SETUSER", "shop", "+subscribe")
        assert "redis.E013" not in found(folder, url)
        assert admin.keys("*") == []
