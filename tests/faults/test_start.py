"""F1 to F5: a service is away when a process starts."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit, urlunsplit

import pytest

from fastforge import Project, Role
from fastforge.exceptions import StartError
from fastforge.lifecycle import check_health
from fastforge.test.proxy import Proxy
from tests.commanding import python
from tests.folder import ProjectFolder
from tests.processes import wait_until, wait_until_async

from .conftest import Shop

LOOK = '''
    """Look at the database."""

    from fastforge import injected
    from fastforge.commands import command
    from fastforge.contrib.db import DbSession

    @command
    async def look(*, db: DbSession = injected) -> None:
        print("looked")
'''
PASSWORD = "hunter2"


def waits(folder: ProjectFolder, deadline_s: float) -> None:
    """Let the project try its database again for so long."""
    settings = (folder.path / "shop/settings.py").read_text()
    folder.write(
        {
            "shop/settings.py": settings.replace(
                "Server(", f"Server(start_deadline_s={deadline_s}, "
            ).replace("connect_timeout_s=1", "connect_timeout_s=0.3"),
            "shop/orders/commands/__init__.py": "",
            "shop/orders/commands/look.py": LOOK,
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
        }
    )


def environ(database: str, redis: str) -> dict[str, str]:
    return {"FASTFORGE_ENV": "test", "DATABASE_URL": database, "REDIS_URL": redis}


def changed(url: str, *, password: str = PASSWORD, path: str = "") -> str:
    parts = urlsplit(url)
    where = f"{parts.username}:{password}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=where, path=path or parts.path))


@pytest.mark.parametrize("fault", ["refuse", "blackhole"], ids=["f1", "f2"])
def test_f1_f2_a_database_that_is_away_ends_the_start_with_one_line(
    folder: ProjectFolder, database: Proxy, redis_url: str, fault: str
) -> None:
    waits(folder, deadline_s=0.8)
    getattr(database, fault)()
    url = changed(database.url)
    done = python(["-m", "fastforge", "look"], cwd=folder.path, env=environ(url, redis_url))
    assert done.returncode == 3
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert f"127.0.0.1:{database.port}" in errors[0]
    assert "next attempt in" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr + done.stdout


async def test_f3_a_database_that_comes_up_later_is_waited_for(
    folder: ProjectFolder, database: Proxy, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    waits(folder, deadline_s=60)
    database.refuse()
    project = folder.load(environ(database.url, redis_url))
    answers = asyncio.create_task(first_health(project))
    await wait_until_async(lambda: "next attempt in" in caplog.text)
    database.heal()
    assert await asyncio.wait_for(answers, 60)


async def first_health(project: Project) -> bool:
    async with project.running(Role.WEB) as container:
        return not any(each.error for each in await check_health(container, timeout_s=30))


@pytest.mark.parametrize("mistake", ["password", "database"])
async def test_f4_a_wrong_password_or_name_is_not_tried_again(
    folder: ProjectFolder,
    database: Proxy,
    redis_url: str,
    mistake: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    waits(folder, deadline_s=3600)
    url = changed(database.url)
    if mistake == "database":
        url = urlunsplit(urlsplit(database.url)._replace(path="/missing"))
    project = folder.load(environ(url, redis_url))
    with pytest.raises(StartError, match=r"db\.E020") as raised:
        async with project.running(Role.WEB):
            raise AssertionError("it started")
    assert "next attempt" not in caplog.text
    assert PASSWORD not in str(raised.value) + caplog.text
    assert raised.value.exit_code == 3


def test_f5_a_project_starts_without_its_redis_warns_and_takes_it_when_it_comes(
    redis: Proxy, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    redis.refuse()
    caplog.set_level(logging.WARNING)
    shop: Shop = request.getfixturevalue("shop")
    assert shop.get("/cached/7").json() == {"from": "db", "name": "7"}
    ready = shop.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "warn")
    lines = [each for each in caplog.records if "redis" in each.getMessage()]
    assert len(lines) == 1
    redis.heal()
    wait_until(lambda: shop.get("/readyz").json()["status"] == "pass")
    shop.wait_until_ok("/breaker")
    assert shop.breaker["state"] == "closed"
