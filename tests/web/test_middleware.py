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
from fastforge.checks import run_checks
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

    class Raising(Layer):
        def __init__(self, app, level=3):
            raise ValueError("the level has to be 1 or 2")

    class Bare:
        pass

    class Silent:
        def __init__(self, app):
            pass

    def forgets(app):
        Layer(app)

    def made(app, /, *, name="made", **others):
        return Layer(app, name)

    async def awaited(request, call_next): ...

    class Session(Layer):
        def __init__(self, app, secret_key, max_age=60):
            super().__init__(app, "session")
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


def test_layers_that_are_added_later_stand_outside_ours(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": 'MIDDLEWARE = ["shop.layers.Layer"]'})
    app = get_asgi_application(shop.load())
    app.add_middleware(Middleware("shop.layers.made").load(), name="later")
    assert passed(app) == ["later", "plain"]


def test_classes_and_functions_of_others_are_layers_like_ours(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/settings.py": """
                from fastforge.web import Middleware, Slot
                from starlette.middleware.gzip import GZipMiddleware

                MIDDLEWARE = [
                    Middleware(GZipMiddleware, minimum_size=1),
                    Middleware("shop.layers.Session", secret_key="key"),
                    Middleware("shop.layers.made", slot=Slot.ROUTER, name="inner", level=2),
                    "shop.layers.made",
                ]
                """
        }
    )
    app = get_asgi_application(shop.load())
    assert passed(app) == ["session", "made", "inner"]
    with TestClient(app) as client:
        answer = client.get("/passed", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


SEEING = """
    from fastforge.web import Middleware, Slot

    seen = []

    class Seeing:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            async def noting(message):
                seen.append(message.get("status"))
                await send(message)

            try:
                await self.app(scope, receive, noting)
            except Exception as error:
                seen.append(type(error).__name__)
                raise

    SEEING = Middleware(Seeing, slot=Slot.ROUTER)
    """


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/known/1", [200, None]), ("/known/x", [409, None]), ("/unknown", ["HTTPException"])],
)
def test_a_layer_around_the_router_sees_the_answers_that_handlers_for_exceptions_make(
    shop: ProjectFolder, path: str, seen: list[object]
) -> None:
    """All but those of the router itself, which knows no route: they pass it as an exception."""
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.first"]',
            "shop/first/middleware.py": SEEING,
            "shop/first/routes.py": """
                from fastapi import APIRouter, HTTPException

                router = APIRouter()

                @router.get("/known/{name}")
                async def known(name: str) -> str:
                    if name == "x":
                        raise HTTPException(409)
                    return name
                """,
        }
    )
    with TestClient(get_asgi_application(shop.load())) as client:
        noted = sys.modules["shop.first.middleware"].seen
        noted.clear()  # of the lifespan
        client.get(path)
        assert noted == seen


@pytest.mark.parametrize(
    ("entry", "code", "text"),
    [
        ("'shop.layers.Lair'", "web.E004", "no attribute 'Lair'; did you mean 'Layer'?"),
        ("'shop.layer.Layer'", "web.E004", "'shop.layer'; did you mean 'shop.layers'?"),
        ("'shop.nowhere.Layer'", "web.E004", "No module named 'shop.nowhere'"),
        (
            "'gzip'",
            "web.E004",
            "'gzip' cannot be imported: it has no module; write the dotted path",
        ),
        ("'shop.layers.__name__'", "web.E005", "is no class but a str"),
        ("'shop.layers.awaited'", "web.E005", "is an async function, which makes no layer"),
        (
            "Middleware(_Layer(None))",
            "web.E005",
            "Layer is a layer already; name its class: Middleware(Layer, **options)",
        ),
        ("'shop.layers.Silent'", "web.E005", "is a class whose objects cannot be called; give it"),
        ("42", "web.E003", "42 is no middleware"),
        ("GZipMiddleware", "web.E003", "GZipMiddleware'> is no middleware; write its dotted path"),
        ("{'secret_key': 's3cr3t'}", "web.E003", "a dict is no middleware"),
        (
            "starlette.middleware.Middleware(GZipMiddleware, minimum_size=500)",
            "web.E003",
            "the Middleware of starlette.middleware is no middleware; write its dotted path, or"
            " Middleware(cls, **options) of fastforge.web",
        ),
        (
            "Middleware(GZipMiddleware, minimum=500)",
            "web.E007",
            "GZipMiddleware cannot be made: it has no option 'minimum';"
            " did you mean 'minimum_size'?",
        ),
        (
            "'shop.layers.Session'",
            "web.E007",
            "'shop.layers.Session' cannot be made: it needs secret_key;"
            " write Middleware(cls, secret_key=...)",
        ),
        ("Middleware('shop.layers.Session', key='s3cr3t')", "web.E007", "no option 'key'; its"),
        ("'shop.layers.Bare'", "web.E007", "it has to take the inner application"),
        (
            "Middleware('shop.layers.Layer', app=1)",
            "web.E007",
            "it has no option 'app'; its options: name",
        ),
    ],
)
def test_a_wrong_entry_of_the_settings_is_one_line_with_its_place(
    shop: ProjectFolder, entry: str, code: str, text: str
) -> None:
    shop.write(
        {
            "shop/settings.py": f"""
                import starlette.middleware
                from fastforge.web import Middleware
                from starlette.middleware.gzip import GZipMiddleware
                from shop.layers import Layer as _Layer
                MIDDLEWARE = [
                    "shop.layers.Layer",
                    {entry},
                ]
                """
        }
    )
    project = shop.load()
    with pytest.raises(ComponentError) as caught:
        get_asgi_application(project)
    assert caught.value.code == code
    assert text in str(caught.value)
    assert "settings.py:7: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    (message,) = run_checks(project)
    assert (message.id, message.where) == ("core.E003", caught.value.where)
    assert message.text == f"[{code}] {caught.value.message}"


def test_a_module_of_a_layer_that_fails_is_told_with_its_own_line(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/broken.py": "LIMIT = int('many')\n",
            "shop/settings.py": "MIDDLEWARE = ['shop.broken.Layer']",
        }
    )
    with pytest.raises(ComponentError, match=r"broken\.py:1: .*ValueError.*; mend that line"):
        get_asgi_application(shop.load())


def test_a_slot_may_be_written_as_text_and_has_to_exist() -> None:
    assert Middleware(GZipMiddleware, slot="router").slot is Slot.ROUTER  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'routr' is not a valid Slot"):
        Middleware(GZipMiddleware, slot="routr")  # type: ignore[arg-type]


def test_a_function_that_makes_no_layer_is_told_when_the_application_is_built(
    shop: ProjectFolder,
) -> None:
    shop.write({"shop/settings.py": "MIDDLEWARE = ['shop.layers.forgets']"})
    text = r"settings\.py:1: the middleware 'shop\.layers\.forgets' makes no layer but None; return"
    client = TestClient(get_asgi_application(shop.load()))
    with pytest.raises(ComponentError, match=text):
        client.get("/")


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ('"shop.layers.Lair"', "the middleware 'shop.layers.Lair' cannot be imported"),
        ('"shop.layers.Layer", nme="x"', "it has no option 'nme'; did you mean 'name'?"),
    ],
)
def test_a_mistake_in_an_app_is_found_when_the_project_is_loaded(
    shop: ProjectFolder, layer: str, text: str
) -> None:
    shop.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.first"]',
            "shop/first/middleware.py": f"""
                from fastforge.web import Middleware

                layer = Middleware({layer})
                """,
        }
    )
    with pytest.raises(ForgeError) as caught:
        shop.load()
    assert "middleware.py:3: " in str(caught.value)
    assert text in str(caught.value)


def test_an_entry_of_a_list_that_is_added_to_has_its_own_line(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/settings.py": """
                MIDDLEWARE = [
                    "shop.layers.Layer",
                ]
                MIDDLEWARE += [

                    "shop.layers.Lair",
                ]
                """
        }
    )
    with pytest.raises(ComponentError, match=r"settings\.py:6: the middleware 'shop.layers.Lair'"):
        get_asgi_application(shop.load())


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
