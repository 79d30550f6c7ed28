"""What a request brings is limited by the settings: its body, its form, in every way it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Form, Request, UploadFile
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from fastforge.asgi import get_asgi_application
from tests.folder import ProjectFolder, isolated

LIMIT = 1000
ROUTE_LIMIT = 5000

SETTINGS = f"""
    SERVER = {{
        "max_body_bytes": {LIMIT},
        "max_form_fields": 3,
        "max_form_files": 2,
        "max_form_part_bytes": 100,
    }}
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        yield folder


def with_routes(app: FastAPI) -> FastAPI:
    wide = APIRouter(prefix="/wide", max_body_size=ROUTE_LIMIT)

    @app.post("/text")
    async def text(request: Request) -> int:
        return len(await request.body())

    @app.post("/json")
    async def as_json(body: dict[str, Any]) -> int:
        return len(body)

    @app.post("/larger", max_body_size=ROUTE_LIMIT)
    async def larger(request: Request) -> int:
        return len(await request.body())

    @wide.post("/text")
    async def wide_text(request: Request) -> int:
        return len(await request.body())

    app.include_router(wide)
    app.mount("/mounted", Starlette(routes=[Route("/text", raw_text, methods=["POST"])]))
    inner = FastAPI()
    inner.post("/json")(as_json)
    app.mount("/inner", inner)
    return app


def with_forms(app: FastAPI) -> FastAPI:
    pytest.importorskip("python_multipart", reason="FastAPI reads no form without it")

    @app.post("/form")
    async def form(name: str = Form()) -> str:
        return name

    @app.post("/files")
    async def files(files: list[UploadFile]) -> int:
        return len(files)

    nested = APIRouter(prefix="/nested")
    nested.post("/form")(form)
    app.include_router(nested, prefix="/api")
    return app


async def raw_text(request: Request) -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def client(shop: ProjectFolder) -> Iterator[TestClient]:
    with TestClient(with_routes(get_asgi_application(shop.load()))) as client:
        yield client


@pytest.fixture
def forms(shop: ProjectFolder) -> Iterator[TestClient]:
    with TestClient(with_forms(get_asgi_application(shop.load()))) as client:
        yield client


def chunked(size: int) -> Iterator[bytes]:
    """A body whose length nobody is told before."""
    for _ in range(size // 100):
        yield b"x" * 100
    yield b"x" * (size % 100)


# --- the body ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [bytes, chunked], ids=["with its length", "chunked"])
def test_a_body_that_is_too_large_is_refused(client: TestClient, body: Any) -> None:
    assert client.post("/text", content=body(LIMIT)).json() == LIMIT
    assert_is_problem(client.post("/text", content=body(LIMIT + 1)), 413)


@pytest.mark.parametrize("body", [bytes, chunked], ids=["with its length", "chunked"])
def test_a_mounted_application_is_limited_too_and_answers_in_its_own_way(
    client: TestClient, body: Any
) -> None:
    assert client.post("/mounted/text", content=body(LIMIT)).json() == LIMIT
    assert client.post("/mounted/text", content=body(LIMIT + 1)).status_code == 413
    as_json = {"content-type": "application/json"}
    assert client.post("/inner/json", content=body(LIMIT + 1), headers=as_json).status_code == 413


@pytest.mark.parametrize("is_chunked", [False, True])
def test_json_that_is_too_large_is_refused(client: TestClient, is_chunked: bool) -> None:
    body = json.dumps({"name": "x" * LIMIT}).encode()
    content: Any = iter([body[:500], body[500:]]) if is_chunked else body
    answer = client.post("/json", content=content, headers={"content-type": "application/json"})
    assert_is_problem(answer, 413)


@pytest.mark.parametrize("path", ["/larger", "/wide/text"])
@pytest.mark.parametrize("body", [bytes, chunked], ids=["with its length", "chunked"])
def test_a_route_or_a_router_may_have_a_larger_limit(
    client: TestClient, path: str, body: Any
) -> None:
    assert client.post(path, content=body(ROUTE_LIMIT)).json() == ROUTE_LIMIT
    assert_is_problem(client.post(path, content=body(ROUTE_LIMIT + 1)), 413)


def test_a_length_that_is_a_lie_does_not_help(client: TestClient) -> None:
    content = chunked(LIMIT + 1)
    answer = client.post("/text", content=content, headers={"content-length": "10"})
    assert answer.status_code == 413


async def consumed_of(app: ASGIApp, headers: list[tuple[bytes, bytes]], chunk: bytes) -> int:
    """How many bytes of an endless body an application takes until it has answered 413."""
    taken, statuses = 0, []

    async def receive() -> Message:
        nonlocal taken
        taken += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http", "method": "POST", "path": "/text", "raw_path": b"/text",
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(b"host", b"localhost"), *headers], "client": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    assert statuses == [413]
    return taken


