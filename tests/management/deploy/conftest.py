"""A project that needs everything, and `manage deploy` typed in it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commanding import python
from tests.folder import ProjectFolder

SECRET = "geheim-k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
PYPROJECT = """
    [project]
    name = "shop"
    version = "1.2.3"
    dependencies = ["fastforge-framework[postgres,redis]"]

    [tool.fastforge]
    settings = "shop.settings"
    """
SETTINGS = """
    from pathlib import Path

    from fastforge.conf import env
    from fastforge.contrib.db import Database
    from fastforge.contrib.redis import Redis
    from fastforge.core.settings import Server
    from fastforge.tasks import Tasks

    BASE_DIR = Path(__file__).parent.parent

    SECRET_KEY = env.secret("SECRET_KEY")
    ALLOWED_HOSTS = env("ALLOWED_HOSTS", list[str], default=["localhost"])
    _PARTNERS = env("PARTNERS", int, default=7, help="How many partners there are")
    _PARTNER_KEY = env.secret("PARTNER_KEY", default="only-a-default", help="From the partner")
    _REGION = env("REGION", help="Where it runs")
    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.redis", "shop",
    ]
    DATABASES = {"default": Database(url=env("DATABASE_URL", default="sqlite+aiosqlite:///db.sqlite3"))}
    REDIS = Redis(url=env("REDIS_URL", default="redis://localhost:6379/0"))
    """
TASKS = """
    from fastforge import task

    @task
    async def report() -> None: ...
    """
MANAGE = "from fastforge.management.cli import main\n\nmain()\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A project, and what is typed in its folder."""

    folder: Path

    def manage(
        self, *arguments: str, code: int = 0, env: Mapping[str, str] | None = None
    ) -> tuple[str, str]:
        """What a command writes to standard output and to standard error."""
        done = python(["manage.py", *arguments], cwd=self.folder, env=env)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def documents(self, name: str) -> list[dict[str, Any]]:
        """The documents of a YAML file."""
        return [*yaml.safe_load_all(self.text(name))]

    def files(self) -> dict[str, str]:
        """What has been written: not the project itself."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        names = {path.relative_to(self.folder): path for path in paths}
        return {
            str(name): path.read_text()
            for name, path in names.items()
            if name.parts[0] not in {"shop", "manage.py", "pyproject.toml"}
        }


def time_of_a_stop(text: str, *parts: str) -> int:
    """What the sum in a comment comes to, in whole seconds; it has to have these parts."""
    found = re.findall(r"^ *# (\d.* \+ .*) = ([\d.]+) s$", text, re.MULTILINE)
    sums = [(summands, float(total)) for summands, total in found if parts[0] in summands]
    ((summands, total),) = sums
    assert all(part in summands for part in parts)
    assert sum(float(each.split()[0]) for each in summands.split(" + ")) == total
    return math.ceil(total)


def new_shop(folder: Path, *, settings: str = "", tasks: str = TASKS) -> Shop:
    """A project with more in its settings, where `settings` says so."""
    ProjectFolder(folder).write(
        {
            "pyproject.toml": PYPROJECT,
            "manage.py": MANAGE,
            "shop/settings.py": f"{SETTINGS}{settings}",
            "shop/tasks.py": tasks,
        }
    )
    (folder / "__init__.py").unlink(missing_ok=True)
    return Shop(folder=folder)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A project of a test's own."""
    return new_shop(tmp_path)


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A project with the files of every platform; tests only read them."""
    shop = new_shop(tmp_path_factory.mktemp("deployed"))
    for platform in ("docker", "compose", "kubernetes", "systemd"):
        shop.manage("deploy", platform)
    return shop
