"""Routers are mounted once, under the prefixes of their apps, and no route hides another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import Match
from starlette.types import Scope

from fastforge.components import Component
from fastforge.exceptions import ComponentError, ErrorGroup, Location
from fastforge.web.routing import duplicates, included_routers, mount_routers
from tests.folder import ProjectFolder, isolated


def declared(router: APIRouter, *, app: str = "orders") -> Component[APIRouter]:
    place = Location("shop/orders/routes.py", 3)
    return Component(kind="routers", name=f"{app}.router", value=router, app=app, location=place)


def paths(app: FastAPI) -> list[str | None]:
    shown = (context.path for context in iter_route_contexts(app.routes))
    return [path for path in shown if path not in ("/openapi.json", "/docs", "/redoc")
            and not str(path).startswith("/docs/")]  # fmt: skip


def router_of(*routes: str, prefix: str = "", method: str = "GET") -> APIRouter:
    router = APIRouter(prefix=prefix)
    for path in routes:

        def handler() -> None: ...

        router.add_api_route(path, handler, methods=[method])
    return router


def test_routers_stand_under_the_prefix_of_their_app_in_the_order_of_installation() -> None:
    app = FastAPI()
    first, second = router_of("/list", prefix="/orders"), router_of("/list")
    mount_routers(
        app, [declared(first, app="orders"), declared(second, app="blog")], {"orders": "/api"}
    )
    assert paths(app) == ["/api/orders/list", "/list"]


def test_a_router_that_another_includes_is_mounted_and_started_once() -> None:
    started: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        started.append("inner")
        yield

    innermost, outer = APIRouter(lifespan=lifespan), APIRouter(prefix="/outer")
    middle = router_of("/one")
    middle.include_router(innermost)
    outer.include_router(middle, prefix="/middle")
    app = FastAPI()
    mount_routers(app, [declared(innermost), declared(middle), declared(outer)], {})
    assert paths(app) == ["/outer/middle/one"]
    with TestClient(app):
        assert started == ["inner"]


def test_a_router_is_mounted_once_also_where_an_undeclared_one_includes_it() -> None:
    innermost = router_of("/one")
    between, outer = APIRouter(prefix="/between"), APIRouter(prefix="/outer")
    between.include_router(innermost)
    outer.include_router(between)
    app = FastAPI()
    mount_routers(app, [declared(innermost), declared(outer)], {})
    assert paths(app) == ["/outer/between/one"]


def test_a_router_that_the_application_includes_is_not_mounted_again() -> None:
    router = router_of("/one")
    app = FastAPI()
    app.include_router(router, prefix="/legacy")
    mount_routers(app, [declared(router)], {})
    assert paths(app) == ["/legacy/one"]
    assert included_routers(app.router) == {id(router)}


@pytest.mark.parametrize(
    ("one", "two"),
    [("/{a}", "/{b}"), ("/{a}/x", "/{a:str}/x"), ("/{n:int}", "/{m:int}"), ("/same", "/same")],
)
def test_two_routes_with_the_same_method_and_path_are_refused(one: str, two: str) -> None:
    with pytest.raises(ComponentError, match=r"GET /.* is declared twice: by .* and by ") as caught:
        mount_routers(FastAPI(), [declared(router_of(one)), declared(router_of(two))], {})
    line = str(caught.value)
    assert caught.value.code == "web.E001"
    assert line.count("router_of.<locals>.handler (") == 2
    assert line.count("test_routing.py:") == 3
    assert "\n" not in line


@pytest.mark.parametrize(
    ("one", "two", "method"),
    [("/{a}", "/{b:int}", "GET"), ("/a", "/a/", "GET"), ("/a", "/a", "POST")],
)
def test_routes_that_do_not_hide_each_other_are_accepted(one: str, two: str, method: str) -> None:
    app = FastAPI()
    mount_routers(app, [declared(router_of(one)), declared(router_of(two, method=method))], {})
    assert paths(app) == [one, two]


def test_sockets_with_the_same_path_are_refused_and_beside_a_route_they_are_not() -> None:
    async def socket(websocket: object) -> None: ...

    def router() -> APIRouter:
        made = APIRouter()
        made.add_websocket_route("/events", socket)
        return made

    mount_routers(FastAPI(), [declared(router()), declared(router_of("/events"))], {})
    with pytest.raises(ComponentError, match="WEBSOCKET /events is declared twice"):
        mount_routers(FastAPI(), [declared(router()), declared(router())], {})


def test_all_clashes_are_told_at_once() -> None:
    routers = [declared(router_of("/a", "/b")), declared(router_of("/a", "/b"))]
    with pytest.raises(ErrorGroup) as caught:
        mount_routers(FastAPI(), routers, {})
    assert [error.code for error in caught.value.errors] == ["web.E001", "web.E001"]


def test_routes_that_decide_in_their_own_way_may_share_a_path() -> None:
    class ByVersion(APIRoute):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            return super().matches(scope) if scope["headers"] else (Match.NONE, {})

    def router() -> APIRouter:
        made = APIRouter(route_class=ByVersion)
        made.get("/a")(lambda: None)
        return made

    app = FastAPI()
    mount_routers(app, [declared(router()), declared(router())], {})
    assert paths(app) == ["/a", "/a"]


def test_the_duplicates_of_an_application_name_both_once() -> None:
    app = FastAPI()
    app.include_router(router_of("/a", "/b", "/a"))
    (error,) = duplicates(app)
    assert error.message.startswith("GET /a is declared twice: by ")


def test_two_routes_of_an_existing_application_are_its_own_business() -> None:
    app = FastAPI()
    app.include_router(router_of("/a", "/a"))
    mount_routers(app, [declared(router_of("/b"))], {})
    assert paths(app) == ["/a", "/a", "/b"]


def test_a_path_that_nothing_fits_is_one_line() -> None:
    with pytest.raises(ComponentError, match="the path 'orders' does not begin with /: nothing"):
        mount_routers(FastAPI(), [declared(router_of("orders"))], {})


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("/{shop}", "Duplicated param name shop at path /{shop}/{shop}; change the path, or the"),
        ("/{key:number}", "Unknown path convertor 'number'; change the path"),
    ],
)
def test_a_path_that_cannot_be_read_is_one_line(prefix: str, text: str) -> None:
    with pytest.raises(ComponentError) as caught:
        mount_routers(FastAPI(), [declared(router_of("/{shop}"))], {"orders": prefix})
    assert caught.value.code == "web.E002"
    assert text in str(caught.value)


def test_a_route_without_prefix_and_path_is_one_line() -> None:
    with pytest.raises(ComponentError, match="cannot be mounted") as caught:
        mount_routers(FastAPI(), [declared(router_of(""))], {})
    assert caught.value.code == "web.E002"
    assert str(caught.value).startswith("[web.E002] shop/orders/routes.py:3: ")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def test_routers_of_a_package_of_modules_are_all_found(shop: ProjectFolder) -> None:
    from fastforge.web.kinds import ROUTERS

    text = "from fastapi import APIRouter\nrouter = APIRouter()\n"
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
            "shop/orders/routes/__init__.py": "from .public import router\n",
            "shop/orders/routes/public.py": text,
            "shop/orders/routes/staff.py": text,
        }
    )
    names = [found.name for found in shop.load().registry.components(ROUTERS)]
    assert names == ["orders.public.router", "orders.staff.router"]
