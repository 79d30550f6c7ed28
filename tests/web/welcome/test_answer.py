"""The page is for a browser, in development, where nothing of the user's answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from fastforge.asgi import get_asgi_application
from fastforge.web.welcome.answer import accepts_html
from tests.folder import ProjectFolder, isolated

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
DEVELOPMENT = {"FASTFORGE_ENV": "development"}
SHOP = {
    "shop/settings.py": """
        from fastforge.conf import App

        INSTALLED_APPS = [App("shop.orders", prefix="/api")]
        SECRET_KEY = "keep-this-to-yourself-0123456789abcdef"
        """,
    "shop/orders/routes.py": """
        from fastapi import APIRouter

        router = APIRouter(tags=["my orders"])

        @router.get("/orders/{order_id}", operation_id="show")
        async def show(order_id: int) -> int:
            return order_id

        @router.websocket("/events")
        async def events(websocket) -> None: ...
        """,
    "shop/orders/resources.py": """
        from fastforge.lifecycle import resource

        @resource
        async def stock():
            yield 1

        @resource(required=False)
        async def search():
            raise ConnectionRefusedError("redis://u:hunter2@search is away")
            yield
        """,
    "shop/orders/notices.py": """
        from fastforge.lifecycle import notice

        @notice
        async def old() -> list[str]:
            return ["the index is 9 days old: manage reindex"]
        """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


def client_of(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://localhost", headers=BROWSER)


def application(shop: ProjectFolder, app: FastAPI | None = None) -> FastAPI:
    return get_asgi_application(shop.load(DEVELOPMENT), app=app)


def test_a_browser_sees_what_the_project_is_made_of(shop: ProjectFolder) -> None:
    with client_of(application(shop)) as client:
        answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for part in (
        "shop is running",
        "development",
        "shop.settings",
        "shop.orders",
        "/api/orders/{order_id}",
        'href="/docs#/my%20orders/show"',
        "shop.orders.routes.show",
        "WEBSOCKET",
        "stock",
        "ConnectionRefusedError: redis://u:***@search is away",
        "the index is 9 days old: manage reindex",
        "<span>startapp</span> <span>blog</span>",
    ):
        assert part in answer.text, part
    assert "memory_jobs" not in answer.text
    assert "openapi.json" not in answer.text
    assert "keep-this-to-yourself" not in answer.text
    assert "hunter2" not in answer.text


def test_the_next_command_is_one_that_works(shop: ProjectFolder) -> None:
    shop.write(
        {
            "manage.py": "",
            "shop/settings.py": """
                INSTALLED_APPS = ["fastforge.contrib.db", "shop.blog"]
                """,
            "shop/blog/__init__.py": "",
        }
    )
    with client_of(application(shop)) as client:
        text = re.sub("</?span>", "", client.get("/").text)
    assert "<kbd>python manage.py startapp news --resource post title:str body:text</kbd>" in text
    assert "<kbd>python manage.py migrate</kbd>" in text


def test_head_has_the_same_headers_and_no_body(shop: ProjectFolder) -> None:
    with client_of(application(shop)) as client:
        page, head = client.get("/"), client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(page.content)
    assert head.headers["content-security-policy"] == page.headers["content-security-policy"]


def test_the_policy_lets_its_own_style_through_and_nothing_else(shop: ProjectFolder) -> None:
    with client_of(application(shop)) as client:
        answer = client.get("/")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {"accept": "*/*"}),
        ("GET", "/", {"accept": "application/json"}),
        ("POST", "/", {}),
        ("GET", "/nowhere", {}),
    ],
)
def test_others_are_answered_as_in_production(
    shop: ProjectFolder, method: str, path: str, headers: dict[str, str]
) -> None:
    with client_of(application(shop)) as client:
        answer = client.request(method, path, headers=headers)
    found = answer.json()
    assert (found["status"], found["title"]) == (404, "Not Found")


@pytest.mark.parametrize(
    ("environment", "debug", "status"),
    [("production", "", 404), ("test", "", 404), ("production", "DEBUG = True\n", 200)],
)
def test_debug_alone_shows_it(
    shop: ProjectFolder, environment: str, debug: str, status: int
) -> None:
    shop.write({"shop/settings.py": debug})
    app = get_asgi_application(shop.load({"FASTFORGE_ENV": environment}))
    with client_of(app) as client:
        assert client.get("/").status_code == status


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER["accept"], True),
        ("text/html", True),
        ("TEXT/HTML; q=0.1", True),
        ("application/json, text/html;q=0.5", False),
        ("application/json;q=0.5, text/html", True),
        ("text/html;q=0", False),
        ("text/html;q=many", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
        (";;,,q=", False),
    ],
)
def test_html_has_to_be_asked_for(accept: str, html: bool) -> None:
    assert accepts_html(accept) is html


# --- it stands behind everything else -------------------------------------------------------------


def test_a_route_of_the_users_takes_its_place_also_when_it_comes_late(shop: ProjectFolder) -> None:
    app = application(shop)
    with client_of(app) as client:
        assert "is running" in client.get("/").text

        @app.get("/")
        async def home() -> str:
            return "mine"

        assert client.get("/").json() == "mine"


def test_a_route_for_another_method_answers_by_itself(shop: ProjectFolder) -> None:
    app = application(shop)
    app.add_api_route("/", lambda: 1, methods=["POST"])
    with client_of(app) as client:
        assert client.get("/").status_code == 405


def test_a_mount_at_the_root_answers_by_itself(shop: ProjectFolder) -> None:
    app = application(shop)
    app.mount("/", FastAPI())
    with client_of(app) as client:
        assert client.get("/").json() == {"detail": "Not Found"}


def test_an_existing_application_has_it_too(shop: ProjectFolder) -> None:
    existing = FastAPI(docs_url=None)
    router = APIRouter()
    router.add_api_route("/old", lambda: 1, name="old")
    existing.include_router(router, prefix="/very")
    with client_of(application(shop, existing)) as client:
        text = client.get("/").text
    assert "/very/old" in text
    assert "/docs" not in text


def test_a_default_that_its_author_has_set_stays(shop: ProjectFolder) -> None:
    existing = FastAPI()

    async def default(scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        await PlainTextResponse("mine")(scope, receive, send)

    existing.router.default = default
    with client_of(application(shop, existing)) as client:
        assert client.get("/").text == "mine"


def test_behind_a_prefix_its_links_have_the_prefix(shop: ProjectFolder) -> None:
    outer = FastAPI()
    outer.mount("/shop", application(shop))
    text = client_of(outer).get("/shop/").text
    assert 'href="/shop/docs#/my%20orders/show"' in text
    assert "does not run its lifespan" in text


def test_sockets_are_closed_as_ever(shop: ProjectFolder) -> None:
    with (
        client_of(application(shop)) as client,
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/"),
    ):
        pass


async def test_it_does_not_wait_for_what_hangs(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/orders/notices.py": """
                import asyncio
                from fastforge.lifecycle import notice

                @notice
                async def hangs() -> list[str]:
                    await asyncio.sleep(3600)
                    return []
                """
        }
    )

    def ask() -> Any:
        with client_of(application(shop)) as client:
            return client.get("/").text

    assert "hangs is not known: no answer within 2 s" in await asyncio.to_thread(ask)
