"""Where each route has to say who may ask for it, those that do not are told, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import Message, run_checks
from fastforge.exceptions import ErrorGroup
from tests.folder import ProjectFolder, isolated

SETTINGS = """
    from fastforge.web import Security

    INSTALLED_APPS = ["shop.orders"]
    SECURITY = Security(require_policy=True)
    """
ROUTES = """
    from fastapi import APIRouter, Depends, WebSocket

    from fastforge.web import policy, public

    @policy
    async def staff() -> None: ...

    async def through_another(_: None = Depends(staff)) -> None: ...

    class Scoped:
        def __init__(self, scope: str) -> None:
            policy(self)

        async def __call__(self) -> None: ...

    router = APIRouter()
    closed = APIRouter(prefix="/closed", dependencies=[Depends(staff)])
    inner = APIRouter(prefix="/inner")

    @router.get("/open")
    async def forgotten() -> None: ...

    @router.get("/prices")
    @public
    async def prices() -> None: ...

    @router.post("/scoped", dependencies=[Depends(Scoped("write"))])
    async def scoped() -> None: ...

    @router.put("/nested", dependencies=[Depends(through_another)])
    async def nested() -> None: ...

    @router.websocket("/feed")
    async def feed(socket: WebSocket) -> None: ...

    @router.websocket("/news")
    @public
    async def news(socket: WebSocket) -> None: ...

    @closed.get("/orders")
    async def orders() -> None: ...

    @inner.delete("/{number}")
    async def remove(number: int) -> None: ...

    closed.include_router(inner)
    """
EXISTING = """
    from fastapi import Depends, FastAPI
    from fastforge.asgi import get_asgi_application
    from starlette.responses import PlainTextResponse

    from .orders.routes import staff

    docs = FastAPI(redoc_url=None, docs_url=None)
    mounted = FastAPI(openapi_url=None)
    closed = FastAPI(openapi_url=None, dependencies=[Depends(staff)])

    @mounted.get("/inside")
    async def inside() -> None: ...

    @closed.get("/inside")
    async def closed_inside() -> None: ...

    docs.mount("/sub", mounted)
    docs.mount("/closed-sub", closed)
    docs.mount("/static/files", PlainTextResponse("file"))
    app = get_asgi_application(app=docs)
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS, "shop/orders/routes.py": ROUTES})
        yield folder


def found(folder: ProjectFolder, environment: str = "test") -> dict[str, Message]:
    project = folder.load({"FASTFORGE_ENV": environment})
    messages = [each for each in run_checks(project) if each.id == "web.E060"]
    return {each.text.partition(" does not")[0]: each for each in messages}


def test_what_has_neither_a_dependency_nor_a_word_of_it_is_told(shop: ProjectFolder) -> None:
    messages = found(shop)
    assert set(messages) == {"GET /open", "a connection to /feed"}
    assert str(messages["GET /open"].where).endswith("orders/routes.py:20")


def test_nothing_is_told_unless_somebody_wants_it(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]\n'})
    assert found(shop) == {}


def test_documentation_and_what_is_mounted_have_to_say_it_too(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTFORGE_ENV", "production")
    shop.write({"shop/asgi.py": EXISTING})
    messages = found(shop, "production")
    mounted = {"GET /sub/inside", "a connection to /static/files"}
    told = {"GET /open", "a connection to /feed", "GET, HEAD /openapi.json", *mounted}
    assert set(messages) == told
    assert set(found(shop)) == told - {"GET, HEAD /openapi.json"}, "it is for those who develop"
    docs = messages["GET, HEAD /openapi.json"].where
    assert str(docs).endswith("settings.py:4"), "not a line of FastAPI's"


def test_paths_that_the_settings_name_are_public_with_all_below_them(shop: ProjectFolder) -> None:
    opened = '(require_policy=True, public_paths=["/sub", "/static/", "/openapi.json", "/op"])'
    shop.write(
        {
            "shop/asgi.py": EXISTING,
            "shop/settings.py": SETTINGS.replace("(require_policy=True)", opened),
        }
    )
    assert set(found(shop)) == {"GET /open", "a connection to /feed"}


@pytest.mark.parametrize("path", ["/", "static", "", "/a b"])
def test_a_path_that_would_open_everything_is_refused(shop: ProjectFolder, path: str) -> None:
    shop.write({"shop/settings.py": f'SECURITY = {{"public_paths": ["{path}"]}}\n'})
    with pytest.raises(ErrorGroup, match="write a path below which all is public"):
        shop.load()


def test_channels_say_themselves_who_may_join_them(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTFORGE_ENV", "test")
    application = """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
    """
    channels = """
        from typing import Literal

        from pydantic import BaseModel

        from fastforge.channels import Channel

        class Said(BaseModel):
            type: Literal["said"] = "said"

        class News(Channel, pattern="news", public=True):
            Outgoing = Said
    """
    shop.write({"shop/orders/channels.py": channels, "shop/asgi.py": application})
    assert set(found(shop)) == {"GET /open", "a connection to /feed"}
