"""A layer that cannot be made fails the start in one line, whatever serves the application."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from fastforge.exceptions import ComponentError
from tests.commanding import python
from tests.folder import ProjectFolder, isolated
from tests.processes import free_port

SHOP = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": 'MIDDLEWARE = [\n    "shop.layers.Raising",\n]\n',
    "shop/layers.py": """
        class Raising:
            def __init__(self, app):
                raise ValueError("the level has to be 1 or 2")

            async def __call__(self, scope, receive, send): ...
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
        """,
}
LINE = (
    "[web.E008] shop/settings.py:2: the middleware 'shop.layers.Raising' cannot be made:"
    " ValueError: the level has to be 1 or 2; look at its options"
)


@pytest.mark.parametrize(
    "server",
    [
        ("fastforge", "runserver", "{port}", "--no-reload"),
        ("uvicorn", "shop.asgi:app", "--port", "{port}"),
    ],
    ids=lambda server: server[0],
)
def test_no_server_serves_what_cannot_be_built(tmp_path: Path, server: tuple[str, ...]) -> None:
    ProjectFolder(tmp_path).write(SHOP)
    port = str(free_port())
    arguments = [argument.format(port=port) for argument in server]
    done = python(["-m", *arguments], cwd=tmp_path, env={"FASTFORGE_ENV": "test"})
    assert done.returncode == 3
    assert LINE in done.stderr
    assert "Traceback" not in done.stderr


def test_every_request_says_so_where_no_lifespan_runs(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        client = TestClient(get_asgi_application(folder.load()))
        for _ in range(2):
            with pytest.raises(ComponentError, match="the level has to be 1 or 2"):
                client.get("/")


def test_wrong_options_of_add_middleware_are_told_as_well(tmp_path: Path) -> None:
    from starlette.middleware.gzip import GZipMiddleware

    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        app = FastAPI()
        app.add_middleware(GZipMiddleware, minimum=500)  # type: ignore[call-arg]
        with (
            pytest.raises(ComponentError, match=r"E008.* unexpected keyword argument 'minimum'"),
            TestClient(get_asgi_application(folder.load(), app=app)),
        ):
            pass
