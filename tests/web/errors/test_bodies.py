"""A body that is too large is answered as every other error, in every way it can be too large."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastforge.web.errors.bodies import _Counter, answer_large_bodies
from fastforge.web.errors.handlers import add_exception_handlers
from fastforge.web.errors.resolution import ErrorFormats

LIMIT = 100
LARGER = 1000
TOO_LARGE = {
    "type": "about:blank",
    "title": "Content Too Large",
    "status": 413,
    "detail": "the body is larger than is accepted here",
    "code": "web.E040",
}


class Note(BaseModel):
    """A body of JSON."""

    text: str


async def length(request: Request) -> int:
    return len(await request.body())


def application(*, larger: bool = False) -> FastAPI:
    app = FastAPI(max_body_size=LIMIT)
    app.post("/raw")(length)
    app.post("/small", max_body_size=10)(length)
    router = APIRouter(prefix="/router", max_body_size=50)
    router.post("/raw")(length)
    app.include_router(router)
    if larger:
        app.post("/larger", max_body_size=LARGER)(length)
    mounted = FastAPI()
    mounted.post("/raw")(length)
    app.mount("/mounted", mounted)

    @app.post("/json")
    async def json(note: Note) -> int:
        return len(note.text)

    @app.post("/unread")
    async def unread() -> str:
        return "done"

    return app


def client_of(app: FastAPI) -> TestClient:
    formats = ErrorFormats()
    add_exception_handlers(app, formats)
    answer_large_bodies(app, formats)
    return TestClient(app, raise_server_exceptions=False)


def in_pieces(size: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    yield from (b"x" for _ in range(size))


def assert_too_large(answer: Any) -> None:
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == TOO_LARGE


@pytest.mark.parametrize("larger", [False, True])
@pytest.mark.parametrize(
    ("path", "limit"), [("/raw", LIMIT), ("/small", 10), ("/router/raw", 50), ("/json", LIMIT)]
)
def test_a_route_takes_no_more_than_its_limit(path: str, limit: int, larger: bool) -> None:
    client = client_of(application(larger=larger))
    headers = {"content-type": "application/json"}
    assert_too_large(client.post(path, content="x" * (limit + 1), headers=headers))
    assert_too_large(client.post(path, content=in_pieces(limit + 1), headers=headers))
    assert client.post(path, content="1" * limit, headers=headers).status_code != 413
    assert client.post(path, content=in_pieces(limit), headers=headers).status_code != 413


def test_a_route_may_take_more_than_the_others() -> None:
    client = client_of(application(larger=True))
    assert client.post("/larger", content="x" * LARGER).json() == LARGER
    assert client.post("/larger", content=in_pieces(LARGER)).json() == LARGER
    assert_too_large(client.post("/larger", content="x" * (LARGER + 1)))


def test_our_limit_holds_for_what_is_mounted() -> None:
    client = client_of(application())
    assert client.post("/mounted/raw", content="x" * LIMIT).json() == LIMIT
    assert_too_large(client.post("/mounted/raw", content="x" * (LIMIT + 1)))
    assert client.post("/mounted/raw", content=in_pieces(LIMIT + 1)).status_code == 413


@pytest.mark.parametrize("path", ["/unread", "/nowhere"])
def test_nothing_is_begun_for_more_than_any_route_takes(path: str) -> None:
    app = application()
    begun: list[str] = []

    @app.middleware("http")
    async def note(request: Request, call_next: Any) -> Any:
        begun.append(request.url.path)
        return await call_next(request)

    assert_too_large(client_of(app).post(path, content="x" * (LIMIT + 1)))
    assert begun == []


def test_a_body_that_nobody_reads_does_no_harm() -> None:
    client = client_of(application(larger=True))
    assert client.post("/unread", content="x" * (LIMIT + 1)).json() == "done"


async def pass_on(request: Request, call_next: Any) -> Any:
    return await call_next(request)


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(3):
        await asyncio.sleep(0.02)
        yield b"piece"


@pytest.fixture
def streaming(tmp_path: Path) -> FastAPI:
    """An application whose answers listen whether the client leaves, as servers ask for."""
    app = application(larger=True)
    file = tmp_path / "file.txt"
    file.write_text("of a file")

    @app.post("/stream", max_body_size=10)
    async def stream() -> StreamingResponse:
        return StreamingResponse(pieces())

    @app.post("/file", max_body_size=10)
    async def of_file() -> FileResponse:
        return FileResponse(file)

    return app


@pytest.mark.parametrize("layered", [False, True])
@pytest.mark.parametrize("path", ["/stream", "/file"])
def test_an_answer_that_streams_is_refused_before_it_begins(
    streaming: FastAPI, path: str, layered: bool
) -> None:
    if layered:
        streaming.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    client = client_of(streaming)
    assert_too_large(client.post(path, content="x" * 11))
    assert_too_large(client.post(path, content=in_pieces(11)))
    assert client.post(path, content="x" * 10).status_code == 200


@pytest.mark.parametrize("announced", [False, True])
async def test_an_answer_that_streams_ends_whatever_comes_meanwhile(
    streaming: FastAPI, announced: bool
) -> None:
    """The server asks for the rest of the body only after the answer has begun."""
    client_of(streaming)
    begun, sent = asyncio.Event(), list[Message]()
    body = [b"x" * 6, b"x" * 6]

    async def receive() -> Message:
        if len(body) == 1:
            await begun.wait()
        if not body:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": body.pop(), "more_body": bool(body)}

    async def send(message: Message) -> None:
        sent.append(message)
        begun.set()

    headers = [(b"content-length", b"10")] if announced else [(b"transfer-encoding", b"chunked")]
    scope: Scope = {"type": "http", "method": "POST", "path": "/stream", "headers": headers}
    scope["query_string"], scope["root_path"] = b"", ""
    await streaming(scope, receive, send)
    assert sent[0]["status"] == 200
    assert b"".join(message.get("body", b"") for message in sent) == b"piece" * 3
    assert body == []


async def test_a_request_needs_no_version_to_be_counted() -> None:
    """FastAPI never asks for it, and programs that call an application themselves leave it out."""
    app = application()
    client_of(app)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nobody reads")

    scope: Scope = {"type": "http", "method": "GET", "path": "/nowhere", "headers": []}
    scope["query_string"], scope["root_path"] = b"", ""
    await app(scope, receive, send)
    assert sent[0]["status"] == 404


@pytest.mark.parametrize("grouped", [False, True])
def test_what_is_raised_by_a_layer_itself_stays_its_failure(grouped: bool) -> None:
    app = application()

    @app.middleware("http")
    async def fail(request: Request, call_next: Any) -> Any:
        raise ExceptionGroup("mine", [HTTPException(413)]) if grouped else HTTPException(413)

    assert client_of(app).post("/unread", content="x").status_code == 500


def test_a_body_where_none_is_expected_is_limited_too() -> None:
    app = application()
    app.get("/raw")(length)
    client = client_of(app)
    assert client.get("/raw").json() == 0
    assert client.request("GET", "/raw", content="x" * LIMIT).json() == LIMIT
    assert_too_large(client.request("GET", "/raw", content="x" * (LIMIT + 1)))
    assert_too_large(client.request("GET", "/raw", content=in_pieces(LIMIT + 1)))


class Reader:
    """A layer that reads the body before the application does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Request(scope, receive).body()
        await self.app(scope, receive, send)


