"""Middleware is a value; where it comes from decides where it stands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware.gzip import GZipMiddleware

from fastforge.asgi import get_asgi_application
from fastforge.exceptions import ComponentError, ForgeError
from fastforge.web import Middleware, Slot
from tests.folder import ProjectFolder, isolated

LAYERS = """
    class Layer:
        def __init__(self, app, name="plain"):
            self.app, self.name = app, name

        async def __call__(self, scope, receive, send):
            if scope["type"] == "http":
                scope.setdefault("passed", []).append(self.name)
            await self.app(scope, receive, send)
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/layers.py": LAYERS, "shop/settings.py": ""})
        yield folder


def passed(app: FastAPI) -> Any:
    """Return the names of the layers that a request passes, the outermost first."""
    from starlette.requests import Request

    async def tell(request: Request) -> Any:
        return request.scope["passed"]

    tell.__annotations__["request"] = Request
    app.add_api_route("/passed", tell)
    with TestClient(app) as client:
        return client.get("/passed").json()


def test_layers_of_the_settings_stand_outside_those_of_the_apps(shop: ProjectFolder) -> None:
    app_file = """
        from fastforge.web import Middleware, Slot
        from shop.layers import Layer

        router_layer = Middleware(Layer, slot=Slot.ROUTER, name="{0} router")
        app_layer = Middleware(Layer, name="{0}")
        """
    shop.write(
        {
            "shop/settings.py": """
                from fastforge.web import Middleware

                INSTALLED_APPS = ["shop.first", "shop.second"]
                MIDDLEWARE = ["shop.layers.Layer", Middleware("shop.layers:Layer", name="set")]
                """,
            "shop/first/middleware.py": app_file.replace("{0}", "first"),
            "shop/second/middleware.py": app_file.replace("{0}", "second"),
        }
    )
    app = get_asgi_application(shop.load())
    assert passed(app) == ["plain", "set", "first", "second", "first router", "second router"]


def test_ours_stand_outside_those_of_an_existing_application(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": 'MIDDLEWARE = ["shop.layers.Layer"]'})
    project = shop.load()
    app = FastAPI()
    app.add_middleware(Middleware("shop.layers.Layer").load(), name="theirs")
    assert passed(get_asgi_application(project, app=app)) == ["plain", "theirs"]


@pytest.mark.parametrize(
    ("entry", "code", "text"),
    [
        ("'shop.layers.Lair'", "web.E004", "'shop.layers.Lair' cannot be imported"),
        ("'shop.nowhere.Layer'", "web.E004", "No module named 'shop.nowhere'"),
        ("'gzip'", "web.E004", "'gzip' cannot be imported"),
        ("'shop.layers.__name__'", "web.E005", "is no class: str"),
        ("42", "web.E003", "42 is no middleware"),
    ],
)
def test_a_wrong_entry_of_the_settings_is_one_line_with_its_place(
    shop: ProjectFolder, entry: str, code: str, text: str
) -> None:
    shop.write({"shop/settings.py": f"MIDDLEWARE = [{entry}]"})
    project = shop.load()
    with pytest.raises(ComponentError) as caught:
        get_asgi_application(project)
    assert caught.value.code == code
    assert text in str(caught.value)
    assert "settings.py:1: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_path_in_an_app_is_found_when_the_project_is_loaded(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.first"]',
            "shop/first/middleware.py": """
                from fastforge.web import Middleware

                layer = Middleware("shop.layers.Lair")
                """,
        }
    )
    with pytest.raises(ForgeError, match=r"middleware\.py:3: the middleware 'shop.layers.Lair'"):
        shop.load()


def test_equal_descriptions_are_equal_and_frozen() -> None:
    one = Middleware(GZipMiddleware, minimum_size=500)
    assert one == Middleware(GZipMiddleware, minimum_size=500)
    assert hash(one) == hash(Middleware(GZipMiddleware, minimum_size=500))
    assert one != Middleware(GZipMiddleware, minimum_size=501)
    assert one != Middleware(GZipMiddleware, slot=Slot.ROUTER, minimum_size=500)
    assert repr(one) == "Middleware(GZipMiddleware, minimum_size=500)"
    with pytest.raises(AttributeError, match="frozen"):
        one.cls = str  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del one.options


def test_a_settings_module_that_names_middleware_loads_nothing_heavy() -> None:
    program = "import sys; from fastforge.web import Middleware; print(*sys.modules)"
    argv = [sys.executable, "-c", program]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert not {"fastapi", "starlette", "sqlalchemy"} & set(loaded)
