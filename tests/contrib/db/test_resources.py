"""A database that cannot be reached is named, with the reason in words and no password."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from sqlalchemy.exc import SQLAlchemyError

from fastforge.contrib.db import Database, Session
from fastforge.contrib.db.resources import database, open_database
from fastforge.exceptions import ResourceUnavailable, StartError
from fastforge.lifecycle import Role, check_health
from fastforge.test.proxy import Proxy
from tests.folder import isolated
from tests.processes import free_port


async def failure(url: str, root: Path) -> str:
    with pytest.raises(ResourceUnavailable) as raised:
        await open_database(Database(url=url, connect_timeout_s=2), root=root, environment="test")
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_port_where_nothing_listens(tmp_path: Path, driver: str) -> None:
    port = free_port()
    message = await failure(f"postgresql+{driver}://u:secret@127.0.0.1:{port}/shop", tmp_path)
    assert f"127.0.0.1:{port}/shop cannot be reached: nothing listens there" in message


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_host_that_does_not_exist(tmp_path: Path, driver: str) -> None:
    message = await failure(f"postgresql+{driver}://u:secret@nowhere.invalid/shop", tmp_path)
    assert "nowhere.invalid:5432/shop cannot be reached: the host name is unknown" in message


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_server_that_does_not_answer(tmp_path: Path, driver: str) -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    message = await failure(f"postgresql+{driver}://u:secret@127.0.0.1:{port}/shop", tmp_path)
    assert "no answer within connect_timeout_s" in message
    for writer in held:
        writer.close()
    server.close()


async def test_a_database_that_does_not_exist(tmp_path: Path, each_postgres_url: str) -> None:
    url = urlunsplit(urlsplit(each_postgres_url)._replace(path="/missing"))
    message = await failure(url, tmp_path)
    assert "/missing cannot be reached: the server has no such database" in message
    assert "create it" in message


async def test_a_file_whose_folder_is_missing(tmp_path: Path) -> None:
    message = await failure("sqlite+aiosqlite:///missing/db.sqlite3", tmp_path)
    assert "missing/db.sqlite3 cannot be reached: the file cannot be opened" in message


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database at all, but a long enough text " * 40)
    message = await failure("sqlite+aiosqlite:///notes.txt", tmp_path)
    assert "notes.txt cannot be reached: the file holds something else" in message


SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db"]
    DATABASES = {"default": Database(url=env("DATABASE_URL"))}
    """


async def test_the_resource_opens_pings_and_closes(tmp_path: Path, each_database_url: str) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        project = folder.load({"FASTFORGE_ENV": "test", "DATABASE_URL": each_database_url})
        async with project.running(Role.COMMAND) as container:
            connection = container[database]
            assert isinstance(connection.session(), Session)
            assert database.ping is not None
            await database.ping(connection)
        assert connection.engine.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_process_does_not_start_without_its_database(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": f"{SETTINGS}SERVER = {{'start_deadline_s': 0}}"})
        url = f"postgresql+asyncpg://u:secret@127.0.0.1:{free_port()}/shop"
        project = folder.load({"FASTFORGE_ENV": "test", "DATABASE_URL": url})
        with pytest.raises(StartError, match=r"db\.E020") as raised:
            async with project.running(Role.COMMAND):
                pass
        assert "secret" not in str(raised.value)


async def test_a_ping_of_a_server_that_is_gone_fails(each_postgres_url: str) -> None:
    with Proxy(each_postgres_url) as proxy:
        connection = await open_database(
            Database(url=proxy.url), root=Path.cwd(), environment="test"
        )
        await connection.ping()
    with pytest.raises((SQLAlchemyError, OSError)):
        await connection.ping()
    await connection.engine.dispose()
    assert proxy.connections == 1


async def test_a_default_database_that_is_not_required_is_only_reported(
    tmp_path: Path, postgres_url: str
) -> None:
    settings = SETTINGS.replace('env("DATABASE_URL")', 'env("DATABASE_URL"), required=False')
    with isolated(tmp_path) as folder, Proxy(postgres_url) as proxy:
        folder.write({"shop/settings.py": settings})
        project = folder.load({"FASTFORGE_ENV": "test", "DATABASE_URL": proxy.url})
        async with project.running(Role.COMMAND) as container:
            assert [each.error for each in await check_health(container, timeout_s=30)] == ["", ""]
            proxy.refuse()
            proxy.reset()
            found = {each.resource: each for each in await check_health(container, timeout_s=30)}
            assert found["database"].error
            assert not found["database"].required
