"""In a real browser, over a real socket: a form logs in, and other sites' forms do nothing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commanding import start
from tests.folder import isolated
from tests.processes import fetch, free_port, wait_until
from tests.services import find_chromium

from .conftest import FILES
from .shop import ANN, KEY, PASSWORD, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PAGES = """
    from typing import Annotated

    from fastapi import APIRouter, Form, Response
    from fastapi.responses import HTMLResponse, RedirectResponse

    from fastforge.contrib.auth import CurrentIdentity, authenticate
    from fastforge.contrib.db import DbSession, non_atomic
    from fastforge.contrib.sessions import Session, log_in
    from fastforge.contrib.templates import Render

    router = APIRouter()


    @router.get("/login", response_class=HTMLResponse)
    async def form(render: Render) -> HTMLResponse:
        return render("pages/login.html")


    @router.post("/login")
    @non_atomic
    async def login(
        email: Annotated[str, Form()], password: Annotated[str, Form()],
        db: DbSession, session: Session,
    ) -> Response:
        user = await authenticate(db, email, password)
        if user is None:
            return HTMLResponse("wrong", 401)
        await log_in(session, user)
        return RedirectResponse("/mine", 303)


    @router.get("/mine", response_class=HTMLResponse)
    async def mine(me: CurrentIdentity, session: Session, render: Render) -> HTMLResponse:
        notes = await session.get("notes", type=list[str], default=[])
        return render("pages/mine.html", {"id": me.id, "notes": notes})


    @router.post("/notes")
    async def add(note: Annotated[str, Form()], session: Session) -> Response:
        notes = await session.get("notes", type=list[str], default=[])
        session.set("notes", [*notes, note])
        return RedirectResponse("/mine", 303)
"""
LOGIN = """
    <meta name="referrer" content="no-referrer">
    <form method="post">{{ csrf_input() }}
      <input name="email"><input name="password" type="password"><button>Log in</button></form>
"""
MINE = """
    <meta name="referrer" content="no-referrer">
    <h1>user {{ id }}: {{ notes | join(", ") }}</h1>
    <form id="good" method="post" action="/notes">{{ csrf_input() }}
      <input name="note"><button>Add</button></form>
    <form id="bare" method="post" action="/notes"><input name="note"><button>Add</button></form>
"""
EVIL = """
    <form method="post" action="{action}"><input name="note" value="evil"><button>Win</button>
    </form>
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Iterator[int]:
    """The shop, served as a developer serves it."""
    port = free_port()
    text = settings(apps='"fastforge.contrib.templates", "shop.pages",')
    with isolated(tmp_path_factory.mktemp("served")) as folder:
        folder.write(
            {
                **FILES,
                "shop/settings.py": text,
                "shop/web/routes.py": "",
                "shop/pages/routes.py": PAGES,
                "shop/pages/templates/pages/login.html": LOGIN,
                "shop/pages/templates/pages/mine.html": MINE,
            }
        )
        shutil.copy(database, folder.path / "db.sqlite3")
        argv = [sys.executable, "-m", "fastforge", "runserver", f"127.0.0.1:{port}", "--no-reload"]
        environ = {"FASTFORGE_ENV": "development", "SECRET_KEY": KEY}
        with start([*argv, "--no-worker"], cwd=folder.path, env=environ) as server:
            wait_until(lambda: fetch(f"http://127.0.0.1:{port}/livez"), describe=server)
            yield port


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    # A name that is no laptop's own: there a browser says nothing by Sec-Fetch-Site.
    rules = "--host-resolver-rules=MAP *.test 127.0.0.1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=str(find_chromium()), args=["--no-sandbox", "--disable-gpu", rules]
        )
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


def log_in(page: Page, site: str) -> None:
    page.goto(f"{site}/login")
    page.fill("[name=email]", ANN)
    page.fill("[name=password]", PASSWORD)
    page.click("button")
    assert page.inner_text("h1") == "user 1:"


def test_a_form_logs_in_and_the_token_proves_whose_it_is(
    port: int, context: BrowserContext
) -> None:
    """Without encryption, and with `Origin: null`, nothing else is told."""
    site, page = f"http://shop.test:{port}", context.new_page()
    log_in(page, site)
    (cookie,) = context.cookies()
    assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Lax")
    page.fill("#good [name=note]", "one")
    page.click("#good button")
    assert page.inner_text("h1") == "user 1: one"
    page.fill("#bare [name=note]", "two")
    page.click("#bare button")
    assert "sessions.E014" in page.content()
    page.goto(f"{site}/mine")
    assert page.inner_text("h1") == "user 1: one"


def test_a_page_of_another_origin_does_nothing_with_the_cookie(
    port: int, context: BrowserContext
) -> None:
    """Not even one of the same machine, whose requests the browser sends the cookie with."""
    site, page = f"http://127.0.0.1:{port}", context.new_page()
    log_in(page, site)
    page.fill("#bare [name=note]", "one")  # here the browser tells by itself
    page.click("#bare button")
    assert page.inner_text("h1") == "user 1: one"
    html = EVIL.format(action=f"{site}/notes")
    for other in (f"http://127.0.0.1:{free_port()}", "http://evil.test"):
        page.route(f"{other}/**", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{other}/page")
        page.click("button")
        page.wait_for_url(f"{site}/notes")
        assert "sessions.E014" in page.content()
    page.goto(f"{site}/mine")
    assert page.inner_text("h1") == "user 1: one"
