"""The headers for browsers are on every kind of answer, once each, and nothing tells of us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import pytest

from fastforge.test.server import live_server
from tests.folder import isolated
from tests.request_path.wire import Answer, Wire, ask

SETTINGS: Final = """
    INSTALLED_APPS = ["fastforge.contrib.static", "shop.orders"]
    ALLOWED_HOSTS = ["localhost"]
    TRUSTED_PROXIES = ["127.0.0.1"]
    CORS = {"allow_origins": ["https://pages.example"]}
    SERVER = {"max_body_bytes": 100, "max_headers": 20}
    """
ROUTES: Final = """
    import asyncio

    from fastapi import APIRouter, FastAPI, Request, WebSocket
    from fastapi.responses import (
        FileResponse, HTMLResponse, RedirectResponse, Response, StreamingResponse
    )
    from pydantic import BaseModel

    from fastforge.cache import cached
    from fastforge.web import time_limit

    router = APIRouter()

    class Order(BaseModel):
        total: int

    @router.get("/json")
    async def json_():
        return {}

    @router.get("/html")
    async def html():
        return HTMLResponse("<p>")

    @router.get("/plain-def")
    def plain():
        return {}

    @router.get("/nothing", status_code=204)
    async def nothing(): ...

    @router.get("/away")
    async def away():
        return RedirectResponse("https://other.example")

    @router.post("/orders")
    async def place(order: Order):
        return order

    @router.get("/stream")
    async def stream():
        async def parts():
            for _ in range(3):
                yield b"x" * 10
                await asyncio.sleep(0)
        return StreamingResponse(parts())

    @router.get("/events")
    async def events():
        async def parts():
            yield b"data: 1\\n\\n"
        return StreamingResponse(parts(), media_type="text/event-stream")

    @router.get("/file")
    async def file():
        return FileResponse(__file__)

    @router.get("/cached", dependencies=[cached(ttl_s=60)])
    async def cached_():
        return {}

    @router.get("/late")
    @time_limit(0.05)
    async def late():
        await asyncio.sleep(60)

    @router.get("/fails")
    async def fails():
        raise ValueError("inside")

    @router.get("/refuses")
    async def refuses():
        return Response("", status_code=403, headers={"X-Frame-Options": "SAMEORIGIN"})

    @router.websocket("/socket")
    async def socket(socket: WebSocket):
        await socket.accept()
        await socket.close()
    """
SNAPSHOT: Final = {
    "x-content-type-options": ["nosniff"],
    "x-frame-options": ["DENY"],
    "referrer-policy": ["strict-origin-when-cross-origin"],
    "cross-origin-opener-policy": ["same-origin"],
    "content-security-policy": [],
    "strict-transport-security": ["max-age=31536000"],
    "server": [],
    "x-powered-by": [],
}
HTTPS: Final = "X-Forwarded-Proto: https"
JSON: Final = "Content-Type: application/json"
ORIGIN: Final = "Origin: https://pages.example"
PREFLIGHT: Final = "Access-Control-Request-Method: POST"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with isolated(tmp_path_factory.mktemp("shop")) as folder:
        folder.write(
            {
                "shop/settings.py": SETTINGS,
                "shop/orders/routes.py": ROUTES,
                "shop/orders/static/shop.css": "p {}",
            }
        )
        with live_server(folder.load()) as url:
            yield int(urlsplit(url).port or 0)


ANSWERS: Final[dict[str, tuple[int, str, tuple[str, ...], bytes]]] = {
    "json": (200, "GET /json", (), b""),
    "html": (200, "GET /html", (), b""),
    "a plain def": (200, "GET /plain-def", (), b""),
    "head": (200, "HEAD /static/shop.css", (), b""),
    "no content": (204, "GET /nothing", (), b""),
    "a stream": (200, "GET /stream", (), b""),
    "events": (200, "GET /events", (), b""),
    "a file": (200, "GET /file", (), b""),
    "a part of a file": (206, "GET /file", ("Range: bytes=0-3",), b""),
    "a static file": (200, "GET /static/shop.css", (), b""),
    "an answer from the cache": (200, "GET /cached", (), b""),
    "a redirect of a handler": (307, "GET /away", (), b""),
    "a redirect of the router": (307, "GET /json/", (), b""),
    "a malformed body": (422, "POST /orders", (JSON,), b"{"),
    "an invalid body": (422, "POST /orders", (JSON,), b"{}"),
    "no such path": (404, "GET /nowhere", (), b""),
    "no such method": (405, "DELETE /json", (), b""),
    "another host": (400, "GET /json", ("Host: evil.example",), b""),
    "a large body": (413, "POST /orders", (JSON,), b"x" * 101),
    "many headers": (431, "GET /json", tuple(f"X-{n}: y" for n in range(30)), b""),
    "a failure": (500, "GET /fails", (), b""),
    "out of time": (504, "GET /late", (), b""),
    "the schema": (200, "GET /openapi.json", (), b""),
    "a probe": (200, "GET /livez", (), b""),
    "a preflight": (200, "OPTIONS /json", (ORIGIN, PREFLIGHT), b""),
    "a preflight of a stranger": (400, "OPTIONS /json", ("Origin: null", PREFLIGHT), b""),
    "no socket": (
        403,
        "GET /socket",
        (
            "Origin: https://evil.example",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        b"",
    ),
}


def of_browsers(answer: Answer) -> dict[str, list[str]]:
    return {name: answer.all(name) for name in SNAPSHOT}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_of_answer_has_them(port: int, kind: str) -> None:
    status, line, headers, body = ANSWERS[kind]
    method, path = line.split()
    answer = ask(port, method, path, headers=(*headers, HTTPS), body=body)
    assert (answer.status, of_browsers(answer)) == (status, SNAPSHOT)


def test_an_answer_that_is_not_repeated_has_them(port: int) -> None:
    tag = ask(port, "GET", "/static/shop.css").one("etag")
    for path in ("/static/shop.css", "/cached"):
        tag = ask(port, "GET", path).one("etag")
        answer = ask(port, "GET", path, headers=(f"If-None-Match: {tag}", HTTPS))
        assert (answer.status, answer.body, of_browsers(answer)) == (304, b"", SNAPSHOT)


def test_what_never_becomes_a_request_has_them(port: int) -> None:
    """Nobody knows whether it came over HTTPS, so that this is not said."""
    with Wire(port) as wire:
        wire.socket.sendall(b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n")
        answer = wire.answer()
    assert (answer.status, of_browsers(answer)) == (
        400,
        SNAPSHOT | {"strict-transport-security": []},
    )


def test_a_handler_that_says_otherwise_is_heard(port: int) -> None:
    answer = ask(port, "GET", "/refuses", headers=(HTTPS,))
    assert of_browsers(answer) == SNAPSHOT | {"x-frame-options": ["SAMEORIGIN"]}


def test_pages_of_fastapi_have_them_as_they_can(port: int) -> None:
    answer = ask(port, "GET", "/docs", headers=(HTTPS,))
    opener = {"cross-origin-opener-policy": ["same-origin-allow-popups"]}
    assert (answer.status, of_browsers(answer)) == (200, SNAPSHOT | opener)
