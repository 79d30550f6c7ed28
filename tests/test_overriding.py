"""A copy of a project with other settings and stand-ins: nothing else changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import MagicMock

import httpx
import pytest

from fastforge import Project, Role, provide, resource
from fastforge.conf import settings_report
from fastforge.exceptions import ComponentError, DependencyError, ErrorGroup, StartError
from fastforge.lifecycle import check_health
from fastforge.tasks.settings import Tasks
from fastforge.test import client, run_command
from tests.folder import ProjectFolder, isolated

FILES = {
    "shop/settings.py": """
        INSTALLED_APPS = ["shop.orders"]
        ORDERS = {"page_size": 20}
        TASKS = {"backend": "memory", "concurrency": 3}
        """,
    "shop/orders/apps.py": """
        from fastforge.apps import AppConfig
        from fastforge.conf import Section

        class Orders(Section):
            page_size: int = 10

        class OrdersConfig(AppConfig):
            name = "shop.orders"
            settings = (Orders,)
        """,
    "shop/orders/resources.py": """
        from collections.abc import AsyncIterator
        from typing import Annotated

        from fastforge import provide, resource, section
        from .apps import Orders

        opened = []

        async def ping(value):
            raise RuntimeError("no answer")

        @resource
        async def pool() -> AsyncIterator[str]:
            opened.append("pool")
            yield "the real pool"

        @resource(ping=ping)
        async def search(pool: Annotated[str, provide(pool)]) -> AsyncIterator[str]:
            opened.append("search")
            yield "the real search"

        @resource
        async def index(search: Annotated[str, provide(search)]) -> AsyncIterator[str]:
            yield f"an index of {search}"

        Search = Annotated[str, provide(search)]
        Index = Annotated[str, provide(index)]
        Config = Annotated[Orders, section(Orders)]
        """,
    "shop/orders/routes.py": """
        from fastapi import APIRouter
        from .resources import Config, Index, Search
        from .tasks import look

        router = APIRouter()

        @router.get("/")
        async def show(config: Config, search: Search, index: Index) -> list[int | str]:
            return [config.page_size, search, index]
        """,
    "shop/orders/tasks.py": """
        from fastforge import injected, task
        from .resources import Search

        @task
        async def look(*, search: Search = injected) -> None:
            print(search)
        """,
    "shop/orders/commands/find.py": '''
        """Say what searches."""
        from fastforge import injected
        from fastforge.commands import command
        from shop.orders.resources import Search

        @command
        async def find(*, search: Search = injected) -> None:
            print(search)
        ''',
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Project]:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
        yield folder.load()


def named(project: Project, name: str) -> Any:
    return project.registry.get("resources", name).value


# --- settings ------------------------------------------------------------------------------------


def test_a_section_is_given_as_an_object_or_as_a_dict_and_replaces_the_whole(
    shop: Project,
) -> None:
    changed = shop.overriding(settings={"TASKS": Tasks(lease_s=5), "ORDERS": {"page_size": "7"}})
    assert changed.settings.section(Tasks) == Tasks(lease_s=5)
    assert changed.settings["ORDERS"].page_size == 7
    assert shop.settings.section(Tasks).concurrency == 3
    assert shop.settings["ORDERS"].page_size == 20
    assert changed != shop


def test_the_report_says_what_is_overridden(shop: Project) -> None:
    changed = shop.overriding(settings={"DEBUG": True}).overriding(settings={"TASKS": {}})
    sources = {row.name: row.source for row in settings_report(changed.settings)}
    assert sources["DEBUG"] == sources["TASKS"] == "overridden"
    assert sources["ORDERS"].endswith("settings.py:2")
    assert sources["SECRET_KEY"] == "default"


def test_all_mistakes_are_told_at_once_with_the_nearest_names(shop: Project) -> None:
    with pytest.raises(ErrorGroup) as failure:
        shop.overriding(settings={"DEBG": 1, "TASKS": {"backen": 1}, "ORDERS": {"page_size": "x"}})
    section, value, name = sorted(str(failure.value).splitlines())
    assert section == "[conf.E004] TASKS.backen does not exist; did you mean 'backend'?"
    assert value.startswith("[conf.E006] ORDERS.page_size: Input should be a valid integer")
    assert name == "[conf.E017] no installed app reads the setting DEBG; did you mean 'DEBUG'?"


def test_other_apps_may_be_installed_and_stand_ins_stay(shop: Project, tmp_path: Path) -> None:
    ProjectFolder(tmp_path).write({"shop/extra/routes.py": ""})
    fake = shop.overriding(resources={named(shop, "search"): "fake"})
    more = fake.overriding(settings={"INSTALLED_APPS": ["shop.orders", "shop.extra"]})
    assert [app.label for app in more.apps] == ["fastforge", "orders", "extra"]
    assert named(more, "search").stands_for is named(shop, "search")
    assert len(shop.apps) == 2


# --- resources -----------------------------------------------------------------------------------


async def test_handlers_tasks_and_commands_see_the_stand_in_and_two_live_side_by_side(
    shop: Project,
) -> None:
    search = named(shop, "search")
    one = shop.overriding(settings={"ORDERS": {"page_size": 1}}, resources={search: "one"})
    two = shop.overriding(settings={"ORDERS": {"page_size": 2}}, resources={search: "two"})
    async with client(one) as first, client(two) as second, client(shop) as third:
        assert (await first.get("/")).json() == [1, "one", "an index of one"]
        assert (await second.get("/")).json() == [2, "two", "an index of two"]
        assert (await third.get("/")).json()[1] == "the real search"
    assert run_command(two, "find").output == "two\n"
    assert run_command(shop, "find").output == "the real search\n"


async def test_nothing_of_the_original_runs_and_its_needs_stay_open_for_others(
    shop: Project,
) -> None:
    changed = shop.overriding(resources={named(shop, "search"): "fake"})
    async with changed.running(Role.WEB) as container:
        assert container[named(shop, "pool")] == "the real pool"
        assert all(health.error == "" for health in await check_health(container))
    assert named(shop, "search").function.__globals__["opened"] == ["pool"]


async def test_a_function_opens_and_closes_it_with_parameters_of_its_own(shop: Project) -> None:
    closed: list[str] = []

    async def fake(pool: str = provide(named(shop, "pool"))) -> AsyncIterator[str]:
        yield f"a fake over {pool}"
        closed.append("index")

    for stand_in in (fake, asynccontextmanager(fake)):
        changed = shop.overriding(resources={named(shop, "index"): stand_in})
        async with changed.running(Role.WEB) as container:
            assert container[named(shop, "index")] == "a fake over the real pool"
    assert closed == ["index", "index"]


async def test_a_resource_may_stand_for_another(shop: Project) -> None:
    @resource(required=False)
    async def fake() -> AsyncIterator[str]:
        yield "fake"

    changed = shop.overriding(resources={named(shop, "pool"): fake})
    async with changed.running(Role.WEB) as container:
        assert container[named(shop, "pool")] == "fake"


async def test_a_mock_is_the_instance_although_it_can_be_called_and_entered(
    shop: Project,
) -> None:
    mock = MagicMock()
    changed = shop.overriding(resources={named(shop, "search"): mock})
    async with changed.running(Role.WEB) as container:
        assert container[named(shop, "search")] is mock


async def test_a_stand_in_that_fails_to_open_is_named_as_the_original(shop: Project) -> None:
    async def fake() -> AsyncIterator[str]:
        raise OSError("away")
        yield ""

    changed = shop.overriding(resources={named(shop, "search"): fake})
    with pytest.raises(StartError, match="py:[0-9]+: the resource 'search' .*: away") as failure:
        async with changed.running(Role.WEB):
            pass
    assert "test_overriding.py" in str(failure.value)
    assert changed != shop


def test_an_unknown_resource_is_refused(shop: Project) -> None:
    @resource
    async def serch() -> AsyncIterator[str]:
        yield ""

    with pytest.raises(ComponentError, match="declares the resource 'serch'.*mean 'search'"):
        shop.overriding(resources={serch: "fake"})
    with pytest.raises(ComponentError, match="is no resource"):
        shop.overriding(resources={Annotated[str, provide(serch)]: "fake"})


def test_a_stand_in_whose_parameters_cannot_be_filled_is_refused(shop: Project) -> None:
    async def fake(request: httpx.Request) -> AsyncIterator[str]:
        yield ""

    with pytest.raises(DependencyError, match="the parameter request"):
        shop.overriding(resources={named(shop, "search"): fake})
