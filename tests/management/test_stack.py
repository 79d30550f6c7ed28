"""`inspect middleware` prints what a request passes, in order, and who brings each layer."""

from __future__ import annotations

import json

import pytest

from tests.folder import ProjectFolder

from .conftest import Shell

LAYERS = """
    class Plain:
        def __init__(self, app, token="", key=""):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app(scope, receive, send)

    class Hiding(Plain):
        def __init__(self, app):
            self.inner = app

    def made(app, level=1):
        async def layer(scope, receive, send):
            await app(scope, receive, send)
        return layer
    """

SETTINGS = """
    from fastforge.conf import App, env
    from fastforge.web import Middleware, Slot
    from shop.layers import Plain

    _KEY = env.secret("KEY")
    INSTALLED_APPS = ["shop.first", "shop.second"]
    MIDDLEWARE = [
        "shop.layers.made",
        Middleware(Plain, key=f"id:{_KEY}", token="abc"),
        Middleware(Plain, slot=Slot.ROUTER),
    ]
    """

APP = """
    from fastforge.web import Middleware, Slot
    from shop.layers import Plain, made

    ROUTER = Middleware(made, slot=Slot.ROUTER, level=2)
    LAYER = Middleware("shop.layers.Plain")
    """

EXISTING = """
    from fastapi import FastAPI
    from fastforge.asgi import get_asgi_application
    from shop.layers import Plain, made

    app = FastAPI()
    app.add_middleware(Plain, "abc", key="theirs")

    @app.middleware("http")
    async def measure(request, call_next):
        return await call_next(request)

    app = get_asgi_application(app=app)
    app.add_middleware(made)
    """


