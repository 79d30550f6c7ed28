"""A project's application finds its routes through the index, below everything around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from fastforge.web.index import why_not_indexed
from fastforge.web.index.table import RouteIndex
from tests.folder import ProjectFolder, isolated

ROUTES = """
    from fastapi import APIRouter, WebSocket

    router = APIRouter(prefix="/{app}")

    @router.api_route("/things/{{number}}", methods=["GET", "PUT"])
    async def thing(number: int, org: str = "") -> dict[str, object]:
        return {{"app": "{app}", "number": number, "org": org}}

    @router.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("{app}")
        await websocket.close()
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        for app in ("orders", "depot"):
            folder.write({f"shop/{app}/routes.py": ROUTES.format(app=app)})
        folder.write(
            {
                "shop/settings.py": """
                    from fastforge.conf import App

                    INSTALLED_APPS = [
                        "fastforge.contrib.db",
                        App("shop.orders", prefix="/api/v1"),
                        App("shop.depot", prefix="/orgs/{org}"),
                    ]
                    DATABASES = {"default": {"url": "sqlite+aiosqlite:///db.sqlite3"}}
                    """
            }
        )
        yield folder


def innermost(app: FastAPI) -> Any:
    """Return what stands inside the layers of the router."""
    layer: Any = app.router.middleware_stack
    while not isinstance(layer, RouteIndex) and hasattr(layer, "app"):
        layer = layer.app
    return layer


@pytest.mark.parametrize("existing", [None, FastAPI(max_body_size=1000)])
def test_routes_below_a_shared_prefix_and_below_a_parameter_are_found(
    shop: ProjectFolder, existing: FastAPI | None
) -> None:
    if existing is not None:
        old = APIRouter(prefix="/api/v1/orders/things")
        old.get("/old")(lambda: "old")
        existing.include_router(old)
    app = get_asgi_application(shop.load(), app=existing)
    assert why_not_indexed(app) == ""
    assert isinstance(innermost(app), RouteIndex)
    with TestClient(app) as client:
        orders, depot = "/api/v1/orders/things/7", "/orgs/acme/depot/things/8"
        assert client.get(orders).json() == {"app": "orders", "number": 7, "org": ""}
        assert client.get(depot).json() == {"app": "depot", "number": 8, "org": "acme"}
        refused = client.delete(depot)
        assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (
            405,
            {"GET", "PUT"},
        )
        assert client.get("/api/v1/depot/things/8").status_code == 404
        with client.websocket_connect("/orgs/acme/depot/socket") as socket:
            assert socket.receive_text() == "depot"
        if existing is not None:
            assert client.get("/api/v1/orders/things/old").json() == "old"


def test_the_ids_of_operations_are_one_for_each_method(shop: ProjectFolder) -> None:
    paths = get_asgi_application(shop.load()).openapi()["paths"]
    operations = paths["/orgs/{org}/depot/things/{number}"]
    assert {method: each["operationId"] for method, each in operations.items()} == {
        "get": "thing_orgs__org__depot_things__number__get",
        "put": "thing_orgs__org__depot_things__number__put",
    }
