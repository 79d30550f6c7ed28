"""Notifications that cross processes: two that serve, and one that runs the jobs."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import redis
from websockets.sync.client import ClientConnection, connect

from tests.commanding import python, start
from tests.example import copy_example
from tests.processes import fetch, free_port, wait_until

from .conftest import BOTH
from .people import ADA, ARTICLE, CHARLES

WAIT_S = 60


class LiveSite:
    """The example in production, served by two processes beside one that runs the jobs."""

    def __init__(self, port: int, stack: ExitStack) -> None:
        self.address = f"127.0.0.1:{port}"
        self.stack = stack
        base_url = f"http://{self.address}/api"
        self.http = stack.enter_context(httpx.Client(base_url=base_url, timeout=WAIT_S))
        self.tokens: dict[str, str] = {}

    def let_charles_follow_ada(self) -> str:
        """Register the two, and return the channel where charles is told."""
        for user in (ADA, CHARLES):
            answer = self.http.post("/users", json={"user": user})
            self.tokens[user["username"]] = answer.json()["user"]["token"]
        charles = {"Authorization": f"Token {self.tokens['charles']}"}
        self.http.post("/profiles/ada/follow", headers=charles).raise_for_status()
        return str(self.http.get("/notifications", headers=charles).json()["channel"])

    def joined(self, channel: str) -> ClientConnection:
        """Open a page of charles, who is told in a channel."""
        offered = ["fastforge", f"token.{self.tokens['charles']}"]
        opened = connect(f"ws://{self.address}/channels", subprotocols=offered)  # type: ignore[arg-type]
        page = self.stack.enter_context(opened)
        page.send(json.dumps({"type": "join", "ref": 1, "channel": channel}))
        heard(page, "joined")
        return page

    def publish(self) -> None:
        ada = {"Authorization": f"Token {self.tokens['ada']}"}
        answer = self.http.post("/articles", json={"article": ARTICLE}, headers=ada)
        assert answer.status_code == 201


def heard(socket: ClientConnection, type_: str) -> dict[str, object]:
    """Return the next frame of a type."""
    while True:
        frame: dict[str, object] = json.loads(socket.recv(timeout=WAIT_S))
        if frame["type"] == type_:
            return frame


@contextmanager
def live_site(tmp_path: Path, **environment: str) -> Iterator[LiveSite]:
    folder = copy_example(tmp_path / "example")
    env = {
        "FASTFORGE_ENV": "production",
        "SECRET_KEY": secrets.token_urlsafe(48),
        **environment,
    }
    done = python(["manage.py", "migrate"], cwd=folder, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    port = free_port()
    argv = [sys.executable, "manage.py"]
    serve = [*argv, "runserver", str(port), "--workers", "2"]
    with ExitStack() as stack:
        server = stack.enter_context(start(serve, cwd=folder, env=env))
        worker = stack.enter_context(start([*argv, "runworker"], cwd=folder, env=env))
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/api/tags"), describe=server)
        yield LiveSite(port, stack)
        assert "Traceback" not in server.output + worker.output


def are_told(pages: list[ClientConnection]) -> None:
    for page in pages:
        data = heard(page, "message")["data"]
        assert isinstance(data, dict)
        assert (data["title"], data["author"]) == (ARTICLE["title"], "ada")


@BOTH
def test_an_article_is_told_to_pages_at_each_process_by_the_worker(
    tmp_path: Path, database_url: str
) -> None:
    with live_site(tmp_path, DATABASE_URL=database_url) as site:
        channel = site.let_charles_follow_ada()
        pages = [site.joined(channel) for _ in range(6)]
        site.publish()
        are_told(pages)


def test_with_redis_it_is_redis_that_carries_it_from_the_worker(
    tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    """The file of the database could carry it too: Redis has the rooms and what was said."""
    environment = {
        "DATABASE_URL": sqlite_url,
        "FASTFORGE_SETTINGS_MODULE": "conduit.settings_redis",
        "REDIS_URL": redis_url,
    }
    with (
        redis.Redis.from_url(redis_url, decode_responses=True) as server,
        live_site(tmp_path, **environment) as site,
    ):
        channel = site.let_charles_follow_ada()
        pages = [site.joined(channel) for _ in range(6)]
        ours = f"conduit:*{channel}"
        (room,) = server.pubsub_channels(ours)
        assert not list(server.scan_iter(ours))
        site.publish()
        are_told(pages)
        assert 1 <= server.pubsub_numsub(room)[0][1] <= 2  # the processes that serve, not sockets
        assert list(server.scan_iter(ours))
