"""The project of the tutorial, as it stands at its end: in a browser, and before its own tools."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.channels.browsing import launched
from tests.processes import Process, fetch, free_port, run, start, wait_until

from .markdown import DOCS, Page
from .scenario import play

pytestmark = pytest.mark.long

WAIT_MS = 60_000
TOOLS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("mypy",),
    ("pyright", "--pythonpath", sys.executable),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project when everything on the page was typed."""
    folder = tmp_path_factory.mktemp("tutorial")
    play(Page(DOCS / "tutorial.md"), folder)
    return folder / "conduit"


@contextmanager
def served(folder: Path, port: int) -> Iterator[Process]:
    argv = [sys.executable, "manage.py", "runserver", str(port), "--no-reload"]
    with start(argv, cwd=folder) as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/api/articles"), describe=process)
        yield process


def publish(site: str, title: str) -> None:
    login = {"login": "ada@example.org", "password": "weaving-4-patterns"}
    with httpx.Client(base_url=site, timeout=60) as client:
        token = client.post("/api/auth/login", json=login).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        article = {"title": title, "body": "."}
        client.post("/api/articles", json=article, headers=headers).raise_for_status()


def test_its_page_shows_what_is_published_over_a_restart(folder: Path) -> None:
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    with launched() as browser:
        page = browser.new_page()
        page.set_default_timeout(WAIT_MS)
        with served(folder, port):
            page.goto(f"{site}/api/notifications/page")
            page.fill("[name=login]", "grace@example.org")
            page.fill("[name=password]", "nano-seconds-9")
            page.click("button")
            page.wait_for_selector("output:text-is('open')")
            publish(site, "Before")
            page.wait_for_selector("li:text-is('Before')")
        page.wait_for_selector("output:text-is('waiting')")
        page.context.set_offline(True)
        with served(folder, port):
            publish(site, "Meanwhile")
            wait_until(lambda: _is_told(site, "Meanwhile"))
            page.context.set_offline(False)
            page.wait_for_selector("li:text-is('Meanwhile')")
            publish(site, "After")
            page.wait_for_selector("li:text-is('After')")
            assert page.locator("li").all_inner_texts() == ["After", "Meanwhile", "Before"]


def _is_told(site: str, title: str) -> bool:
    login = {"login": "grace@example.org", "password": "nano-seconds-9"}
    token = httpx.post(f"{site}/api/auth/login", json=login, timeout=60).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    told = httpx.get(f"{site}/api/notifications", headers=headers, timeout=60).json()["items"]
    return title in [article["title"] for article in told]


@pytest.mark.parametrize("tool", TOOLS, ids=" ".join)
def test_its_tools_have_nothing_to_say(folder: Path, tool: tuple[str, ...]) -> None:
    done = run([sys.executable, "-m", *tool], cwd=folder, deadline_s=300)
    assert done.returncode == 0, done.stdout + done.stderr
