"""A project that takes orders and works on them, on each backend, as real processes."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.commanding import python, start
from tests.folder import ProjectFolder
from tests.processes import Process

__all__ = ["Office"]

SETTINGS = """
    import os

    from fastforge.contrib.db import Database
    from fastforge.contrib.redis import Redis
    from fastforge.tasks import Tasks

    SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
    ALLOWED_HOSTS = ["*"]
    INSTALLED_APPS = [
        "fastforge.contrib.db",
        "fastforge.contrib.jobs",
        "fastforge.contrib.redis",
        "fastforge.contrib.arq",
        "shop",
    ]
    DATABASES = {"default": Database(url=os.environ["DATABASE_URL"])}
    REDIS = Redis(url=os.environ["REDIS_URL"])
    TASKS = Tasks(backend=os.environ["BACKEND"], concurrency=100)
"""
MODELS = """
    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.db import Model


    class Order(Model):
        number: Mapped[int] = mapped_column(primary_key=True)
"""
TASKS = """
    import asyncio
    from pathlib import Path

    from fastforge import task

    LOG = Path(__file__).parent.parent / "log"


    def note(word: str, number: int) -> None:
        with LOG.open("a") as file:
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


    @task(timeout_s=6 * 3600)
    async def whole_day() -> None:
        '''Only be there: how long one task may take says nothing about the others.'''
"""
ROUTES = """
    import os

    from fastapi import APIRouter, HTTPException
    from sqlalchemy import select

    from fastforge.contrib.db import DbSession, on_commit

    from .models import Order
    from .tasks import work

    router = APIRouter()


    @router.post("/orders/{number}")
    async def place(number: int, db: DbSession) -> int:
        db.add(Order(number=number))
        if number % 10 == int(os.environ["DYING"]):
            on_commit(lambda: os._exit(9))  # before anything that the enqueueing does then
        await work.enqueue(number=number)
        if number % 10 == 9:
            raise HTTPException(422, "and nothing of it happened")
        return number


    @router.get("/orders")
    async def orders(db: DbSession) -> list[int]:
        return list(await db.scalars(select(Order.number)))
"""


class Office:
    """The project in a folder.

    Args:
        folder: Where it is written.
        backend: What TASKS names.
        database_url: Its database.
        redis_url: Its Redis; also where none is used.
    """

    def __init__(
        self, folder: ProjectFolder, *, backend: str, database_url: str, redis_url: str
    ) -> None:
        self.folder = folder
        folder.write(
            {
                "shop/settings.py": SETTINGS,
                "shop/models.py": MODELS,
                "shop/tasks.py": TASKS,
                "shop/routes.py": ROUTES,
                "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            }
        )
        self.environ = {
            "BACKEND": backend,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "FASTFORGE_ENV": "test",
        }
        self.manage("makemigrations")
        self.manage("migrate")

    def manage(self, *arguments: str) -> str:
        """Run a command to its end and return what it wrote."""
        done = python(["-m", "fastforge", *arguments], cwd=self.folder.path, env=self.environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def worker(self, *arguments: str) -> Process:
        """Start a worker."""
        argv = self._argv("runworker", *arguments)
        return start(argv, cwd=self.folder.path, env=self.environ)

    def server(self, port: int, **environ: str) -> Process:
        """Start the server."""
        argv = self._argv("runserver", str(port), "--no-reload", "--no-worker")
        return start(argv, cwd=self.folder.path, env=self.environ | environ)

    def enqueue(self, code: str) -> None:
        """Run some lines in the project, where `tasks` is its module of tasks."""
        lines = "\n        ".join(code.splitlines())
        program = (
            "import asyncio\n"
            "from fastforge import Project, Role\n"
            "async def main():\n"
            "    async with Project.load().running(Role.COMMAND):\n"
            "        from shop import tasks\n"
            f"        {lines}\n"
            "asyncio.run(main())\n"
        )
        done = python(["-c", program], cwd=self.folder.path, env=self.environ)
        assert done.returncode == 0, done.stdout + done.stderr

    def logged(self, word: str) -> Counter[int]:
        """How often the tasks wrote a word, by number."""
        file: Path = self.folder.path / "log"
        lines = file.read_text().splitlines() if file.exists() else []
        split = [line.split() for line in lines]
        return Counter(int(number) for said, number in split if said == word)

    def _argv(self, *arguments: str) -> list[Any]:
        return [sys.executable, "-m", "fastforge", *arguments]
