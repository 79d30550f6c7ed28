"""The router's redirect to the path with a slash, or without one, never names a host."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from fastforge.middleware.edge import Edge
from fastforge.middleware.policy import EdgePolicy
from fastforge.middleware.state import EdgeState

EVIL = "evil.example"


def client_of(app: FastAPI) -> TestClient:
    edge = Edge(app, EdgeState(), EdgePolicy())

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await edge(scope, receive, send)

    return TestClient(served, follow_redirects=False)


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    inner = FastAPI()

    @app.get("/orders/")
    @app.get("/notes")
    @app.get("/a/{path:path}/")
    @inner.get("/b/")
    async def show() -> None: ...

    @app.get("/away")
    async def away(to: str) -> RedirectResponse:
        return RedirectResponse(to)

    app.mount("/inner", inner)
    return client_of(app)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/orders", "/orders/"),
        ("/notes/", "/notes"),
        ("/orders?next=https://a.example/?b", "/orders/?next=https://a.example/?b"),
        ("/a/ä%3Fb%5C", "/a/%C3%A4%3Fb%5C/"),
        ("/inner/b", "/inner/b/"),
    ],
)
def test_it_stays_where_the_client_is_whatever_it_calls_us(
    client: TestClient, path: str, location: str
) -> None:
    answer = client.get(path, headers={"host": EVIL})
    assert (answer.status_code, answer.headers["location"]) == (307, location)


def test_a_path_that_looks_like_a_host_is_none() -> None:
    app = FastAPI()

    @app.get("/{path:path}/")
    async def show(path: str) -> None: ...

    answer = client_of(app).get("http://testserver//evil.example")
    assert answer.headers["location"] == "/.//evil.example/"


@pytest.mark.parametrize(
    "location",
    [
        "https://testserver/away/",
        "http://other.example/away/",
        "http://testserver/home",
        "http://testserver/away",
        "/home",
    ],
)
def test_a_redirect_of_a_handler_is_left_as_it_is(client: TestClient, location: str) -> None:
    answer = client.get("/away", params={"to": location})
    assert (answer.status_code, answer.headers["location"]) == (307, location)
