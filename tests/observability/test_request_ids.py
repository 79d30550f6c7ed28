"""Every answer has the id of its request, and so has every body of an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fastforge.asgi import get_asgi_application
from tests.folder import isolated

UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
FILES = {
    "shop/settings.py": """
        INSTALLED_APPS = ["shop.orders"]
        TRUSTED_PROXIES = ["10.0.0.0/8"]
        SERVER = {"max_body_bytes": 100, "request_timeout_s": 0.2, "max_header_bytes": 4096}
        """,
    "shop/orders/routes.py": """
        import asyncio

        from fastapi import APIRouter, HTTPException, Response
        from fastapi.responses import StreamingResponse

        router = APIRouter()


        @router.get("/orders/{number}")
        async def order(number: int) -> int:
            return number


        @router.post("/orders")
        async def place(order: dict[str, int]) -> None: ...


        @router.head("/orders")
        async def head() -> None: ...


        @router.get("/raises")
        async def raises() -> None:
            raise LookupError


        @router.get("/busy")
        async def busy() -> None:
            raise HTTPException(503, "not now")


        @router.get("/slow")
        async def slow() -> None:
            await asyncio.Event().wait()


        @router.get("/unchanged")
        async def unchanged() -> Response:
            return Response(status_code=304)


        @router.get("/stream")
        async def stream() -> StreamingResponse:
            async def body():
                yield "one"
                yield "two"

            return StreamingResponse(body())
        """,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path: Path = tmp_path_factory.mktemp("shop")
    with isolated(path) as folder:
        folder.write(FILES)
        app = get_asgi_application(folder.load())
        app.mount("/files", FastAPI())
        with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
            yield client


ANSWERS = [
    ("GET", "/orders/7", 200),
    ("HEAD", "/orders", 200),
    ("GET", "/stream", 200),
    ("GET", "/unchanged", 304),
    ("GET", "/nothing", 404),
    ("GET", "/files/nothing", 404),
    ("PUT", "/orders/7", 405),
    ("POST", "/orders", 413),
    ("GET", "/orders/x", 422),
    ("GET", "/raises", 500),
    ("GET", "/busy", 503),
    ("GET", "/slow", 504),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_an_id(client: TestClient, method: str, path: str, status: int) -> None:
    content = b"x" * 200 if status == 413 else None
    answer = client.request(method, path, content=content)
    assert answer.status_code == status
    (identity,) = answer.headers.get_list("x-request-id")
    assert UUID_7.fullmatch(identity)
    if status >= 400 and not path.startswith("/files"):  # another application's, in its own words
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == identity


def test_headers_that_are_refused_are_answered_with_an_id(client: TestClient) -> None:
    answer = client.get("/orders/7", headers={"x-long": "x" * 5000})
    assert answer.status_code == 431
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("peer", "given", "is_believed"),
    [
        ("10.1.2.3", "abc-123._Z", True),
        ("10.1.2.3", "x" * 64, True),
        ("10.1.2.3", "x" * 65, False),
        ("10.1.2.3", "", False),
        ("10.1.2.3", "a b", False),
        ("10.1.2.3", "a<b>", False),
        ("10.1.2.3", 'a"b', False),
        ("10.1.2.3", "a,b", False),
        ("192.0.2.1", "abc-123", False),
    ],
)
def test_an_id_is_believed_of_trusted_proxies_and_in_a_safe_form(
    client: TestClient, peer: str, given: str, is_believed: bool
) -> None:
    behind = TestClient(client.app, base_url="http://localhost", client=(peer, 1))
    answer = behind.get("/nothing", headers={"x-request-id": given})
    identity = answer.headers["x-request-id"]
    assert (identity == given) == is_believed
    assert answer.json()["request_id"] == identity
    assert is_believed or UUID_7.fullmatch(identity)


def test_two_ids_are_none(client: TestClient) -> None:
    behind = TestClient(client.app, base_url="http://localhost", client=("10.1.2.3", 1))
    answer = behind.get("/nothing", headers=[("x-request-id", "a"), ("x-request-id", "b")])  # type: ignore[arg-type]
    assert UUID_7.fullmatch(answer.headers["x-request-id"])
