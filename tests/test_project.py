"""A project is a value: loaded without I/O, comparable, and two run in one process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge import Project, Role
from fastforge.exceptions import AppError, ComponentError
from tests.folder import ProjectFolder, isolated

RESOURCE = """
from collections.abc import AsyncIterator
from typing import Annotated

from fastforge import provide, resource

@resource
async def {0}() -> AsyncIterator[str]:
    yield "{0} of {1}"

Value = Annotated[str, provide({0})]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def test_loading_twice_gives_equal_registries(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
            "shop/orders/resources.py": RESOURCE.format("pool", "shop"),
        }
    )
    one, two = folder.load(), folder.load()
    assert one.registry == two.registry
    assert one.apps == two.apps
    assert one == two
    assert one.name == "shop"
    assert repr(one) == "<Project(shop.settings, 2 apps)>"


async def test_two_projects_run_in_one_process(folder: ProjectFolder) -> None:
    for name in ("shop", "blog"):
        folder.write(
            {
                f"{name}/settings.py": f'INSTALLED_APPS = ["{name}.orders"]',
                f"{name}/orders/resources.py": RESOURCE.format("pool", name),
            }
        )
    shop = folder.load()
    blog = Project.load("blog.settings", start=folder.path, environ={})
    async with shop.running(Role.WEB) as here, blog.running(Role.WEB) as there:
        assert here[shop.registry.get("resources", "pool").value] == "pool of shop"
        assert there[blog.registry.get("resources", "pool").value] == "pool of blog"


def test_a_cycle_in_needs_is_found_when_the_project_loads(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
            "shop/orders/resources.py": RESOURCE.format("a", "shop")
            + RESOURCE.format("b", "shop")
            + "object.__setattr__(a, 'needs', (b,))\nobject.__setattr__(b, 'needs', (a,))\n",
        }
    )
    with pytest.raises(ComponentError, match="resources need each other: a -> b -> a"):
        folder.load()


def test_two_apps_may_not_declare_one_setting(folder: ProjectFolder) -> None:
    app = """
        from fastforge.apps import AppConfig
        from fastforge.conf import Setting

        class Config(AppConfig):
            name = "shop.{0}"
            settings = (Setting(name="PAGE", type=int, default=1),)
        """
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.a", "shop.b"]',
            "shop/a/apps.py": app.format("a"),
            "shop/b/apps.py": app.format("b"),
        }
    )
    with pytest.raises(AppError, match="'shop.a' and 'shop.b' both declare PAGE"):
        folder.load()


def test_an_app_introduces_a_kind_that_others_fill(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.beat", "shop.orders"]',
            "shop/beat/rhythm.py": "class Rhythm:\n    pass\n",
            "shop/beat/kinds.py": """
                from fastforge.components import Kind
                from .rhythm import Rhythm

                RHYTHMS = Kind(name="rhythms", type=Rhythm, module="rhythms")
                """,
            "shop/orders/rhythms.py": """
                from shop.beat.rhythm import Rhythm

                hourly = Rhythm()
                """,
        }
    )
    [rhythm] = folder.load().registry.components("rhythms")
    assert (rhythm.name, rhythm.app) == ("orders.hourly", "orders")


LOAD_AND_LIST_OPENED = """
import sys
folder = sys.argv[1]
sys.path.insert(0, folder)
import fastforge.contrib.db, fastforge.contrib.http, fastforge.contrib.jobs
from fastforge import Project
opened, connected = [], []
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.append(arguments[0])
    elif event.startswith("socket."):
        connected.append(event)
sys.addaudithook(hook)
project = Project.load("shop.settings", environ={"SECRET_KEY_FILE": folder + "/key"})
names = sorted({name for name in opened if not name.endswith((".py", ".pyc", ".so"))})
print(names, connected, project.settings["SECRET_KEY"])
"""


def test_loading_opens_no_socket_and_only_the_files_it_may(folder: ProjectFolder) -> None:
    """Modules, pyproject.toml, .env and what a *_FILE variable names: nothing else."""
    folder.write(
        {
            "shop/settings.py": """
                from fastforge.conf import App, env

                SECRET_KEY = env.secret("SECRET_KEY")
                INSTALLED_APPS = [
                    "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.http",
                    App("shop.orders", prefix="/api"),
                ]
                """,
            "shop/orders/resources.py": RESOURCE.format("pool", "shop"),
            "key": "s" * 40,
            ".env": "FASTFORGE_ENV=development\n",
            "pyproject.toml": "",
        }
    )
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LOAD_AND_LIST_OPENED), str(folder.path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder.path,
    )
    assert done.returncode == 0, done.stderr
    allowed = [str(folder.path / name) for name in (".env", "key")]
    assert done.stdout.strip() == f"{allowed} [] {'s' * 40}"
