"""What an application does around its routing is as it was: the index only leaves routes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from fastforge.web.index import index_routes, why_not_indexed


def indexed(app: FastAPI) -> FastAPI:
    index_routes(app)
    assert why_not_indexed(app) == ""
    return app


def answering(text: str) -> Callable[[], Any]:
    async def handler() -> str:
        return text

    return handler


def status(client: TestClient, path: str, method: str = "GET") -> int:
    return client.request(method, path, follow_redirects=False).status_code


def test_a_parameter_before_a_text_wins_where_it_is_declared_first() -> None:
    app = FastAPI()
    router = APIRouter(prefix="/orgs/{org}")
    router.get("/{anything}")(answering("parameter"))
    router.get("/me")(answering("text"))
    app.include_router(router)
    app.get("/orgs/acme/me")(answering("never"))
    app.get("/orgs/acme/me/more")(answering("deeper"))
    client = TestClient(indexed(app))
    assert client.get("/orgs/acme/me").json() == "parameter"
    assert client.get("/orgs/acme/me/more").json() == "deeper"
    assert status(client, "/orgs/acme/me/") == 307
    assert status(client, "/orgs/acme/me", "DELETE") == 405


def test_a_path_that_ends_in_a_newline_finds_what_it_finds_in_stock_fastapi() -> None:
    """The expression of a route lets one pass, at the end."""
    for prepare in (indexed, lambda app: app):
        app = FastAPI()
        app.get("/a")(answering("a"))
        app.post("/{anything}")(answering("anything"))
        client = TestClient(prepare(app))
        assert client.get("/a%0A").json() == "a"
        assert client.post("/a%0A").json() == "anything"
        assert status(client, "/a%0A/") == 307
        assert status(client, "/a%0Ab") == 405


def test_a_root_path_that_ends_with_a_slash_takes_part_in_redirections() -> None:
    for prepare in (indexed, lambda app: app):
        app = FastAPI()
        app.get("/x")(answering("x"))
        client = TestClient(prepare(app), root_path="/x/")
        assert status(client, "/x///") == 307


def test_a_route_of_its_own_way_is_asked_at_every_path() -> None:
    class AnyCase(Route):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            return super().matches({**scope, "path": scope["path"].lower()})

    async def handler(request: Request) -> PlainTextResponse:
        return PlainTextResponse("any case")

    app = FastAPI()
    app.router.routes.append(AnyCase("/deep/down", handler))
    app.get("/DEEP/down")(answering("later"))
    client = TestClient(indexed(app))
    assert client.get("/DEEP/down").text == client.get("/deep/DOWN").text == "any case"


def test_a_router_of_its_own_way_is_asked_at_every_path() -> None:
    class Beta(APIRouter):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            shown = dict(scope["headers"]).get(b"x-beta")
            return super().matches(scope) if shown else (Match.NONE, {})

    app, beta, outer = FastAPI(), Beta(), APIRouter(prefix="/api")
    beta.get("/feature")(answering("beta"))
    outer.include_router(beta)
    outer.get("/feature")(answering("stable"))
    app.include_router(outer)
    client = TestClient(indexed(app))
    assert client.get("/api/feature").json() == "stable"
    assert client.get("/api/feature", headers={"x-beta": "1"}).json() == "beta"


async def user() -> str:
    return "nobody"


def test_urls_overrides_and_the_router_of_the_scope_are_those_of_the_application() -> None:
    app, router = FastAPI(), APIRouter(prefix="/v1")

    @router.get("/things/{thing}", name="thing")
    async def read(request: Request, thing: int, who: Annotated[str, Depends(user)]) -> list[Any]:
        is_root = request.scope["router"] is app.router
        return [who, str(request.url_for("thing", thing=thing)), is_root]

    app.include_router(router)
    client = TestClient(indexed(app))
    assert client.get("/v1/things/7").json() == ["nobody", "http://testserver/v1/things/7", True]
    app.dependency_overrides[user] = answering("somebody")
    assert client.get("/v1/things/7").json()[0] == "somebody"
    assert app.url_path_for("thing", thing=3) == "/v1/things/3"
    assert "/v1/things/{thing}" in app.openapi()["paths"]


def test_the_lifespans_of_included_routers_run() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        seen.append("up")
        yield {"name": "router"}
        seen.append("down")

    router = APIRouter(lifespan=lifespan)

    @router.get("/")
    async def name(request: Request) -> str:
        return str(request.state.name)

    app = FastAPI()
    app.include_router(router, prefix="/r")
    with TestClient(indexed(app)) as client:
        assert client.get("/r/").json() == "router"
    assert seen == ["up", "down"]


def test_what_the_router_answers_otherwise_is_read_when_it_is_needed() -> None:
    async def teapot(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("teapot", status_code=418)(scope, receive, send)

    app = FastAPI()
    app.get("/a")(answering("a"))
    client = TestClient(indexed(app))
    assert (status(client, "/nothing"), status(client, "/a/")) == (404, 307)
    app.router.default = teapot
    app.router.redirect_slashes = False
    assert (status(client, "/nothing"), status(client, "/a/")) == (418, 418)


def test_a_route_that_is_added_to_the_application_later_counts_at_once() -> None:
    app = FastAPI()
    app.get("/{name}")(answering("parameter"))
    client = TestClient(indexed(app))
    assert client.post("/late").status_code == 405
    app.post("/late")(answering("late"))
    assert client.post("/late").json() == "late"
    app.router.routes = [route for route in app.router.routes if route.path != "/late"]  # type: ignore[attr-defined]
    assert client.post("/late").status_code == 405


def test_a_route_that_is_added_to_an_included_router_later_counts_where_nothing_else_does(
    tmp_path: Path,
) -> None:
    app, outer, inner = FastAPI(), APIRouter(prefix="/outer"), APIRouter()
    (tmp_path / "index.html").write_text("page")
    app.frontend("/", directory=tmp_path, fallback="index.html")
    inner.get("/early")(answering("early"))
    outer.include_router(inner)
    app.include_router(outer)
    client = TestClient(indexed(app))
    browser = {"accept": "text/html"}
    assert client.get("/outer/late", headers=browser).text == "page"

    inner.get("/late")(answering("late"))
    inner.post("/early")(answering("late too"))
    assert client.post("/outer/early").status_code == 405  # it has an answer already
    assert client.get("/outer/late", headers=browser).json() == "late"
    assert client.post("/outer/early").json() == "late too"


def test_a_route_that_takes_the_place_of_another_counts_where_nothing_else_does() -> None:
    app = FastAPI()
    app.get("/old")(answering("old"))
    client = TestClient(indexed(app))
    assert client.get("/old").json() == "old"
    other = FastAPI()
    other.get("/new")(answering("new"))
    app.router.routes[-1] = other.router.routes[-1]
    assert client.get("/new").json() == "new"
    assert client.get("/old").status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_frontends_are_served_where_stock_fastapi_serves_them(tmp_path: Path, method: str) -> None:
    (tmp_path / "index.html").write_text("page")

    def made() -> FastAPI:
        app, ui, api = FastAPI(), APIRouter(prefix="/ui"), APIRouter(prefix="/v")
        ui.frontend("/", directory=tmp_path, fallback="index.html")
        ui.get("/api/x")(answering("x"))
        api.get("/{a}/b")(answering("b"))
        app.include_router(ui)
        app.include_router(api)
        app.frontend("/site", directory=tmp_path)
        return app

    stock, ours = TestClient(made()), TestClient(indexed(made()))
    for path in ("/ui/", "/ui", "/ui/api/x", "/ui/deep/page", "/site/", "/site", "/v/1/b", "/v/1"):
        for headers in ({}, {"accept": "text/html"}):
            one, other = (
                client.request(method, path, headers=headers, follow_redirects=False)
                for client in (stock, ours)
            )
            assert (one.status_code, one.text) == (other.status_code, other.text), path


def test_what_takes_the_place_of_a_routes_application_later_is_called() -> None:
    """As those do it that put a layer around one route."""
    app, router = FastAPI(), APIRouter()
    app.get("/near")(answering("near"))
    router.get("/far")(answering("far"))
    app.include_router(router)
    client = TestClient(indexed(app))
    assert [client.get(path).json() for path in ("/near", "/far")] == ["near", "far"]
    near = next(route for route in app.routes if getattr(route, "path", "") == "/near")
    assert isinstance(near, APIRoute)
    near.app = PlainTextResponse("instead")
    assert client.get("/near").text == "instead"


def test_a_router_that_handles_in_its_own_way_does() -> None:
    class Counting(APIRouter):
        handled = 0

        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            self.handled += 1
            await super().handle(scope, receive, send)

    app, counting = FastAPI(), Counting()
    counting.get("/counted")(answering("counted"))
    app.include_router(counting)
    assert TestClient(indexed(app)).get("/counted").json() == "counted"
    assert counting.handled == 1


def test_an_included_route_is_compared_once_for_a_request() -> None:
    compared = list[str]()

    class Noting(APIRoute):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            compared.append(scope["path"])
            return super().matches(scope)

    app, outer, inner = FastAPI(), APIRouter(), APIRouter(route_class=Noting)

    @inner.get("/orders/{number}")
    async def read(number: int) -> int:
        return number

    outer.include_router(inner, prefix="/shop")
    app.include_router(outer, prefix="/api")
    client = TestClient(indexed(app))
    for number in (7, 8):
        assert client.get(f"/api/shop/orders/{number}").json() == number
    assert compared == ["/api/shop/orders/7", "/api/shop/orders/8"]
