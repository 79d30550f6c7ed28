"""A shop whose users log in by a cookie, on SQLite unless a test says otherwise."""

from __future__ import annotations

import asyncio
import importlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import clsregistry

from fastforge import Project
from fastforge.contrib.auth.default_user.models import User
from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.contrib.db import Model
from fastforge.test import run_command
from tests.folder import ProjectFolder, isolated

from .shop import ANN, PASSWORD, ROUTES, settings

FILES = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": settings(),
    "shop/web/routes.py": ROUTES,
}

# Projects of other tests have a `User` of their own, which they find by that name.
clsregistry._remove_class("User", User, Model.registry._class_registry)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
        yield folder


@pytest.fixture
def migrated(monkeypatch: pytest.MonkeyPatch) -> Callable[[Project], Project]:
    """Give a project its tables, and Ann."""

    def prepare(project: Project) -> Project:
        monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
        assert run_command(project, "migrate").exit_code == 0
        assert run_command(project, "createuser", ANN).exit_code == 0
        return project

    return prepare


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables and Ann, made once for many tests."""
    with isolated(tmp_path_factory.mktemp("made")) as folder, pytest.MonkeyPatch.context() as patch:
        folder.write(FILES)
        project = folder.load()
        patch.setenv(PASSWORD_VARIABLE, PASSWORD)
        assert run_command(project, "migrate").exit_code == 0
        assert run_command(project, "createuser", ANN).exit_code == 0
        return folder.path / "db.sqlite3"


@pytest.fixture
def gate(project: Project) -> Callable[[str], asyncio.Event]:
    """Let the handler `/slow/KEY` wait, until the event is set."""

    def close(key: str) -> asyncio.Event:
        gates = importlib.import_module("shop.web.routes").gates
        event: asyncio.Event = gates.setdefault(key, asyncio.Event())
        return event

    return close


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that any database of the process is asked."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def project(folder: ProjectFolder, database: Path) -> Project:
    shutil.copy(database, folder.path / "db.sqlite3")
    return folder.load()
