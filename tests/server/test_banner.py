"""The banner says in a dozen lines what runs, what does not, and what waits."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from fastforge import Role, __version__, get_asgi_application
from fastforge.server.banner import banner
from tests.folder import ProjectFolder, isolated
from tests.processes import clean_environment

URL = "http://127.0.0.1:8000"
SHOP = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": """
        from fastforge.tasks import Tasks

        INSTALLED_APPS = ["shop.orders"]
        TASKS = Tasks(backend="memory")
        """,
    "shop/orders/resources.py": """
        from fastforge.exceptions import ResourceUnavailable
        from fastforge.lifecycle import resource

        @resource
        async def stock():
            yield 1

        @resource(required=False)
        async def search():
            raise ResourceUnavailable("the index is\\x1b[2J being built", code="shop.E001")
            yield
        """,
}
PRINT = """
    import asyncio
    from fastforge import Project, Role, get_asgi_application
    from fastforge.server.banner import banner

    async def main():
        project = Project.load()
        async with project.running(Role.WEB) as container:
            print(await banner(container, get_asgi_application(project), url="http://x"))

    asyncio.run(main())
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


async def shown(shop: ProjectFolder, *notes: str, app: FastAPI | None = None) -> list[str]:
    project = shop.load({"FASTFORGE_ENV": "development"})
    app = get_asgi_application(project, app=app)
    async with project.running(Role.WEB) as container:
        return (await banner(container, app, url=URL, notes=notes)).splitlines()


async def test_it_says_where_what_and_how_it_is(shop: ProjectFolder) -> None:
    assert await shown(shop, "reloads on changes") == [
        f"fastforge {__version__}  shop.settings, development, reloads on changes",
        f"  Server     {URL}",
        f"  API docs   {URL}/docs",
        "  Resources  stock (orders): ok",
        "             search (orders): unavailable: the index is?[2J being built",
        "Ctrl-C stops",
    ]


async def test_jobs_and_notices_are_told(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/orders/tasks.py": """
                from fastforge import task

                @task
                async def count() -> None: ...
                """,
            "shop/orders/notices.py": """
                from fastforge.lifecycle import notice

                @notice
                async def old() -> list[str]:
                    return ["one", "two", "x" * 200, "four", "five"]
                """,
        }
    )
    assert (await shown(shop))[5:] == [
        "  Jobs       stay in memory: only a worker inside the server could run them",
        "  Notice     one",
        "             two",
        f"             {'x' * 97}... (and 2 more)",
        "Ctrl-C stops",
    ]


async def test_however_much_there_is_it_stays_small(shop: ProjectFolder) -> None:
    names = [f"resource_with_a_long_name_{number}" for number in range(30)]
    shop.write(
        {
            "shop/orders/resources.py": "from fastforge.lifecycle import resource\n"
            + "".join(
                f"@resource(required=False)\nasync def {name}():\n    {failing}\n    yield\n"
                for number, name in enumerate(names)
                for failing in ["raise OSError" if number % 2 else "pass"]
            )
        }
    )
    lines = await shown(shop)
    assert len(lines) <= 12
    assert lines[3].endswith(" and 13 more: ok")
    assert lines[5].endswith("unavailable: OSError (and 13 more)")


async def test_an_application_without_docs_has_no_such_line(shop: ProjectFolder) -> None:
    assert "docs" not in "\n".join(await shown(shop, app=FastAPI(docs_url=None)))
    assert "docs" not in "\n".join(await shown(shop, app=FastAPI(openapi_url=None)))


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    shop: ProjectFolder, variables: dict[str, str], coloured: bool
) -> None:
    shop.write({"print.py": PRINT})
    ours, theirs = pty.openpty()
    environment = clean_environment() | {"TERM": "xterm", "NO_COLOR": ""} | variables
    subprocess.run(
        [sys.executable, "print.py"], stdout=theirs, env=environment, cwd=shop.path, check=True
    )
    os.close(theirs)
    written = os.read(ours, 65536).decode()
    os.close(ours)
    assert "http://x" in written
    assert ("\x1b[" in written) is coloured
