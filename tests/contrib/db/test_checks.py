"""What `manage check` finds in DATABASES without a connection."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from fastforge.checks import run_checks
from tests.folder import isolated


def found(path: Path, database: str, *, deploy: bool = False) -> list[str]:
    with isolated(path) as folder:
        folder.write(
            {
                "shop/settings.py": f"""
                    from fastforge.contrib.db import Database

                    INSTALLED_APPS = ["fastforge.contrib.db"]
                    DATABASES = {{"default": Database({database})}}
                    """
            }
        )
        messages = run_checks(folder.load(), deploy=deploy)
        return [str(message) for message in messages if message.id.startswith("db.")]


def test_nothing_is_wrong_with_the_defaults(tmp_path: Path) -> None:
    assert found(tmp_path, 'url="postgresql+asyncpg://u@h/n"', deploy=True) == []


def test_a_sqlite_file_is_noted_before_a_deploy_alone(tmp_path: Path) -> None:
    database = 'url="sqlite+aiosqlite:///x.sqlite3"'
    assert found(tmp_path, database) == []


def test_a_sqlite_file_is_noted_before_a_deploy(tmp_path: Path) -> None:
    (message,) = found(tmp_path, 'url="sqlite+aiosqlite:///x.sqlite3"', deploy=True)
    assert "db.W001" in message
    assert "settings.py:4" in message


def test_a_statement_without_limit_is_noted_before_a_deploy(tmp_path: Path) -> None:
    database = 'url="postgresql+asyncpg://u@h/n", statement_timeout_s=0'
    (message,) = found(tmp_path, database, deploy=True)
    assert "db.W002" in message


@pytest.mark.parametrize(
    ("url", "package", "cure"),
    [
        ("postgresql+asyncpg://u:secret@h/n", "asyncpg", '"fastforge-framework[postgres]"'),
        ("postgresql+psycopg://u:secret@h/n", "psycopg", '"fastforge-framework[postgres]"'),
        ("sqlite+aiosqlite:///x", "aiosqlite", "--force-reinstall fastforge-framework"),
    ],
)
def test_a_driver_that_is_not_installed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, package: str, cure: str
) -> None:
    real = importlib.util.find_spec

    def without(name: str, *arguments: Any) -> Any:
        return None if name == package else real(name, *arguments)

    monkeypatch.setattr("fastforge.contrib.db.checks.find_spec", without)
    (message,) = found(tmp_path, f"url={url!r}")
    assert "db.E023" in message
    assert f"pip install {cure}" in message
    assert "secret" not in message
