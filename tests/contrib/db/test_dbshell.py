"""`dbshell` becomes the program of the database; its command line shows no password."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import pytest

from fastforge.contrib.db import Database
from fastforge.contrib.db.clients import client_of
from fastforge.exceptions import CommandError
from tests import services
from tests.folder import ProjectFolder
from tests.processes import run

MANAGE: Final = [sys.executable, "-m", "fastforge"]


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A project in whose settings the URL comes from the environment."""
    folder = ProjectFolder(tmp_path)
    folder.write(
        {
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            "shop/settings.py": """
                from fastforge.conf import env
                from fastforge.contrib.db import Database

                INSTALLED_APPS = ["fastforge.contrib.db"]
                DATABASES = {"default": Database(url=env("DATABASE_URL"))}
                """,
        }
    )
    return folder


def dbshell(
    project: ProjectFolder, url: str, *arguments: str, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {"FASTFORGE_ENV": "test", "DATABASE_URL": url}
    environment |= {"PATH": path} if path is not None else {}
    below = project.path / "shop"  # from a folder that a relative file is not relative to
    return run([*MANAGE, "dbshell", *arguments], cwd=below, env=environment)


def test_postgresql_is_asked_by_psql(project: ProjectFolder, each_postgres_url: str) -> None:
    path = f"{services.find_postgres()}:/usr/bin:/bin"
    query = "SELECT current_database(), current_user, inet_server_port()"
    result = dbshell(project, each_postgres_url, "--", "-XAt", "-c", query, path=path)
    address = urlsplit(each_postgres_url)
    expected = f"{address.path.strip('/')}|{address.username}|{address.port}\n"
    assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")


def test_the_exit_code_is_the_program_s(project: ProjectFolder, postgres_url: str) -> None:
    path = f"{services.find_postgres()}:/usr/bin:/bin"
    result = dbshell(project, postgres_url, "--", "-Xc", "SELECT 1/0", path=path)
    assert result.returncode == 1
    assert "division by zero" in result.stderr


def test_what_a_url_says_is_handed_on_as_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that has to be quoted in a URL is the password itself there."""
    program(tmp_path / "psql")
    monkeypatch.setenv("PATH", str(tmp_path))
    password = "p@ss:w/rd%"
    url = f"postgresql+asyncpg://shop:{quote(password, safe='')}@db:6432/shop?ssl=true"
    client = client_of(Database(url=url, connect_timeout_s=1.5), root=tmp_path)
    assert client.command == ["psql"]
    assert password not in repr(client)
    assert dict(client.environment) == {
        "PGHOST": "db",
        "PGPORT": "6432",
        "PGUSER": "shop",
        "PGPASSWORD": password,
        "PGDATABASE": "shop",
        "PGSSLMODE": "require",
        "PGCONNECT_TIMEOUT": "2",
    }
    url = "postgresql+psycopg:///shop?host=one:1&host=two:2&user=me&sslmode=verify-full"
    assert dict(client_of(Database(url=url), root=tmp_path).environment) == {
        "PGHOST": "one,two",
        "PGPORT": "1,2",
        "PGUSER": "me",
        "PGDATABASE": "shop",
        "PGSSLMODE": "verify-full",
        "PGCONNECT_TIMEOUT": "5",
    }


def program(path: Path) -> None:
    """Something that can be run, and only says what it was given."""
    path.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    path.chmod(0o755)


def test_a_relative_file_is_relative_to_the_root(project: ProjectFolder, tmp_path: Path) -> None:
    program(tmp_path / "sqlite3")
    url = "sqlite+aiosqlite:///data/shop.sqlite3"
    result = dbshell(project, url, "--", "-header", ".tables", path=f"{tmp_path}:/usr/bin:/bin")
    assert result.stderr == ""
    assert result.stdout == f"{tmp_path}/data/shop.sqlite3\n-header\n.tables\n"


def test_without_its_program_sqlite_has_python_s_or_one_line(
    project: ProjectFolder, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "db.sqlite3") as connection:
        connection.execute("CREATE TABLE notes AS SELECT 42 AS number")
    connection.close()
    url = "sqlite+aiosqlite:///db.sqlite3"
    result = dbshell(project, url, "SELECT number FROM notes", path=str(tmp_path))
    if sys.version_info >= (3, 12):
        assert (result.returncode, result.stdout) == (0, "(42,)\n")
    else:
        assert result.returncode == 2
        assert result.stderr.startswith("error: [db.E031] the program sqlite3 is not installed;")
        assert result.stderr.count("\n") == 1


def test_without_psql_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match=r"^\[db.E031\] the program psql is not installed; inst"):
        client_of(Database(url="postgresql+asyncpg://db/shop"), root=tmp_path)


def test_a_database_that_is_not_there_is_told(project: ProjectFolder) -> None:
    result = dbshell(project, "sqlite+aiosqlite:///db.sqlite3", "--database", "defualt")
    assert result.returncode == 2
    assert result.stderr == (
        "error: [db.E030] settings.py:5: DATABASES has no 'defualt'; did you mean 'default'?\n"
    )
