"""In a real browser, over a real socket, on a wide screen and on a phone's: it is read and used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, wait_until
from tests.services import find_chromium

from .shop import ENVIRON, SHOP

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {"wide": (1280, 900), "phone": (360, 740)}
PATHS = ("/zero/7?page=2", "/chain", "/answer", "/ours", "/deep", "/template")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The shop, served as a developer serves it."""
    folder = ProjectFolder(tmp_path_factory.mktemp("shop"))
    folder.write({**SHOP, "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n'})
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ["runserver", f"127.0.0.1:{port}", "--no-reload"]
    with served(arguments, folder.path) as server:
        wait_until(lambda: fetch(f"{url}/livez"), describe=server)
        yield url


@contextmanager
def served(arguments: list[str], path: Path) -> Iterator[Process]:
    argv = [sys.executable, "-m", "fastforge", *arguments]
    with start(argv, cwd=path, env={**ENVIRON, "FASTFORGE_EDITOR": "vscode"}) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=str(find_chromium()), args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()


@contextmanager
def opened(browser: Browser, size: str, **options: Any) -> Iterator[Page]:
    """A tab, and what it complains of besides the status, which is an error's."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
        assert [each for each in complaints if "the server responded with" not in each] == []
    finally:
        context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_and_nothing_is_complained_of(
    site: str, browser: Browser, size: str, scheme: str
) -> None:
    with opened(browser, size, color_scheme=scheme) as page:
        for path in PATHS:
            page.goto(f"{site}{path}")
            unfold(page)
            widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert widths[0] <= widths[1], path
            assert page.evaluate("getComputedStyle(document.body).fontSize") == "16px"  # styled


def test_every_control_is_reached_by_the_keyboard(site: str, browser: Browser) -> None:
    with opened(browser, "wide") as page:
        page.goto(f"{site}/chain")
        controls = page.locator("a:visible, button:visible, summary:visible, [tabindex]:visible")
        reached = set()
        for _step in range(3 * controls.count()):
            page.keyboard.press("Tab")
            place = page.evaluate(
                "(e => { if (e === document.body) return -1; e.dataset.n ??= document"
                ".querySelectorAll('[data-n]').length; return +e.dataset.n })"
                "(document.activeElement)"
            )
            if place in reached and place >= 0:
                break
            reached.add(place)
        assert len(reached - {-1}) == controls.count()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        page.locator("summary", has_text="Settings").focus()
        page.keyboard.press("Enter")
        assert page.locator("dt", has_text="INSTALLED_APPS").is_visible()


def test_ids_and_the_whole_text_are_copied(site: str, browser: Browser) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with opened(browser, "wide", permissions=allowed) as page:
        answer = page.goto(f"{site}/zero/7")
        assert answer is not None
        page.get_by_role("button", name="Copy", exact=True).first.click()
        page.get_by_text("Copied").first.wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == answer.headers["x-request-id"]
        page.get_by_role("button", name="Copy all as text").click()
        page.wait_for_function(
            "navigator.clipboard.readText().then(text => text.includes('ZeroDivisionError'))"
        )
        text = page.evaluate("navigator.clipboard.readText()")
    assert "shop/orders/routes.py:" in text
    assert "SELECT 1; 6 times" in text
    assert "looking for <order> 7" in text
    assert "canary" not in text


def test_a_link_to_a_part_unfolds_it_and_places_open_in_the_editor(
    site: str, browser: Browser
) -> None:
    with opened(browser, "wide") as page:
        page.goto(f"{site}/zero/7")
        page.get_by_role("link", name="Versions").click()
        assert page.locator("dt", has_text="pydantic").is_visible()
        link = page.locator(".frame .place a").first.get_attribute("href") or ""
        assert link.startswith("vscode://file//")
        assert "shop/orders/routes.py:" in link


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept": "application/json"},
        {"accept": "text/html", "x-forwarded-for": "127.0.0.1"},
        {"accept": "text/html", "host": "shop.example"},
    ],
)
def test_over_the_same_socket_whoever_is_no_browser_here_reads_a_problem(
    site: str, headers: dict[str, str]
) -> None:
    answer = fetch(f"{site}/chain", headers=headers)
    assert answer is not None
    assert answer.headers["content-type"] == "application/problem+json"
    assert "ZeroDivisionError" not in answer.body


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
