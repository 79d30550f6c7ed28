"""An application of each kind, that of a project and one that knows nothing of ours, to stop."""

from __future__ import annotations

__all__ = ["PLAIN", "PROJECT"]

PLAIN = """
import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse


@asynccontextmanager
async def lifespan(app):
    print("up", flush=True)
    yield
    print("down", flush=True)


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def root() -> str:
    return "root"


@app.get("/broken")
async def broken() -> None:
    raise RuntimeError("broken")


@app.get("/items/{item}/never")
async def never(item: int) -> None:
    print("in flight", flush=True)
    await asyncio.sleep(3600)


@app.get("/stubborn")
async def stubborn() -> str:
    print("in flight", flush=True)
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        return "late"


@app.get("/thread")
def thread() -> None:
    import time

    print("in flight", flush=True)
    time.sleep(3600)


@app.get("/ticks")
async def ticks() -> StreamingResponse:
    async def endless():
        while True:
            yield "tick "
            await asyncio.sleep(0.05)

    return StreamingResponse(endless())


@app.websocket("/undecided")
async def undecided(socket: WebSocket) -> None:
    print("in flight", flush=True)
    await asyncio.sleep(3600)


@app.websocket("/socket")
async def socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    async for _ in socket.iter_text():
        pass
"""

PROJECT = {
    "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]\n',
    "shop/asgi.py": """
        from plain import app as plain

        from fastforge.asgi import get_asgi_application

        app = get_asgi_application(settings_module="shop.settings", app=plain)
        """,
    "shop/orders/routes.py": """
        import asyncio
        from collections.abc import AsyncIterator

        from fastapi import APIRouter, Request
        from fastapi.sse import EventSourceResponse

        from fastforge.lifecycle import DrainSignal
        from fastforge.middleware.deadline import begin_answer

        router = APIRouter()

        @router.get("/commits")
        async def commits(request: Request) -> str:
            print("in flight", flush=True)
            assert begin_answer(request.scope)  # as what commits does
            await asyncio.sleep(0.6)
            return "committed"

        @router.get("/events", response_class=EventSourceResponse)
        async def events(draining: DrainSignal) -> AsyncIterator[dict[str, bool]]:
            yield {"last": False}
            await draining.wait()
            yield {"last": True}
        """,
    "shop/orders/resources.py": """
        from collections.abc import AsyncIterator

        from fastforge import resource

        @resource
        async def first() -> AsyncIterator[str]:
            print("open first", flush=True)
            yield "first"
            print("close first", flush=True)

        @resource(needs=[first])
        async def second() -> AsyncIterator[str]:
            print("open second", flush=True)
            yield "second"
            print("close second", flush=True)
        """,
    "plain.py": PLAIN,
}
