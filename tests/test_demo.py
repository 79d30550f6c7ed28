"""`make demo`: the example project as a newcomer sees it, and nothing left of it afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from .processes import (
    ROOT,
    Process,
    descendants,
    fetch,
    free_port,
    is_running,
    start,
    wait_until,
)

READY = "the API  (Ctrl-C stops)"


@pytest.fixture
def demo_argv() -> list[str]:
    return [sys.executable, "scripts/demo.py", str(free_port())]


@pytest.fixture
def demo_environment(tmp_path: Path) -> dict[str, str]:
    """A database of its own: what a developer keeps in the example project is not touched."""
    return {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'demo.sqlite3'}"}


def ready(demo: Process) -> tuple[str, set[int]]:
    """The address that the demo prints, and the processes that serve it."""
    output = demo.wait_for(READY)
    address = re.search(r"http://\S+/docs", output)
    assert address is not None, output
    return address[0], descendants(demo.pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_told_to_stop_and_leaves_nothing_running(
    number: signal.Signals, demo_argv: list[str], demo_environment: dict[str, str]
) -> None:
    with start(demo_argv, cwd=ROOT, env=demo_environment) as demo:
        address, started = ready(demo)
        answer = fetch(address)
        assert answer is not None
        assert answer.status == 200
        page = fetch(address.removesuffix("docs"))
        assert page is not None
        assert "<title>Conduit</title>" in page.body
        articles = fetch(address.replace("docs", "api/articles"))
        assert articles is not None
        assert json.loads(articles.body)["articlesCount"] == 300
        demo.send(number)
        assert demo.wait() == 0, demo
        wait_until(lambda: not any(is_running(pid) for pid in started), describe=demo)


def test_when_the_server_ends_nothing_is_left(
    demo_argv: list[str], demo_environment: dict[str, str]
) -> None:
    with start(demo_argv, cwd=ROOT, env=demo_environment) as demo:
        _, started = ready(demo)
        os.kill(min(started), signal.SIGKILL)
        assert demo.wait() == 1, demo
        wait_until(lambda: not any(is_running(pid) for pid in started), describe=demo)
