"""Limits that do not fit together are told before a release, with the sum in the message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Project
from fastforge.checks import Level, Message, run_checks
from tests.folder import ProjectFolder, isolated

ROUTES = """
    import asyncio

    from fastapi import APIRouter
    from fastforge.web import time_limit

    router = APIRouter()

    @router.get("/quick")
    @time_limit(31)
    async def quick() -> None: ...

    @router.get("/report")
    @time_limit(32)
    async def report() -> None: ...

    @router.get("/feed")
    @time_limit(None)
    async def feed() -> None: ...
    """
RESOURCES = """
    from fastforge import resource

    @resource(close_timeout_s=12)
    async def mail():
        yield 1
    """


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with isolated(tmp_path) as folder:
        yield load(folder)


def load(folder: ProjectFolder, **files: str) -> Project:
    named = {f"shop/orders/{name}.py": text for name, text in files.items()}
    settings = {"shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]\n', "shop/orders/x.py": ""}
    folder.write({**settings, **named})
    return folder.load({"FASTFORGE_ENV": "test"})


def found(project: Project, check_id: str = "server.", **server: Any) -> list[Message]:
    changed = project.overriding(settings={"SERVER": server}) if server else project
    messages = run_checks(changed, deploy=True, tags=["server"])
    return [each for each in messages if each.id.startswith(check_id)]


def test_the_defaults_of_production_fit_wherever_they_are_checked(project: Project) -> None:
    assert found(project) == []
    assert found(project, request_timeout_s=31) == []


def test_requests_that_outlast_a_stop_are_an_error_with_the_sum(project: Project) -> None:
    (message,) = found(project, request_timeout_s=90, pre_stop_s=3)
    assert (message.id, message.level) == ("server.E030", Level.ERROR)
    assert "90 s (SERVER.request_timeout_s)" in message.text
    assert "waits 3 pre-stop + 5 drain + 1 linger + 25 graceful = 34 s for it" in message.text
    assert "raise SERVER.graceful_s by 56" in message.hint
    assert found(project, request_timeout_s=90, graceful_s=84) == []


def test_requests_without_a_limit_are_told(project: Project) -> None:
    (message,) = found(project, request_timeout_s=0)
    assert (message.id, message.level) == ("server.W001", Level.WARNING)


def test_handlers_with_a_limit_of_their_own_that_outlasts_a_stop_are_told(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        project = load(folder, routes=ROUTES)
        report, feed = found(project, "server.W002")
        assert report.text.startswith("report may take 32 s (@time_limit)")
        assert "5 drain + 1 linger + 25 graceful = 31 s" in report.text
        assert feed.text.startswith("feed may take for ever")
        assert str(report.where).endswith("routes.py:12")
        assert len(found(project, "server.W002", graceful_s=26)) == 1


def test_a_resource_that_may_close_for_longer_than_all_together_is_told(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        project = load(folder, resources=RESOURCES)
        (message,) = found(project, "server.W003")
        assert "mail may take 12 s to close, and all together have 10 s" in message.text
        assert str(message.where).endswith("resources.py:3")
        assert found(project, teardown_s=12) == []


def test_more_processes_on_a_host_than_on_all_hosts_are_an_error(project: Project) -> None:
    (message,) = found(project, workers=4, processes=2)
    assert (message.id, message.level) == ("server.E031", Level.ERROR)
    assert message.text.startswith("4 processes serve on each host (SERVER.workers), and 2 on all")
    assert found(project, workers=4, processes=8) == []
    assert found(project, workers=4) == []


def test_connections_that_a_proxy_keeps_for_longer_than_the_server_are_told(
    project: Project,
) -> None:
    proxied = project.overriding(settings={"TRUSTED_PROXIES": ["10.0.0.0/8"]})
    assert found(proxied) == []
    (message,) = found(proxied, keep_alive_s=60)
    assert message.id == "server.W004"
    assert message.text.startswith("idle connections are closed after 60 s (SERVER.keep_alive_s)")
    assert found(project, keep_alive_s=5) == []
