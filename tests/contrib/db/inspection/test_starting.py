"""A server and a worker that start say when the pools of all are too large."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastforge import Project, Role
from fastforge.test.proxy import Proxy
from tests.folder import isolated

if TYPE_CHECKING:
    import psycopg

LOGGER = "fastforge.contrib.db"


@pytest.fixture
def limited(
    postgres_admin: psycopg.Connection, each_postgres_url: str, tmp_path: Path
) -> Iterator[Project]:
    """A project whose user may have six connections."""
    name = f"starting_{os.getpid()}"
    postgres_admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw' CONNECTION LIMIT 6")
    address = each_postgres_url.rpartition("@")[2]
    driver = each_postgres_url.partition(":")[0]
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": f"""
                    from fastforge.contrib.db import Database

                    INSTALLED_APPS = ["fastforge.contrib.db"]
                    DATABASES = {{"default": Database(url="{driver}://{name}:pw@{address}")}}
                    SERVER = {{"processes": 2}}
                    """
            }
        )
        yield folder.load()
    postgres_admin.execute(f"DROP ROLE {name}")


def warnings(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    found = (each for each in caplog.records if each.name == LOGGER)
    return [each for each in found if each.levelno >= logging.WARNING]


@pytest.mark.parametrize("role", [Role.WEB, Role.WORKER])
async def test_one_line_tells_it(
    limited: Project, role: Role, caplog: pytest.LogCaptureFixture
) -> None:
    async with limited.running(role):
        pass
    (record,) = warnings(caplog)
    assert record.getMessage().startswith(
        "too many connections: 2 servers x (pool_size 5 + max_overflow 0) = 10 connections, and the"
        " user starting_"
    )
    assert "has 6 for them: its CONNECTION LIMIT 6; lower pool_size, " in record.getMessage()


async def test_a_command_says_nothing(limited: Project, caplog: pytest.LogCaptureFixture) -> None:
    async with limited.running(Role.COMMAND):
        pass
    assert warnings(caplog) == []


async def test_pools_that_fit_say_nothing(
    limited: Project, caplog: pytest.LogCaptureFixture
) -> None:
    project = limited.overriding(settings={"SERVER": {"processes": 1}})
    async with project.running(Role.WEB):
        pass
    assert warnings(caplog) == []


async def test_a_database_that_is_away_is_waited_for_once(sqlite_url: str, tmp_path: Path) -> None:
    with Proxy("postgresql+asyncpg://u@127.0.0.1/n") as proxy, isolated(tmp_path) as folder:
        proxy.blackhole()
        folder.write(
            {
                "shop/settings.py": f"""
                    from fastforge.contrib.db import Database

                    INSTALLED_APPS = ["fastforge.contrib.db"]
                    DATABASES = {{
                        "default": Database(url="{sqlite_url}"),
                        "away": Database(url="{proxy.url}", required=False, connect_timeout_s=0.2),
                    }}
                    """
            }
        )
        async with folder.load().running(Role.WEB):
            assert proxy.connections == 1