async def test_of_a_refused_body_no_more_is_read_than_its_limit(shop: ProjectFolder) -> None:
    app = with_routes(get_asgi_application(shop.load()))
    chunk = b"x" * 100
    assert await consumed_of(app, [(b"content-length", b"9999999999")], chunk) == 0
    chunks = [(b"transfer-encoding", b"chunked")]
    assert await consumed_of(app, chunks, chunk) == LIMIT + len(chunk)


# --- forms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "request_of"),
    [
        ("/form", {"data": {"name": "x", "a": "1", "b": "2", "c": "3"}}),
        ("/form", {"data": {"name": "x" * 101}}),
        ("/api/nested/form", {"data": {"name": "x" * 101}}),
        ("/files", {"files": [("files", (f"{number}.txt", b"x")) for number in range(3)]}),
        (
            "/files",
            {
                "files": [("files", ("1.txt", b"x"))],
                "data": {"name": "x", "a": "1", "b": "2", "c": "3"},
            },
        ),
        ("/files", {"files": [("files", ("1.txt", b"x"))], "data": {"name": "x" * 101}}),
        ("/files", {"content": b"junk", "headers": {"content-type": "multipart/form-data"}}),
        (
            "/files",
            {"content": b"junk", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        ),
    ],
    ids=[
        "fields", "the size of a field", "an included router", "files", "fields beside a file",
        "the size of a field beside a file", "no boundary", "no form at all",
    ],
)  # fmt: skip
def test_a_form_beyond_its_limits_is_a_problem_and_no_failure(
    forms: TestClient, path: str, request_of: dict[str, Any]
) -> None:
    assert_is_problem(forms.post(path, **request_of), 400)


def test_a_form_within_its_limits_is_taken(forms: TestClient) -> None:
    assert forms.post("/form", data={"name": "x" * 96, "a": "1", "b": "2"}).json() == "x" * 96
    files = [("files", (f"{number}.txt", b"x" * 150)) for number in range(2)]
    assert forms.post("/files", files=files, data={"name": "x" * 100}).json() == 2


def test_a_form_that_is_too_large_is_refused_as_any_body_is(forms: TestClient) -> None:
    files = [("files", ("1.txt", b"x" * LIMIT))]
    assert_is_problem(forms.post("/files", files=files), 413)


# --- an application that exists ------------------------------------------------------------------


def test_an_application_without_limits_gets_those_of_the_settings(shop: ProjectFolder) -> None:
    app = with_routes(FastAPI())
    with TestClient(get_asgi_application(shop.load(), app=app)) as client:
        assert_is_problem(client.post("/text", content=b"x" * (LIMIT + 1)), 413)
        assert client.post("/larger", content=b"x" * ROUTE_LIMIT).json() == ROUTE_LIMIT


def test_an_application_keeps_a_limit_of_its_own(shop: ProjectFolder) -> None:
    app = with_routes(FastAPI(max_body_size=ROUTE_LIMIT))
    with TestClient(get_asgi_application(shop.load(), app=app)) as client:
        assert client.post("/text", content=b"x" * ROUTE_LIMIT).json() == ROUTE_LIMIT


def test_an_application_keeps_the_limits_of_forms_that_it_has(shop: ProjectFolder) -> None:
    app = with_forms(FastAPI(form_limits={"max_part_size": 200}))
    with TestClient(get_asgi_application(shop.load(), app=app)) as client:
        assert client.post("/form", data={"name": "x" * 196}).json() == "x" * 196
        fields = {"name": "x", "a": "1", "b": "2", "c": "3"}
        assert client.post("/form", data=fields).status_code == 400


def assert_is_problem(answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
