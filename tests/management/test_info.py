"""`info` says what a bug report needs, whatever state the project is in."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path

import pytest

from fastforge import __version__
from tests.folder import ProjectFolder

from .conftest import Shell

SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.notes"]
    SECRET_KEY = env.secret("SECRET_KEY")
    DATABASES = {"default": Database(url="postgresql+asyncpg://shop:pa55word@db/shop")}
    """


def test_it_knows_versions_and_the_project_and_tells_no_secret(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "correct horse battery staple")
    shop.write({"shop/settings.py": SETTINGS})
    result = manage("info", "--json")
    facts = json.loads(result.out)
    assert facts["fastforge"] == __version__
    assert platform.python_version() in facts["python"]
    assert facts["packages"]["fastapi"] == metadata.version("fastapi")
    assert facts["project"] == {
        "settings": "shop.settings",
        "environment": "test",
        "debug": False,
        "apps": ["fastforge.core", "fastforge.contrib.db", "fastforge.contrib.jobs", "shop.notes"],
        "backends": {"TASKS.backend": "database", "DATABASES.default.url": "postgresql+asyncpg"},
        "resources": [
            "offloading",
            "memory_cache",
            "memory_channels",
            "task_clock",
            "memory_jobs",
            "database",
            "databases",
            "migration_watch",
            "job_store",
        ],
    }
    text = manage("info").out
    assert "  backends     TASKS.backend database, DATABASES.default.url postgresql" in text
    for secret in ("correct horse", "pa55word"):
        assert secret not in result.out + text


def test_outside_of_a_project_it_says_so(nowhere: Path, manage: Shell) -> None:
    result = manage("info")
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("\nproject:\n  settings  there is no project here\n")
    assert "  info " in manage("--help").out


@pytest.mark.parametrize(
    ("file", "text", "settings", "line"),
    [
        ("shop/settings.py", "DEBUG = 'maybe'", "cannot be read", "[conf.E006] shop/settings.py:1"),
        ("shop/notes/tasks.py", "1 / 0", "shop.settings", "[components.E003] shop/notes/tasks.py"),
    ],
)
def test_a_broken_project_is_told_behind_what_is_known(
    file: str, text: str, settings: str, line: str, shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({file: text})
    result = manage("info", "--json")
    project = json.loads(result.out)["project"]
    assert project["settings"] == settings
    assert project["errors"][0].startswith(line)
    assert result.err.startswith(f"error: {line}")
    assert result.code == 2
