"""Notifications that cross processes: two that serve, and one that runs the jobs."""

from __future__ import annotations

import json
import secrets
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.commanding import python
from tests.example import copy_example
from tests.processes import fetch, free_port, start, wait_until

from .conftest import BOTH
from .people import ADA, ARTICLE, CHARLES

WAIT_S = 60


def heard(socket: ClientConnection, type_: str) -> dict[str, object]:
    """Return the next frame of a type."""
    while True:
        frame: dict[str, object] = json.loads(socket.recv(timeout=WAIT_S))
        if frame["type"] == type_:
            return frame


@BOTH
def test_an_article_is_told_to_pages_at_each_process_by_the_worker(
    tmp_path: Path, database_url: str
) -> None:
    folder = copy_example(tmp_path / "example")
    env = {
        "FASTFORGE_ENV": "production",
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
    }
    done = python(["manage.py", "migrate"], cwd=folder, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    port = free_port()
    site = f"127.0.0.1:{port}"
    argv = [sys.executable, "manage.py"]
    with ExitStack() as stack:
        server = stack.enter_context(
            start([*argv, "runserver", str(port), "--workers", "2"], cwd=folder, env=env)
        )
        worker = stack.enter_context(start([*argv, "runworker"], cwd=folder, env=env))
        wait_until(lambda: fetch(f"http://{site}/api/tags"), describe=server)
        http = stack.enter_context(httpx.Client(base_url=f"http://{site}/api", timeout=WAIT_S))
        tokens = [
            http.post("/users", json={"user": user}).json()["user"]["token"]
            for user in (ADA, CHARLES)
        ]
        ada, charles = ({"Authorization": f"Token {token}"} for token in tokens)
        http.post("/profiles/ada/follow", headers=charles).raise_for_status()
        channel = http.get("/notifications", headers=charles).json()["channel"]
        offered = ["fastforge", f"token.{tokens[1]}"]
        pages = [
            stack.enter_context(connect(f"ws://{site}/channels", subprotocols=offered))  # type: ignore[arg-type]
            for _ in range(6)
        ]
        for page in pages:
            page.send(json.dumps({"type": "join", "ref": 1, "channel": channel}))
            heard(page, "joined")
        answer = http.post("/articles", json={"article": ARTICLE}, headers=ada)
        assert answer.status_code == 201
        for page in pages:
            data = heard(page, "message")["data"]
            assert isinstance(data, dict)
            assert (data["title"], data["author"]) == (ARTICLE["title"], "ada")
        assert "Traceback" not in server.output + worker.output
