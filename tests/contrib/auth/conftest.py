"""A running project with users, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import clsregistry

from fastforge import Project, Role
from fastforge.contrib.auth.default_user.models import User
from fastforge.contrib.auth.models import ApiKey
from fastforge.contrib.db import Model
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Container, use_container
from tests.folder import ProjectFolder, isolated

SETTINGS = """
    from fastforge.contrib.auth import Auth
    from fastforge.contrib.db import Database

    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.auth", "fastforge.contrib.auth.default_user",
        {apps}
    ]
    DATABASES = {{"default": Database(url={url!r})}}
    AUTH = Auth({auth})
    SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
"""
PASSWORD = "plum-kettle-9"

# It is imported wherever tests are collected; projects of other tests have a `User` of their own,
# which they find by that name.
clsregistry._remove_class("User", User, Model.registry._class_registry)


def settings(url: str = "sqlite+aiosqlite:///db.sqlite3", *, auth: str = "", apps: str = "") -> str:
    """The settings of a project that has users."""
    return SETTINGS.format(url=url, auth=auth, apps=apps)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n'})
        yield folder


def tables_of_users() -> list[sa.Table]:
    """Those of the app itself, and of the model."""
    assert {User, ApiKey}  # their modules are imported: that makes the tables known
    return [table for table in Model.metadata.sorted_tables if table.name.startswith("auth_")]


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def project(folder: ProjectFolder, database_url: str) -> Project:
    folder.write({"shop/settings.py": settings(database_url)})
    return folder.load()


@pytest.fixture
async def container(project: Project) -> AsyncIterator[Container]:
    """The project, running, with an empty table of users."""
    async with project.running(Role.COMMAND) as running:
        async with running[database].engine.begin() as own:
            await own.run_sync(Model.metadata.create_all, tables_of_users())
        with use_container(running):
            yield running
