"""One HTTP client a process, which passes the id of the request on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from fastforge.contrib.http import Http, http_client
from fastforge.lifecycle import Role
from tests.folder import ProjectFolder, isolated

SHOP = {
    "shop/settings.py": """
        from fastforge.contrib.http import Http

        INSTALLED_APPS = ["fastforge.contrib.http", "shop.orders"]
        HTTP = Http(timeout_s=7, max_connections=3)
        """,
    "shop/orders/routes.py": """
        from fastapi import APIRouter
        from fastforge.contrib.http import HttpClient

        router = APIRouter()

        @router.get("/ask")
        async def ask(url: str, http: HttpClient) -> str:
            return (await http.get(url)).text

        @router.get("/ask-as")
        async def ask_as(url: str, http: HttpClient) -> str:
            return (await http.get(url, headers={"x-request-id": "mine"})).text
        """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


@pytest.fixture
def echo() -> Iterator[str]:
    """A server that answers with the `x-request-id` it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (self.headers.get("x-request-id") or "none").encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_the_id_of_the_request_is_passed_on(shop: ProjectFolder, echo: str) -> None:
    with TestClient(get_asgi_application(shop.load())) as client:
        answer = client.get("/ask", params={"url": echo})
    assert answer.json() == answer.headers["x-request-id"]


def test_a_header_that_the_caller_sets_stays(shop: ProjectFolder, echo: str) -> None:
    with TestClient(get_asgi_application(shop.load())) as client:
        assert client.get("/ask-as", params={"url": echo}).json() == "mine"


async def test_outside_a_request_there_is_no_header(shop: ProjectFolder, echo: str) -> None:
    async with shop.load().running(Role.COMMAND) as container:
        assert (await container[http_client].get(echo)).text == "none"


async def test_the_settings_reach_the_client_and_it_is_closed_at_the_end(
    shop: ProjectFolder,
) -> None:
    async with shop.load().running(Role.WORKER) as container:
        client = container[http_client]
        timeout = client.timeout
        assert (timeout.read, timeout.write, timeout.pool, timeout.connect) == (7, 7, 7, 2)
        assert not client.is_closed
    assert client.is_closed


def test_the_defaults_are_the_documented_ones() -> None:
    http = Http()
    assert (http.timeout_s, http.connect_timeout_s, http.max_connections) == (10, 2, 100)


async def test_the_pool_is_made_by_the_first_call_and_once(
    shop: ProjectFolder, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where several calls come at the same time."""
    made: list[object] = []
    make = httpx.AsyncClient._init_transport

    def counted(self: httpx.AsyncClient, *args: Any, **kwargs: Any) -> httpx.AsyncBaseTransport:
        made.append(self)
        return make(self, *args, **kwargs)

    monkeypatch.setattr(httpx.AsyncClient, "_init_transport", counted)
    async with shop.load().running(Role.COMMAND) as container:
        client = container[http_client]
        assert not made
        await asyncio.gather(*(client.get(echo) for _ in range(5)))
        assert len(made) == 1
