"""`check --deploy` tells what is wrong in each part of a deployment, and nothing of a good one."""

from __future__ import annotations

import json

import pytest

from tests.folder import ProjectFolder

from .conftest import Shell

KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd_PiQ3nKwBzY6tVxC"
WELL = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    SECRET_KEY = env.secret("SECRET_KEY")
    ALLOWED_HOSTS = ["shop.example"]
    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.redis", "shop.notes"]
    DATABASES = {"default": Database(url="postgresql+asyncpg://shop:x9@db/shop")}
    REDIS = {"url": "redis://redis:6379"}
    """
WRONG = """
    SECRET_KEY = "change-me-" + "abc" * 12
    DEBUG = DOCS = True
    ALLOWED_HOSTS = ["*"]
    TRUSTED_PROXIES = ["0.0.0.0/0"]
    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.redis", "fastforge.contrib.templates",
        "fastforge.contrib.prometheus", "fastforge.contrib.telemetry", "shop.notes",
    ]
    CORS = {"allow_origins": ["*"]}
    SECURITY = {"hsts_max_age_s": 0, "require_policy": True}
    HEALTH = {"ready_path": ""}
    SERVER = {"request_timeout_s": 0, "header_timeout_s": 0, "drain_s": 0, "max_requests": 1}
    LOGGING = {"level": "debug"}
    WATCHDOG = {"enabled": False}
    TASKS = {"backend": "memory", "drain_s": 0}
    DATABASES = {"default": {"url": "postgresql+asyncpg://postgres:postgres@h/n"}}
    REDIS = {"url": "redis://redis.example.com"}
    PROMETHEUS = {"path": "/metrics"}
    """
FAMILIES = {
    "core.E002", "core.E006", "db.E077", "db.W021", "deploy.W022", "deploy.W023",
    "logging.W003", "prometheus.W001", "redis.W002", "redis.W003", "server.W001", "server.W013",
    "server.W018", "server.W021", "tasks.W002", "tasks.W053", "telemetry.W011", "templates.W002",
    "watchdog.W001", "web.E011", "web.E060", "web.W010", "web.W012", "web.W063", "web.W067",
    "web.W073",
}  # fmt: skip
TASKS = """
    from fastforge import task

    @task
    async def ship() -> None: ...
    """


@pytest.fixture(autouse=True)
def _production(shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTFORGE_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", KEY)


def test_everything_that_is_wrong_is_told_at_once_as_json(
    shop: ProjectFolder, manage: Shell
) -> None:
    files = {"shop/settings.py": WRONG, "shop/notes/tasks.py": TASKS}
    shop.write({**files, "Dockerfile": "FROM python:3.14\nCMD manage runserver\n"})
    result = manage("check", "--deploy", "--json")
    messages = json.loads(result.out)["messages"]
    assert FAMILIES - {each["id"] for each in messages} == set(), result.out
    assert all(each["hint"] and each["level"] for each in messages)
    assert result.code == 1
    levels = [each["level"] for each in messages]
    assert levels == sorted(levels, key=["error", "warning", "info"].index)


def test_a_deployment_that_is_well_passes_at_every_level(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({"shop/settings.py": WELL})
    result = manage("check", "--deploy", "--fail-level", "info")
    assert (result.out, result.code) == ("no problems\n", 0)


def test_warnings_alone_fail_where_that_is_wanted(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/settings.py": f'{WELL}\n    LOGGING = {{"level": "debug"}}\n'})
    assert manage("check", "--deploy").code == 0
    assert manage("check", "--deploy", "--fail-level", "warning").code == 1
