"""A capability is a package and one line in INSTALLED_APPS; nothing else is edited."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .commanding import python, start
from .processes import Process, fetch, free_port, wait_until

SETTINGS = 'INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs"{added}]\n'

WEATHER = {
    "apps.py": """
from fastforge.apps import AppConfig

from .settings import Weather

class WeatherConfig(AppConfig):
    name = "weather"
    settings = (Weather,)
""",
    "settings.py": """
from fastforge.conf import Section

class Weather(Section, setting="WEATHER"):
    \"\"\"Where the weather is looked at.\"\"\"

    town: str = "Bergen"
""",
    "resources.py": """
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastforge import provide, resource, section
from fastforge.observability import allow_blocking

from .settings import Weather

class Station:
    def __init__(self, town: str) -> None:
        self.town = town
        self.book = Path("book.txt")

    def note(self, text: str) -> None:
        with allow_blocking(), self.book.open("a") as file:
            file.write(f"{text} in {self.town}\\n")

@resource
async def station(config: Annotated[Weather, section(Weather)]) -> AsyncIterator[Station]:
    opened = Station(config.town)
    opened.note("opened")
    yield opened
    opened.note("closed")

WeatherStation = Annotated[Station, provide(station)]
""",
    "routes.py": """
from fastapi import APIRouter

from .resources import WeatherStation
from .tasks import observe

router = APIRouter(prefix="/weather")

@router.get("")
async def weather(station: WeatherStation) -> str:
    return f"rain in {station.town}"

@router.get("/observed")
async def observed(station: WeatherStation) -> str:
    await observe.enqueue("hail")
    return "asked"
""",
    "tasks.py": """
from fastforge import injected, task

from .resources import WeatherStation

@task
async def observe(what: str, *, station: WeatherStation = injected) -> None:
    station.note(f"task saw {what}")
""",
    "services.py": """
import asyncio

from fastforge import service

from .resources import WeatherStation

@service
async def watch(station: WeatherStation) -> None:
    station.note("service began")
    await asyncio.Event().wait()
""",
    "checks.py": """
from fastforge.checks import Level, Message, check

@check
def umbrella(project):
    yield Message(id="weather.W001", level=Level.WARNING, text="no umbrella")
""",
    "kinds.py": """
from fastforge.components import Kind

class Cloud:
    pass

CLOUDS = Kind(name="clouds", type=Cloud, module="clouds")
""",
    "clouds.py": "from .kinds import Cloud\n\ncumulus = Cloud()\n",
    "commands/forecast.py": '''
"""Say what comes."""

from fastforge import injected
from fastforge.commands import Context, command

from ..resources import WeatherStation

@command
async def forecast(days: int, context: Context, *, station: WeatherStation = injected) -> None:
    context.echo(f"{days} days of rain in {station.town}")
''',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project without the capability."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text('[tool.fastforge]\nsettings = "shop.settings"\n')
    (tmp_path / "shop" / "settings.py").write_text(SETTINGS.format(added=""))
    assert "forecast" not in manage(tmp_path, "--help")
    return tmp_path


@pytest.fixture
def project(folder: Path) -> Path:
    """The same, with the package beside it and one line in the settings."""
    for name, text in WEATHER.items():
        file = folder / "weather" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text.lstrip())
    (folder / "shop" / "settings.py").write_text(SETTINGS.format(added=', "weather"'))
    return folder


ENV = {"FASTFORGE_ENV": "development"}


def manage(folder: Path, *arguments: str) -> str:
    done = python(["-m", "fastforge", *arguments], cwd=folder, env=ENV)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def book(folder: Path) -> list[str]:
    file = folder / "book.txt"
    return file.read_text().splitlines() if file.exists() else []


def begun(folder: Path, *arguments: str) -> Process:
    return start([sys.executable, "-m", "fastforge", *arguments], cwd=folder, env=ENV)


def test_the_command_line_has_it(project: Path) -> None:
    """Its command with its resource and section, its check, its setting, its own kind."""
    assert "weather:\n  forecast  Say what comes." in manage(project, "--help")
    assert manage(project, "forecast", "3") == "3 days of rain in Bergen\n"
    assert book(project) == [f"{what} in Bergen" for what in ("opened", "service began", "closed")]
    assert "warning [weather.W001] no umbrella" in manage(project, "check")
    assert "WEATHER.town" in manage(project, "settings")
    assert "weather.cumulus" in manage(project, "inspect", "clouds")
    rows = json.loads(manage(project, "inspect", "--json"))
    assert {row["kind"] for row in rows if row["app"] == "weather"} == {
        "apps",
        "checks",
        "clouds",
        "commands",
        "kinds",
        "resources",
        "routers",
        "services",
        "settings",
        "tasks",
    }


def test_its_section_is_written_in_the_settings_like_any(project: Path) -> None:
    with (project / "shop" / "settings.py").open("a") as settings:
        settings.write('WEATHER = {"town": "Oslo"}\n')
    assert manage(project, "forecast", "1") == "1 days of rain in Oslo\n"


def test_the_server_and_the_worker_have_it(project: Path) -> None:
    """Its route, its resource, its service and its task, in two processes."""
    manage(project, "migrate")
    port = free_port()
    with begun(project, "runserver", str(port), "--no-reload", "--no-worker") as server:
        address = f"http://127.0.0.1:{port}/weather"
        answer = wait_until(lambda: server.alive and fetch(address), describe=server)
        assert answer.body == '"rain in Bergen"'
        assert "service began in Bergen" in book(project)
        assert fetch(f"{address}/observed")
        assert not any("task" in line for line in book(project))
        with begun(project, "runworker") as worker:
            wait_until(lambda: "task saw hail in Bergen" in book(project), describe=worker)
            worker.terminate()
            assert worker.wait() == 0
        server.terminate()
        assert server.wait() == 0
    assert book(project).count("opened in Bergen") == book(project).count("closed in Bergen") == 2


def test_a_worker_that_is_told_to_stop_while_it_starts_ends_in_order(folder: Path) -> None:
    """What is told while the settings are read holds when there is something to stop."""
    with (folder / "shop" / "settings.py").open("a") as settings:
        settings.write(
            "import pathlib, time\n"
            "pathlib.Path('begun').touch()\n"
            "while not pathlib.Path('go').exists():\n    time.sleep(0.01)\n"
        )
    with begun(folder, "runworker") as worker:
        wait_until((folder / "begun").exists, describe=worker)
        worker.terminate()
        (folder / "go").touch()
        assert worker.wait() == 0
        assert "takes jobs" not in worker.output
