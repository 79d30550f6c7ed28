"""A BaseHTTPMiddleware is told wherever it comes from, and no plain layer is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import ProjectFolder, isolated

LAYERS = """
    from functools import partial

    from starlette.middleware.base import BaseHTTPMiddleware

    class Slow(BaseHTTPMiddleware):
        pass

    class Plain:
        def __init__(self, app, secret_key=""):
            self.app = app

    def made(app):
        async def layer(scope, receive, send):
            await app(scope, receive, send)
        return layer

    async def log(request, call_next):
        return await call_next(request)

    logged = partial(BaseHTTPMiddleware, dispatch=log)
    """

SETTINGS = """
    from fastforge.web import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.middleware.gzip import GZipMiddleware
    from shop.layers import log

    INSTALLED_APPS = ["shop.orders"]
    MIDDLEWARE = [
        "shop.layers.Slow",
        "shop.layers.Plain",
        "shop.layers.made",
        "shop.layers.logged",
        Middleware(GZipMiddleware, minimum_size=500),
        Middleware(BaseHTTPMiddleware, dispatch=log),
    ]
    """

APP = """
    from fastforge.web import Middleware, Slot
    from shop.layers import Slow, made

    SLOW = Middleware(Slow, slot=Slot.ROUTER)
    PLAIN = Middleware(made)
    """

ASGI = """
    from fastapi import FastAPI
    from fastforge.asgi import get_asgi_application
    from shop.layers import Plain, Slow

    app = FastAPI()
    app.add_middleware(Plain, "key")

    @app.middleware("http")
    async def measure(request, call_next):
        return await call_next(request)

    app = get_asgi_application(app=app)
    app.add_middleware(Slow)
    """


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProjectFolder]:
    monkeypatch.setenv("FASTFORGE_ENV", "test")
    monkeypatch.chdir(tmp_path)
    with isolated(tmp_path) as folder:
        folder.write({"shop/layers.py": LAYERS, "shop/settings.py": ""})
        yield folder


def told(shop: ProjectFolder) -> list[str]:
    """Return the places of the layers that the check tells."""
    messages = [each for each in run_checks(shop.load()) if each.id == "web.W001"]
    assert all("is a BaseHTTPMiddleware: about 0.2 ms of CPU" in each.text for each in messages)
    return [f"{each.where}: {each.text.split()[2]}" for each in messages]


def test_those_of_the_settings_and_of_the_apps_are_told_with_their_lines(
    shop: ProjectFolder,
) -> None:
    shop.write({"shop/settings.py": SETTINGS, "shop/orders/middleware.py": APP})
    assert told(shop) == [
        "shop/orders/middleware.py:4: Slow",
        "shop/settings.py:8: Slow",
        "shop/settings.py:11: BaseHTTPMiddleware",
        "shop/settings.py:13: log",
    ]


def test_those_of_an_existing_application_are_told_and_ours_only_once(
    shop: ProjectFolder,
) -> None:
    shop.write({"shop/settings.py": 'MIDDLEWARE = ["shop.layers.Slow"]\n', "shop/asgi.py": ASGI})
    assert told(shop) == [
        "shop/asgi.py:8: measure",
        "shop/layers.py:5: Slow",
        "shop/settings.py:1: Slow",
    ]


def test_what_cannot_be_imported_is_left_to_the_check_that_says_so(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": 'MIDDLEWARE = ["shop.nowhere.Slow", 42]\n'})
    assert {message.id for message in run_checks(shop.load())} == {"core.E003"}
