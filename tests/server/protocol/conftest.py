"""A project whose limits are narrow, served in a process as in production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from tests.request_path.site import Site, serving

LIMIT_S: Final = 1
"""Of whatever a client may take its time with, on the hasty site."""

ROUTES: Final = """
    import asyncio
    import time

    from fastapi import APIRouter, Request
    from fastapi.responses import StreamingResponse

    router = APIRouter()

    @router.get("/ready")
    async def ready():
        return {}

    @router.get("/late")
    async def late(seconds: float):
        await asyncio.sleep(seconds)
        return {}

    @router.get("/blocking")
    async def blocking(seconds: float):
        time.sleep(seconds)
        return {}

    @router.post("/read")
    async def read(request: Request, after: float = 0):
        await asyncio.sleep(after)
        try:
            return {"length": len(await request.body())}
        except BaseException as error:
            print("read:", type(error).__name__, flush=True)
            raise

    @router.post("/unread")
    async def unread():
        return {}

    @router.post("/seen")
    async def seen(request: Request):
        await request.body()
        return request.headers.getlist("x-seen")

    @router.get("/endless")
    async def endless():
        return StreamingResponse(parts())

    opened = asyncio.Event()

    @router.get("/begun")
    async def begun(length: int | None = None):
        opened.clear()
        headers = {} if length is None else {"content-length": str(length)}
        return StreamingResponse(when_opened(), headers=headers)

    async def when_opened():
        await opened.wait()
        yield b"late"

    @router.get("/open")
    async def open_():
        opened.set()
        return {}

    async def parts():
        try:
            while True:
                yield bytes(65536)
                await asyncio.sleep(0)
        finally:
            print("reader is gone", flush=True)
    """

SETTINGS: Final = """
    SECRET_KEY = "a key of these tests that is long enough, and random in no way"
    ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    INSTALLED_APPS = ["shop.orders"]
    """

SHOP: Final = {
    "shop/settings.py": SETTINGS,
    "shop/asgi.py": """
    from fastforge.asgi import get_asgi_application

    app = get_asgi_application(settings_module="shop.settings")
    """,
    "shop/orders/routes.py": ROUTES,
}


EVENT_LOOPS: Final = ("uvloop", pytest.param("asyncio", marks=pytest.mark.long))


def with_server(event_loop: str, **fields: float) -> Mapping[str, str]:
    """The shop with other limits, on one of the event loops."""
    files = SHOP | {"shop/settings.py": f"{SETTINGS}SERVER = {fields}\n"}
    without_uvloop = {"uvloop.py": "raise ImportError('not in this test')\n"}
    return files if event_loop == "uvloop" else files | without_uvloop


@pytest.fixture(scope="module", params=EVENT_LOOPS)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The shop with limits in bytes alone: nobody has to hurry."""
    files = with_server(request.param, header_timeout_s=60, body_timeout_s=60, max_body_bytes=1000)
    with serving(tmp_path_factory.mktemp("shop"), files) as served:
        yield served


@pytest.fixture(scope="module", params=EVENT_LOOPS)
def hasty(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The shop with a second for everything, and many bytes."""
    files = with_server(
        request.param,
        header_timeout_s=LIMIT_S,
        body_timeout_s=LIMIT_S,
        min_body_bytes_per_s=1000,
        write_timeout_s=LIMIT_S,
        keep_alive_s=LIMIT_S,
        max_body_bytes=10_000_000,
    )
    with serving(tmp_path_factory.mktemp("hasty"), files) as served:
        yield served
