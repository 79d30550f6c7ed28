"""Deployment: what has to be known of a project to write the files that run it."""

from __future__ import annotations

import math
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..._utils import DISTRIBUTION
from ...conf.finding import tool_table
from ...core.settings import Server
from ...core.timeline import Timeline
from ...tasks.settings import Tasks
from ...tasks.working import has_work
from ...web.settings import Health
from .databases import Databases, databases_of, feeding
from .metrics import Metrics, metrics_of
from .variables import Variable, variables_of

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["Deployment", "deployment_of", "driver_steps", "whole_seconds"]

REDIS_APP: Final = "fastforge.contrib.redis"
LONGEST_NAME: Final = 31
"""In characters: what the name of a user may have."""
LONGEST_DATABASE: Final = 63
START_MARGIN_S: Final = 30
"""For importing a project on a busy machine, beside what the settings say of its start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A project, as whoever runs it has to know it.

    Args:
        name: What its parts are called: small letters, digits and dashes.
        package: The project's package.
        version: Its version, where `pyproject.toml` says it.
        python: The version of Python.
        root: Its folder.
        settings_module: The settings module; empty where `pyproject.toml` names it.
        manage: The words that come before a command.
        variables: What its settings read of the environment.
        databases: Its databases.
        has_redis: Whether it talks to Redis.
        redis_variables: The variables that lead there.
        keeps_jobs_in_redis: Whether jobs are lost with what Redis keeps.
        has_worker: Whether it has jobs that a worker has to run.
        workers: How many processes one server has, where the settings say it.
        has_manager: Whether a server has several, and with them a manager, on any machine.
        processes: How many processes serve altogether at most, where the settings say it.
        worker_processes: How many processes run jobs.
        start_s: How long the server may take to start, in seconds.
        server: What a stop of the server takes.
        worker: What a stop of a worker takes.
        health: Where it is asked how it is.
        metrics: Where those of a server are read, if anywhere.
        worker_metrics: Where those of a worker are.
    """

    name: str
    package: str
    version: str
    python: str
    root: Path
    settings_module: str
    manage: tuple[str, ...]
    variables: tuple[Variable, ...]
    databases: Databases
    has_redis: bool
    redis_variables: tuple[str, ...]
    keeps_jobs_in_redis: bool
    has_worker: bool
    workers: int | None
    has_manager: bool
    processes: int | None
    worker_processes: int
    start_s: int
    server: Timeline
    worker: Timeline
    health: Health
    metrics: Metrics | None = None
    worker_metrics: Metrics | None = None

    @property
    def database(self) -> str:
        """What its own database is called, and whom that belongs to."""
        return self.package[:LONGEST_DATABASE]

    @property
    def with_pre_stop(self) -> Timeline:
        """What a stop of the server takes where the platform waits before SIGTERM.

        SERVER.pre_stop_s says how long; else it is the time that the server would drain.
        """
        if self.server.pre_stop_s:
            return self.server
        return replace(self.server, pre_stop_s=self.server.drain_s, drain_s=0)

    @property
    def without_pre_stop(self) -> Timeline:
        """What a stop of the server takes where nobody waits before SIGTERM."""
        return replace(self.server, pre_stop_s=0)

    def command(self, *words: str) -> tuple[str, ...]:
        """Return one of its commands, as it is typed in its folder."""
        return (*self.manage, *words)


def deployment_of(project: Project) -> Deployment:
    """Return what has to be known of a project that is loaded as in production."""
    settings = project.settings
    server, tasks = settings.section(Server), settings.section(Tasks)
    root = settings.root
    databases = databases_of(project)
    name = re.sub(r"[^a-z0-9]+", "-", project.name.lower())[:LONGEST_NAME].strip("-")
    address = f"{databases.scheme}://USER:PASSWORD@HOST:5432/{project.name[:LONGEST_DATABASE]}"
    metrics, worker_metrics = metrics_of(project)
    has_redis = any(each.name == REDIS_APP for each in project.apps)
    return Deployment(
        name=name,
        package=project.name,
        version=_version(root),
        python=_python(root),
        root=root,
        settings_module="" if _named_settings(root) == settings.module else settings.module,
        manage=_manage(root),
        variables=variables_of(settings, name=name, database_url=address),
        databases=databases,
        has_redis=has_redis,
        redis_variables=tuple(feeding(project, "REDIS", ("url",))) if has_redis else (),
        keeps_jobs_in_redis=has_redis and tasks.backend == "arq",
        has_worker=has_work(project.registry, settings) and tasks.backend != "memory",
        workers=server.workers,
        has_manager=server.work == "io" if server.workers is None else server.workers > 1,
        processes=server.processes,
        worker_processes=tasks.processes,
        start_s=whole_seconds(server.start_deadline_in(settings.environment)) + START_MARGIN_S,
        server=Timeline.of_server(project),
        worker=Timeline.of_worker(project),
        health=settings.section(Health),
        metrics=metrics,
        worker_metrics=worker_metrics,
    )


def driver_steps(deployment: Deployment) -> Iterator[str]:
    """Yield what is to be done first where the driver of the database would be missing."""
    if deployment.databases.lacks_driver:
        yield f'add "{DISTRIBUTION}[postgres]" to the dependencies in pyproject.toml'


def whole_seconds(seconds: float) -> int:
    """Return seconds for a file that knows whole ones alone: no limit becomes shorter."""
    return math.ceil(seconds)


def _manage(root: Path) -> tuple[str, ...]:
    has_file = (root / "manage.py").is_file()
    return ("python", "manage.py") if has_file else ("python", "-m", "fastforge")


def _version(root: Path) -> str:
    file = root / "pyproject.toml"
    written: dict[str, Any] = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    return str(written.get("project", {}).get("version", "latest"))


def _python(root: Path) -> str:
    """Return the version that the project is pinned to, else ours."""
    file = root / ".python-version"
    pinned = re.match(r"3\.\d+", file.read_text("utf-8").strip()) if file.is_file() else None
    return pinned[0] if pinned else ".".join(map(str, sys.version_info[:2]))


def _named_settings(root: Path) -> str:
    file = root / "pyproject.toml"
    return str(tool_table(file, "fastforge").get("settings")) if file.is_file() else ""