@pytest.fixture
def order(shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    monkeypatch.setenv("KEY", "correct horse")
    shop.write(
        {
            "shop/layers.py": LAYERS,
            "shop/settings.py": SETTINGS,
            "shop/first/middleware.py": APP,
            "shop/second/middleware.py": APP,
        }
    )
    return shop


def rows(manage: Shell) -> list[tuple[str, str, str]]:
    """Return the last part of the name, who brings it and where, from `inspect middleware`."""
    result = manage("inspect", "middleware", "--json")
    assert (result.code, result.err) == (0, "")
    shown = json.loads(result.out)
    assert {row["kind"] for row in shown} == {"middleware"}
    return [(row["name"].rpartition(".")[2], row["app"], row["where"]) for row in shown]


def ours(manage: Shell) -> list[tuple[str, str, str]]:
    """Leave out what stands in every application."""
    return [row for row in rows(manage) if row[1] not in ("fastforge", "fastapi", "starlette")]


def test_the_layers_of_a_project_come_in_the_order_in_which_a_request_passes_them(
    order: ProjectFolder, manage: Shell
) -> None:
    assert ours(manage) == [
        ("made", "settings", "shop/settings.py:8"),
        ("Plain", "settings", "shop/settings.py:9"),
        ("Plain[2]", "first", "shop/first/middleware.py:5"),
        ("Plain[3]", "second", "shop/second/middleware.py:5"),
        ("Plain[4]", "settings", "shop/settings.py:10"),
        ("made[2]", "first", "shop/first/middleware.py:4"),
        ("made[3]", "second", "shop/second/middleware.py:4"),
    ]


def test_the_edge_is_the_first_and_the_router_the_last(order: ProjectFolder, manage: Shell) -> None:
    names = [name for name, *_ in rows(manage)]
    assert names[0] == "Edge"
    assert names[-1] == "APIRouter"
    between = ["ServerErrorMiddleware", "made", "ExceptionMiddleware", "Plain[4]", "APIRouter"]
    assert [name for name in names if name in between] == between
    library = {name: app for name, app, _ in rows(manage)}
    assert (library["Edge"], library["APIRouter"]) == ("fastforge", "fastapi")
    assert library["ServerErrorMiddleware"] == "starlette"


def test_an_existing_application_keeps_its_layers_inside_and_gets_later_ones_outside(
    order: ProjectFolder, manage: Shell
) -> None:
    order.write({"shop/asgi.py": EXISTING})
    assert [(name, app) for name, app, _ in ours(manage)] == [
        ("made", "application"),
        ("made[2]", "settings"),
        ("Plain", "settings"),
        ("Plain[2]", "first"),
        ("Plain[3]", "second"),
        ("BaseHTTPMiddleware", "application"),
        ("Plain[4]", "application"),
        ("Plain[5]", "settings"),
        ("made[3]", "first"),
        ("made[4]", "second"),
    ]
    places = {name: where for name, app, where in ours(manage) if app == "application"}
    assert places["BaseHTTPMiddleware"] == "shop/asgi.py:8"
    assert places["Plain[4]"] == "shop/layers.py:1"


def test_the_layer_of_a_setting_has_its_line_and_is_not_taken_for_one_of_the_same_class(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write(
        {
            "shop/settings.py": """
                from fastforge.web import Cors, Middleware
                from starlette.middleware.cors import CORSMiddleware

                MIDDLEWARE = [Middleware(CORSMiddleware, allow_origins=["https://b.example"])]
                CORS = Cors(allow_origins=["https://a.example"], allow_credentials=True)
                """
        }
    )
    shown = rows(manage)
    assert shown[1] == ("CORSMiddleware", "settings", "shop/settings.py:5")
    assert ("CORSMiddleware[2]", "settings", "shop/settings.py:4") in shown
    assert [app for name, app, _ in shown if name in ("BodyLimit", "RouteIndex")] == [
        "fastforge",
        "fastforge",
    ]
    options = json.loads(manage("inspect", "middleware", "CORSMiddleware", "--json").out)
    assert options["fields"]["options"]["allow_origins"] == ["https://a.example"]
    assert options["fields"]["options"]["allow_credentials"] is True


def test_an_application_of_its_own_is_shown_as_it_is(shop: ProjectFolder, manage: Shell) -> None:
    shop.write(
        {
            "shop/asgi.py": """
                from fastapi import FastAPI

                app = FastAPI()
                """
        }
    )
    shown = rows(manage)
    assert shown[0][0] == "ServerErrorMiddleware"
    assert {app for _, app, _ in shown} == {"starlette", "fastapi"}


def test_what_cannot_be_followed_says_so_and_what_it_hides_is_still_named(
    order: ProjectFolder, manage: Shell
) -> None:
    order.write({"shop/settings.py": 'MIDDLEWARE = ["shop.layers.Hiding", "shop.layers.Plain"]\n'})
    names = [name for name, *_ in rows(manage)]
    hiding = names.index("Hiding")
    assert names[hiding + 1 :] == [
        "(what this one encloses: it has no attribute app)",
        "Plain",
        *names[names.index("Plain") + 1 :],
    ]
    assert names[-1] == "APIRouter"


def test_one_layer_is_shown_with_its_options_and_without_secrets(
    order: ProjectFolder, manage: Shell
) -> None:
    shown = json.loads(manage("inspect", "middleware", "Plain", "--json").out)
    assert shown["fields"]["options"] == {"key": "id:***", "token": "***"}
    text = manage("inspect", "middleware", "shop.layers.made[3]").out
    assert ["slot", "router"] in [line.split() for line in text.splitlines()]
    assert ["options.level", "2"] in [line.split() for line in text.splitlines()]
    order.write({"shop/asgi.py": EXISTING})
    shown = json.loads(manage("inspect", "middleware", "shop.layers.Plain[4]", "--json").out)
    assert shown["fields"]["options"] == {"key": "theirs", "token": "***"}


def test_the_whole_list_has_the_same_lines(order: ProjectFolder, manage: Shell) -> None:
    everything = json.loads(manage("inspect", "--json").out)
    kind = [row for row in everything if row["kind"] == "middleware"]
    assert kind == json.loads(manage("inspect", "middleware", "--json").out)


def test_an_application_whose_layers_cannot_be_made_is_one_line(
    order: ProjectFolder, manage: Shell
) -> None:
    order.write({"shop/asgi.py": EXISTING.replace("(made)", "(made, nonsense=1)")})
    result = manage("inspect", "middleware")
    assert result.code == 2
    assert result.err.startswith("error: [web.E008] a middleware of the application cannot be made")
    assert result.err.count("\n") == 1
