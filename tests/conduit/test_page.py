"""The page of the example in a real browser, before a real server that restarts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from tests.channels.browsing import launched
from tests.commanding import python, start
from tests.example import copy_example
from tests.processes import Process, fetch, free_port, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ENVIRONMENT: Final = {"FASTFORGE_ENV": "development"}
WAIT_MS: Final = 60_000
PASSWORD: Final = "weaving-4-patterns"
EXPECTED: Final = ("ERR_CONNECTION_REFUSED", "status of 422")
"""The browser itself writes a line where a server is away, and where what was typed is refused."""
HOSTILE: Final = "<img src=x onerror=\"document.title='caught'\">"


class Site:
    """A copy of the example that is served, stopped and served again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = httpx.Client(base_url=f"{self.url}/api", timeout=60)

    @contextmanager
    def served(self) -> Iterator[Process]:
        argv = [sys.executable, "manage.py", "runserver", str(self.port), "--no-reload"]
        with start(argv, cwd=self.folder, env=ENVIRONMENT) as process:
            wait_until(lambda: fetch(f"{self.url}/api/tags"), describe=process)
            yield process

    def register(self, name: str) -> dict[str, str]:
        user = {"username": name, "email": f"{name}@conduit.test", "password": PASSWORD}
        answer = self.api.post("/users", json={"user": user})
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Token {answer.json()['user']['token']}"}

    def publish(self, who: dict[str, str], title: str) -> None:
        article = {"title": title, "description": "About it", "body": "One.\n\nTwo."}
        answer = self.api.post("/articles", json={"article": article}, headers=who)
        assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = copy_example(tmp_path_factory.mktemp("page") / "example")
    done = python(["manage.py", "migrate"], cwd=folder, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    site = Site(folder)
    with site.api:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[Page]:
    """Give a browser's page; its console has to stay empty but for a server that was away."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    try:
        yield page
        assert [each for each in complaints if not any(word in each for word in EXPECTED)] == []
    finally:
        context.close()


def sign_up(page: Page, name: str) -> None:
    page.click("nav >> text=Sign up")
    page.fill("[name=username]", name)
    page.fill("[name=email]", f"{name}@conduit.test")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector(f"nav >> text={name}")


def write(page: Page, title: str, body: str) -> None:
    page.click("nav >> text=Write")
    page.fill("[name=title]", title)
    page.fill("input[name=description]", "About it")
    page.fill("[name=body]", body)
    page.fill("[name=tags]", "engines, looms")
    page.click("button:text-is('Publish')")
    page.wait_for_selector("article h1")


def has_state(page: Page, state: str) -> None:
    page.wait_for_selector(f'#connection[data-state="{state}"]')


def says_at_the_top(page: Page, words: str) -> None:
    """Wait until the header, which is in sight without scrolling, says how notifications come."""
    badge = page.get_by_role("banner").get_by_role("status")
    wait_until(lambda: badge.text_content() == words, describe=page.content)
    place, below = badge.bounding_box(), page.locator("main").bounding_box()
    assert place and below and page.viewport_size
    assert place["y"] + place["height"] <= below["y"]
    assert place["x"] + place["width"] <= page.viewport_size["width"]


def test_somebody_reads_writes_likes_and_hears_of_what_was_published_over_a_restart(
    site: Site, browser: Browser
) -> None:
    with opened(browser) as page:
        with site.served():
            ada = site.register("ada")
            site.publish(ada, "First")
            page.goto(site.url)
            says_at_the_top(page, "")  # nobody is signed in
            sign_up(page, "grace")
            says_at_the_top(page, "Notifications: live")

            page.click(".preview >> text=First")
            page.click("text=Follow ada")
            page.wait_for_selector("text=Following ada")
            page.click(".actions .like")
            page.wait_for_selector('.actions .like[aria-pressed="true"]')
            page.fill("[name=body]", "Good.")
            page.click("button:text-is('Comment')")
            page.wait_for_selector(".comment >> text=Good.")

            site.publish(ada, "Second")
            page.wait_for_selector(".toast >> text=Second")
            assert page.inner_text(".count") == "1"

            write(page, "Mine", f"One.\n\n{HOSTILE}")
            assert HOSTILE in page.inner_text(".body")
            page.click("a:text-is('Edit')")
            page.fill("[name=title]", "Mine, better")
            page.click("button:text-is('Save')")
            page.wait_for_selector("h1 >> text=Mine, better")
            assert page.title() == "Mine, better — Conduit"
        says_at_the_top(page, "Notifications: offline, trying again")
        page.click(".actions .like")
        page.wait_for_selector("[role=alert] >> text=The server does not answer")
        page.click("nav >> text=Home")
        page.wait_for_selector("main >> text=The server does not answer")
        page.go_back()
        with site.served():
            site.publish(ada, "While you were away")
            has_state(page, "open")
            wait_until(lambda: page.inner_text(".count") == "2", describe=page.content)
            site.publish(ada, "And back")
            page.wait_for_selector(".toast >> text=And back")
            page.click("nav >> text=Notifications")
            page.wait_for_selector(".notifications >> text=And back")
            told = page.locator(".notifications li a:last-of-type").all_inner_texts()
            assert told == ["And back", "While you were away", "Second"]
            page.wait_for_selector(".count", state="detached")


def test_a_keyboard_is_enough_and_a_phone_is_wide_enough(site: Site, browser: Browser) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
    with site.served(), opened(browser, **phone) as page:
        if not site.api.get("/articles").json()["articlesCount"]:
            site.publish(site.register("ada"), "First")
        page.goto(site.url)

        def go(selector: str) -> None:
            """Tab until something has the focus."""
            for _ in range(80):
                page.keyboard.press("Tab")
                if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                    return
            raise AssertionError(f"no Tab leads to {selector}")

        def fits() -> bool:
            return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

        go("a[href='#/sign-up']")
        page.keyboard.press("Enter")
        page.wait_for_selector("[name=username]:focus")
        assert fits()
        page.keyboard.type("keys")
        page.keyboard.press("Tab")
        page.keyboard.type("keys@conduit.test")
        page.keyboard.press("Tab")
        page.keyboard.type("short")
        page.keyboard.press("Enter")
        page.wait_for_selector(".errors li")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("nav >> text=keys")
        page.wait_for_selector(".preview")
        says_at_the_top(page, "Notifications: live")
        assert fits()
        go(".preview h2 a")
        page.keyboard.press("Enter")
        page.wait_for_selector(".article")
        assert page.evaluate("document.activeElement.id") == "main"
        go(".actions .like")
        page.keyboard.press("Space")
        page.wait_for_selector('.actions .like[aria-pressed="true"]')
        assert fits()
        go("[name=body]")
        page.keyboard.type("From the keyboard.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(".comment >> text=From the keyboard.")
        assert fits()


def test_what_is_not_there_and_what_is_for_members_is_said(site: Site, browser: Browser) -> None:
    with site.served():
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        for place, said in (
            ("article/none", "There is no such Article"),
            ("nowhere", "There is no such page"),
            ("tag/%", "There is no such page"),
            ("@nobody", "there is no such User"),
            ("write", "Sign in"),
        ):
            page.goto(f"{site.url}/#/{place}")
            page.reload()
            page.wait_for_selector(f"main >> text={said}")
        policy = page.request.get(site.url).headers["content-security-policy"]
        assert "script-src" not in policy.replace("default-src 'self'", "")
        context.close()