async def read(request: Request, call_next: Any) -> Any:
    await request.body()
    return await call_next(request)


@pytest.mark.parametrize("late", [False, True])
def test_layers_that_read_the_body_are_limited_too(late: bool) -> None:
    app = application()
    if not late:
        app.add_middleware(Reader)
    client = client_of(app)
    if late:
        app.add_middleware(BaseHTTPMiddleware, dispatch=read)
    assert_too_large(client.post("/unread", content=in_pieces(LIMIT + 1)))


@pytest.mark.parametrize("key", [413, HTTPException])
def test_a_handler_of_the_users_wins(key: Any) -> None:
    app = application()
    client = client_of(app)
    app.add_exception_handler(key, lambda request, error: PlainTextResponse("mine", 413))
    assert client.post("/raw", content="x" * (LIMIT + 1)).text == "mine"
    assert client.post("/raw", content=in_pieces(LIMIT + 1)).text == "mine"


def test_an_application_without_a_limit_keeps_those_of_its_routes() -> None:
    app = FastAPI()
    app.post("/raw")(length)
    app.post("/small", max_body_size=10)(length)
    client = client_of(app)
    assert client.post("/raw", content="x" * 10_000).json() == 10_000
    assert_too_large(client.post("/small", content="x" * 11))


def test_the_application_says_its_limit_as_before() -> None:
    app = application()
    client_of(app).get("/")
    assert app.max_body_size == LIMIT
    assert app.user_middleware == []


def test_an_error_that_is_about_no_body_stays_what_it_is() -> None:
    app = application()

    @app.get("/failing")
    async def failing() -> None:
        raise ValueError("inside")

    client = client_of(app)
    assert client.get("/failing").status_code == 500


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_counting_leaves_nothing_to_the_garbage_collector(size: int) -> None:
    client = client_of(application())
    gc.collect()
    gc.disable()
    try:
        client.post("/raw", content="x" * size)
        assert not [each for each in gc.get_objects() if type(each) is _Counter]
    finally:
        gc.enable()
