"""`make demo`: the example project as a newcomer sees it, and nothing left of it afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
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


@dataclass
class Demo:
    """The demo, and the server that it has started."""

    process: Process
    started: set[int] = field(default_factory=set)

    def ready(self) -> str:
        """The address that it prints."""
        output = self.process.wait_for(READY)
        address = re.search(r"http://\S+/docs", output)
        assert address is not None, output
        self.started = descendants(self.process.pid)
        return address[0]

    def has_left_nothing(self) -> bool:
        return not any(is_running(pid) for pid in self.started)

    def close(self) -> None:
        """End the server: it leads a group of its own, which a failed test would leave there."""
        for pid in self.started | descendants(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """On a database of its own: what a developer keeps in the example project is not touched."""
    argv = [sys.executable, "scripts/demo.py", str(free_port())]
    environ = {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'demo.sqlite3'}"}
    with start(argv, cwd=ROOT, env=environ) as process:
        demo = Demo(process)
        try:
            yield demo
        finally:
            demo.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_told_to_stop_and_leaves_nothing_running(
    number: signal.Signals, demo: Demo
) -> None:
    address = demo.ready()
    answer = fetch(address)
    assert answer is not None
    assert answer.status == 200
    page = fetch(address.removesuffix("docs"))
    assert page is not None
    assert "<title>Conduit</title>" in page.body
    articles = fetch(address.replace("docs", "api/articles"))
    assert articles is not None
    assert json.loads(articles.body)["articlesCount"] == 300
    demo.process.send(number)
    assert demo.process.wait() == 0, demo.process
    wait_until(demo.has_left_nothing, describe=demo.process)


def test_when_the_server_ends_nothing_is_left(demo: Demo) -> None:
    demo.ready()
    os.kill(min(demo.started), signal.SIGKILL)
    assert demo.process.wait() == 1, demo.process
    wait_until(demo.has_left_nothing, describe=demo.process)
