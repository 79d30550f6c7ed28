"""Each check of DATABASES before a deployment has a database that fails it, and one that passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fastforge import Project
from fastforge.checks import run_checks
from tests.folder import ProjectFolder, isolated

URL = "postgresql+asyncpg://shop:Xk3vT9wQ@db.example.com/shop"
SETTINGS = {
    "shop/settings.py": f"""
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db"]
        ALLOWED_HOSTS = ["shop.example"]
        DATABASES = {{"default": Database(url="{URL}")}}
        """
}
PODS = """
    kind: Deployment
    spec:
      replicas: 3
      containers:
        - args: ["python", "manage.py", "runserver", "0.0.0.0:8000"]
    """
SQLITE = "sqlite+aiosqlite:///db.sqlite3"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SETTINGS)
        yield folder


@pytest.fixture
def project(folder: ProjectFolder) -> Project:
    return folder.load({"FASTFORGE_ENV": "production"})


def found(project: Project, database: Mapping[str, Any], **settings: Any) -> set[str]:
    changed = {"DATABASES": {"default": {"url": URL, **database}}, **settings}
    messages = run_checks(project.overriding(settings=changed), deploy=True, tags=["database"])
    return {each.id for each in messages}


@pytest.mark.parametrize(
    ("id", "wrong", "right"),
    [
        ("db.W001", {"url": SQLITE}, {}),
        ("db.W002", {"statement_timeout_s": 0}, {}),
        ("db.W006", {"lock_timeout_s": 0}, {"lock_timeout_s": 1}),
        ("db.W007", {"idle_in_transaction_timeout_s": 0}, {}),
        ("db.W008", {"client_check_interval_s": 0}, {}),
        ("db.W009", {"pool_recycle_s": 0}, {"pool_recycle_s": 60}),
        ("db.W019", {"idle_ping_s": 0}, {"idle_ping_s": 1}),
        ("db.W020", {"ssl": "prefer"}, {"ssl": "verify-full"}),
        ("db.W020", {"url": f"{URL}?sslmode=disable"}, {"url": "postgresql+asyncpg://u@db/n"}),
        ("db.E077", {"url": URL.replace("Xk3vT9wQ", "Shop")}, {}),
        ("db.E077", {"url": URL.replace("Xk3vT9wQ", "postgres")}, {}),
        ("db.W021", {"url": URL.replace("shop:", "postgres:")}, {}),
        ("db.W022", {"url": "sqlite+aiosqlite:////dev/shm/db.sqlite3"}, {"url": SQLITE}),
    ],
)
def test_it_is_told_where_it_is_wrong_and_not_where_it_is_right(
    project: Project, id: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    assert id in found(project, wrong)
    assert id not in found(project, right)


def test_the_defaults_are_right_and_a_near_server_needs_no_encryption(project: Project) -> None:
    assert found(project, {}) == set()
    assert found(project, {"url": "postgresql+asyncpg://u:p9@db/n", "ssl": "disable"}) == set()


def test_a_file_and_several_hosts_are_an_error_in_production(project: Project) -> None:
    several, one = {"processes": 4, "workers": 2}, {"processes": 2, "workers": 2}
    assert "db.E078" in found(project, {"url": SQLITE}, SERVER=several)
    assert "db.E078" not in found(project, {"url": SQLITE}, SERVER=one)
    assert "db.E078" not in found(project, {}, SERVER=several)


def test_pods_are_hosts(folder: ProjectFolder) -> None:
    folder.write({"deploy/web.yaml": PODS})
    assert "db.E078" in found(folder.load({"FASTFORGE_ENV": "production"}), {"url": SQLITE})
    assert "db.E078" not in found(folder.load(), {"url": SQLITE})
