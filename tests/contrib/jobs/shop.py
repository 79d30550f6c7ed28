"""A project with jobs in a folder, its database, and workers that are real processes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fastforge import Role
from fastforge.contrib.db.resources import database
from fastforge.tasks.outcome import JobState
from tests.commanding import python, start
from tests.folder import ProjectFolder
from tests.processes import Process
from tests.processes import start as start_anew

from .conftest import create_tables, rows

SETTINGS = """
    from fastforge.contrib.db import Database
    from fastforge.tasks.settings import Tasks

    DATABASES = {{"default": Database(url={url!r})}}
    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop"]
    TASKS = Tasks({tasks})
"""

TASKS = """
    import asyncio, os, threading
    from pathlib import Path

    from sqlalchemy import text

    from fastforge.contrib.db import DbSession, session
    from fastforge.observability import allow_blocking
    from fastforge.tasks import NoRetry, Retry, injected, task

    LOG = Path(__file__).parent.parent / "log"

    def note(word: str, number: int) -> None:
        with allow_blocking(), LOG.open("a") as file:
            file.write(f"{word} {number}\\n")

    @task
    async def work(number: int) -> None:
        note("begin", number)
        note("end", number)

    @task
    async def slow(number: int, seconds: float) -> None:
        note("begin", number)
        await asyncio.sleep(seconds)
        note("end", number)

    @task
    def block(number: int, seconds: float) -> None:
        note("begin", number)
        threading.Event().wait(seconds)
        note("end", number)

    @task(retry=Retry(max_attempts=3, base_s=0.05))
    async def fail(number: int) -> None:
        note("begin", number)
        raise ValueError(f"number {number}")

    @task(retry=Retry(max_attempts=2))
    async def crash(number: int) -> None:
        note("begin", number)
        os._exit(9)

    @task
    async def chain(number: int, rollback: bool, *, db: DbSession = injected) -> None:
        note("begin", number)
        try:
            async with db.atomic():
                await work.enqueue(number=number)
                if rollback:
                    raise KeyError(number)
        except KeyError:
            pass
        note("end", number)
"""


class Shop:
    """The project, as its commands and its log show it."""

    def __init__(self, folder: ProjectFolder, url: str, *, tasks: str) -> None:
        self.folder = folder
        folder.write(
            {
                "shop/settings.py": SETTINGS.format(url=url, tasks=tasks),
                "shop/tasks.py": TASKS,
                "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            }
        )

    async def create_table(self) -> None:
        """Do what `manage migrate` does, without a process of its own."""
        async with (
            self.folder.load().running(Role.COMMAND) as container,
            container[database].engine.begin() as connection,
        ):
            await connection.run_sync(create_tables)

    def manage(self, *arguments: str) -> str:
        """Run a command to its end and return what it wrote."""
        done = python(["-m", "fastforge", *arguments], cwd=self.folder.path, env=ENV)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def worker(self, *arguments: str, ignoring: str = "") -> Process:
        """Start a worker, with a signal that is ignored from the beginning."""
        argv = [sys.executable, "-m", "fastforge", "runworker", *arguments]
        if not ignoring:
            return start(argv, cwd=self.folder.path, env=ENV)
        shell = ["sh", "-c", f'trap "" {ignoring}; exec "$@"', "sh"]
        return start_anew([*shell, *argv], cwd=self.folder.path, env=ENV)

    @asynccontextmanager
    async def enqueueing(self) -> AsyncIterator[Any]:
        """Run the project here, as a command would; gives its tasks."""
        async with self.folder.load().running(Role.COMMAND):
            import shop.tasks  # type: ignore[import-not-found]

            yield shop.tasks

    async def jobs(self) -> list[sa.Row[Any]]:
        """Every job, the oldest first."""
        async with self.folder.load().running(Role.COMMAND) as container:
            return await rows(container[database])

    async def count(self, state: JobState) -> int:
        """How many jobs are in a state."""
        return sum(job.state == state for job in await self.jobs())

    def log(self) -> Counter[str]:
        """How often each line was written by the tasks."""
        file: Path = self.folder.path / "log"
        return Counter(file.read_text().splitlines() if file.exists() else ())

    def logged(self, word: str) -> Counter[int]:
        """How often each number was written behind a word."""
        return Counter(
            {int(line.split()[1]): n for line, n in self.log().items() if line.startswith(word)}
        )


ENV = {"FASTFORGE_ENV": "test"}
