"""The index stands where FastAPI's own routing stood, or leaves it there and knows why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from fastforge.web.index import index_routes, why_not_indexed
from fastforge.web.index.table import RouteIndex


async def hello() -> str:
    return "hello"


def test_it_takes_the_place_of_the_routers_own_routing() -> None:
    app = FastAPI()
    index_routes(app)
    assert isinstance(app.router.middleware_stack, RouteIndex)
    assert why_not_indexed(app) == ""


def test_a_limit_of_bodies_that_fastapi_puts_around_the_routing_stays_around_it() -> None:
    app = FastAPI(max_body_size=5)
    index_routes(app)
    assert why_not_indexed(app) == ""

    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    with TestClient(app) as client:
        assert client.post("/", content=b"12345").json() == 5
        assert client.post("/", content=b"123456").status_code == 413


def test_an_application_may_stand_in_another_with_an_index_of_its_own() -> None:
    inner, outer = FastAPI(), FastAPI()
    inner.get("/hello")(hello)
    outer.mount("/inner", inner)
    index_routes(inner)
    index_routes(outer)
    with TestClient(outer) as client:
        assert client.get("/inner/hello").json() == "hello"
        assert client.get("/inner/nothing").status_code == 404


def _own_router(app: FastAPI) -> None:
    class Own(APIRouter):
        async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().app(scope, receive, send)

    app.router = Own(routes=app.router.routes)


def _replaced(app: FastAPI) -> None:
    inner = app.router.middleware_stack

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        await inner(scope, receive, send)

    app.router.middleware_stack = around


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_own_router, "Own of its router routes in its own way"),
        (_replaced, "middleware_stack has been replaced"),
    ],
)
def test_what_routes_in_its_own_way_is_left_alone(
    change: Callable[[FastAPI], None], reason: str
) -> None:
    app = FastAPI()
    app.get("/hello")(hello)
    change(app)
    before = app.router.middleware_stack
    index_routes(app)
    assert reason in why_not_indexed(app)
    assert app.router.middleware_stack is before or app.router.middleware_stack == before
    assert TestClient(app).get("/hello").json() == "hello"


def test_a_layer_that_refers_to_itself_is_not_searched_for_ever() -> None:
    class Circle:
        def __init__(self, app: ASGIApp) -> None:
            self.app = self

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    app = FastAPI()
    app.router.middleware_stack = Circle(app.router.app)
    index_routes(app)
    assert "replaced" in why_not_indexed(app)
