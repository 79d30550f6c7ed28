"""A project with channels over Redis, served by processes of its own, and clients of them."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self, TypeAlias

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import Process, Response, fetch, free_port, wait_until

__all__ = ["Client", "Frame", "Site", "served", "write"]

Frame: TypeAlias = "dict[str, Any]"

SETTINGS = """
    import os

    from fastforge.channels import Channels
    from fastforge.contrib.db import Database
    from fastforge.contrib.redis import Redis
    from fastforge.core.settings import Server

    SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
    ALLOWED_HOSTS = ["*"]
    INSTALLED_APPS = [{apps}]
    SERVER = Server(drain_s=0, linger_s=0, graceful_s=5, teardown_s=5)
    if "REDIS_URL" in os.environ:
        REDIS = Redis(url=os.environ["REDIS_URL"])
    DATABASES = {{"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}}
"""
CHANNELS = """
    from typing import Literal

    from pydantic import BaseModel

    from fastforge.channels import Channel, Connection

    class Said(BaseModel):
        type: Literal["said"] = "said"
        number: int

    class Rain(Channel, pattern="rain", public=True):
        Outgoing = Said

    class News(Channel, pattern="news", public=True, history=100):
        Outgoing = Said

    class Lounge(Channel, pattern="lounge:{table:int}", public=True, presence=True):
        Outgoing = Said

        def shown(self) -> dict[str, str]:
            return {"name": self.connection.headers["x-name"]}
"""
ROUTES = """
    import os

    from fastapi import APIRouter

    from .channels import News, Rain, Said
    from .tasks import announce

    router = APIRouter()

    @router.post("/publish")
    async def publish(number: int) -> None:
        await News.publish(Said(number=number))
        await Rain.publish(Said(number=number))

    @router.post("/announce")
    async def later(number: int) -> None:
        await announce.enqueue(number=number)
"""
TASKS = """
    from fastforge import task

    from .channels import News, Said

    @task
    async def announce(number: int) -> None:
        await News.publish(Said(number=number))
"""
DATABASE_APPS = '"fastforge.contrib.db", "fastforge.contrib.jobs", "shop.talk"'
REDIS_APPS = f'"fastforge.contrib.redis", {DATABASE_APPS}'


def write(folder: ProjectFolder, *, apps: str = REDIS_APPS) -> None:
    """Write the project."""
    folder.write(
        {
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            "shop/settings.py": SETTINGS.format(apps=apps),
            "shop/talk/channels.py": CHANNELS,
            "shop/talk/routes.py": ROUTES,
            "shop/talk/tasks.py": TASKS,
        }
    )


class Site:
    """One process that serves it.

    Args:
        port: Where.
        process: The process.
    """

    def __init__(self, port: int, process: Process) -> None:
        self.port = port
        self.process = process

    def post(self, path: str) -> Response | None:
        return fetch(f"http://127.0.0.1:{self.port}{path}", method="POST")

    def publish(self, number: int) -> int:
        """Publish in both channels; the status of the answer."""
        answer = self.post(f"/publish?number={number}")
        assert answer is not None, self.process
        return answer.status


class Client:
    """A socket, and all that it was sent.

    Args:
        site: Who serves it.
        name: How it calls itself.
    """

    def __init__(self, site: Site, name: str = "") -> None:
        url, headers = f"ws://127.0.0.1:{site.port}/channels", {"X-Name": name}
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(connect(url, additional_headers=headers))
        self.frames: list[Frame] = []
        self.code: int | None = None
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def join(self, channel: str, **more: object) -> Frame:
        """Join, and return what that was answered with."""
        ref = len(self.frames) + 1000
        self._socket.send(json.dumps({"type": "join", "ref": ref, "channel": channel, **more}))
        return self.next(lambda frame: frame.get("ref") == ref)

    def next(self, matches: Callable[[Frame], bool]) -> Frame:
        """The first frame of that kind, among what has come and what comes."""
        return wait_until(
            lambda: next((frame for frame in list(self.frames) if matches(frame)), None),
            describe=self,
        )

    def numbers(self, channel: str) -> list[int]:
        """What was said there, in order."""
        return [
            frame["data"]["number"]
            for frame in list(self.frames)
            if frame["type"] == "message" and frame["channel"] == channel
        ]

    def gaps(self, channel: str) -> int:
        """How often it was told there that something is missing."""
        return sum(
            frame["type"] == "gap" and frame["channel"] == channel for frame in list(self.frames)
        )

    def close(self) -> None:
        self._stack.close()
        self._reading.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client ended by {self.code}, got {self.frames}>"

    def _read(self) -> None:
        try:
            while True:
                self.frames.append(json.loads(self._socket.recv()))
        except ConnectionClosed as closed:
            self.code = 1006 if closed.rcvd is None else closed.rcvd.code


@contextmanager
def served(folder: ProjectFolder, redis_url: str, count: int = 1) -> Iterator[list[Site]]:
    """Serve the project in production, by so many servers of one process each."""
    environ = {"FASTFORGE_ENV": "production", "REDIS_URL": redis_url}
    with ExitStack() as stack:
        sites = []
        for _ in range(count):
            port = free_port()
            argv = [sys.executable, "-m", "fastforge", "runserver", str(port), "--workers", "1"]
            process = stack.enter_context(start(argv, cwd=folder.path, env=environ))
            sites.append(Site(port, process))
        for site in sites:
            address = f"http://127.0.0.1:{site.port}/livez"
            wait_until(lambda address=address: fetch(address), describe=site.process)
        yield sites
