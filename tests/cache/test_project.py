"""The cache of a project: by annotation, wherever code of it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Project, Role, get_asgi_application
from fastforge.cache import Cache, CacheError, CacheSpace, cache_of
from fastforge.cache.backend import backend_name
from fastforge.checks import run_checks
from fastforge.lifecycle import execute, plan, use_container
from fastforge.observability.metrics import snapshot
from fastforge.test import client
from tests.folder import ProjectFolder, isolated

SETTINGS = """
    SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
    INSTALLED_APPS = ["shop.notes"]
"""
ROUTES = """
    from fastapi import APIRouter
    from fastforge.cache import Cache

    router = APIRouter()

    @router.get("/hits")
    async def hits(cache: Cache) -> int | None:
        return await cache.incr("hits")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS, "shop/notes/routes.py": ROUTES})
        yield folder


async def count(cache: Cache) -> int | None:
    return await cache.incr("hits")


async def test_handlers_and_all_else_have_the_same_cache(folder: ProjectFolder) -> None:
    application = get_asgi_application(folder.load())
    async with client(application) as http:
        assert (await http.get("/hits")).json() == 1
        assert (await http.get("/hits")).json() == 2


async def test_what_runs_outside_of_requests_is_given_it_too(folder: ProjectFolder) -> None:
    async with folder.load().running(Role.COMMAND) as container:
        async with execute(container, plan(count)) as values:
            assert await count(**values) == 1
        assert await cache_of(container).get("hits", type=int) == 1


async def test_each_container_begins_with_an_empty_one(folder: ProjectFolder) -> None:
    """So does each test of a project."""
    project = folder.load()
    for _ in range(2):
        async with project.running(Role.COMMAND) as container:
            assert await cache_of(container).incr("hits") == 1


async def test_metrics_tell_of_calls_and_of_what_is_kept(folder: ProjectFolder) -> None:
    async with folder.load().running(Role.COMMAND) as container:
        cache = cache_of(container)
        await cache.set("k", 1)
        await cache.get("k")
        await cache.get("other")
        with use_container(container):
            found = {(each.metric.name, *each.labels): each.value for each in snapshot(container)}
    assert found["cache.calls", "get", "hit"] == 1
    assert found["cache.calls", "get", "miss"] == 1
    assert found["cache.calls", "set", "ok"] == 1
    assert found["cache.entries",] == 1
    duration: Any = found["cache.duration", "get"]
    assert duration.count == 2


def load(folder: ProjectFolder, environment: str, *lines: str) -> Project:
    folder.write({"shop/settings.py": SETTINGS + "".join(f"    {line}\n" for line in lines)})
    return folder.load({"FASTFORGE_ENV": environment})


REDIS = (
    "from fastforge.contrib.redis import Redis",
    "INSTALLED_APPS = ['fastforge.contrib.redis']",
    "REDIS = Redis(url='redis://127.0.0.1:1/0')",
)


@pytest.mark.parametrize(
    ("environment", "lines", "name"),
    [
        ("production", (), "memory"),
        ("production", REDIS, "redis"),
        ("development", REDIS, "redis"),
        ("test", REDIS, "memory"),
        ("test", (*REDIS, "CACHE = {'backend': 'redis'}"), "redis"),
        ("production", (*REDIS, "CACHE = {'backend': 'memory'}"), "memory"),
    ],
)
async def test_the_backend_is_what_is_installed_unless_the_settings_say(
    folder: ProjectFolder, environment: str, lines: tuple[str, ...], name: str
) -> None:
    project = load(folder, environment, *lines)
    async with project.running(Role.COMMAND) as container:
        assert backend_name(container) == name


async def test_a_backend_that_nobody_declares_is_found_before_it_is_missed(
    folder: ProjectFolder,
) -> None:
    project = load(folder, "test", "CACHE = {'backend': 'redsi'}")
    (found,) = [each for each in run_checks(project).messages if each.id == "cache.E020"]
    assert found.hint == "did you mean 'redis'?"
    async with project.running(Role.COMMAND) as container:
        with pytest.raises(CacheError, match="no installed app declares") as caught:
            await cache_of(container).get("k")
    assert caught.value.code == "cache.E001"


@pytest.mark.parametrize(
    ("lines", "is_warned"),
    [
        (("CACHE = {'max_entries': 9}", "SERVER = {'processes': 4}"), True),
        (("CACHE = {'max_entries': 9}", "SERVER = {'processes': 1}"), False),
        (("SERVER = {'processes': 4}",), False),
        ((*REDIS, "CACHE = {'max_entries': 9}", "SERVER = {'processes': 4}"), False),
        ((*REDIS, "CACHE = {'backend': 'memory'}", "SERVER = {'processes': 4}"), True),
    ],
)
def test_a_deployment_is_warned_of_a_cache_that_is_several(
    folder: ProjectFolder, lines: tuple[str, ...], is_warned: bool
) -> None:
    project = load(folder, "production", *lines)
    found = [each for each in run_checks(project, deploy=True).messages if each.id == "cache.W001"]
    assert bool(found) is is_warned
    assert all("4 processes serve" in each.text for each in found)


def test_a_space_is_shown_by_its_name() -> None:
    space = CacheSpace(object())  # type: ignore[arg-type]
    assert repr(space.namespace("a").namespace("b")) == "<CacheSpace('a/b')>"
