"""A project whose jobs flow through a Redis that keeps them on disk, and that can be killed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Self

from fastforge import Role
from fastforge.tasks import JobQuery, JobRecord
from fastforge.tasks.backend import backend_of
from tests import services
from tests.contrib.jobs.shop import Shop
from tests.folder import ProjectFolder

SETTINGS = """
    from fastforge.contrib.db import Database
    from fastforge.contrib.redis import Redis
    from fastforge.tasks.settings import Tasks

    DATABASES = {{"default": Database(url={url!r})}}
    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.redis",
        "fastforge.contrib.arq", "shop",
    ]
    REDIS = Redis(url={redis_url!r})
    TASKS = Tasks(backend="arq", {tasks})
"""


class RedisServer:
    """A server with a port of its own; what it has answered survives its being killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        folder.chmod(0o777)
        self.port = services.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, on the same port and data as before."""
        command = [
            str(services.find_redis()), "--port", str(self.port), "--bind", "127.0.0.1",
            "--dir", str(self._folder), "--unixsocket", "socket",
            "--appendonly", "yes", "--save", "",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self._folder)
        deadline = time.monotonic() + 60
        while not services.exchange(self._folder / "socket", b"PING\r\n").startswith(b"+PONG"):
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()


class ArqShop(Shop):
    """The project of the jobs' tests, on the other backend."""

    def __init__(self, folder: ProjectFolder, url: str, redis_url: str, *, tasks: str = "") -> None:
        super().__init__(folder, url, tasks="")
        written = SETTINGS.format(url=url, redis_url=redis_url, tasks=tasks)
        folder.write({"shop/settings.py": written})

    async def records(self) -> list[JobRecord]:
        """Every job, the oldest first."""
        async with self.folder.load().running(Role.COMMAND) as container:
            return list(await backend_of(container).desk.find(JobQuery()))[::-1]
