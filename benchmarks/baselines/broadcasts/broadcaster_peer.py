"""broadcaster on Starlette, as its documentation has it.

Usage: uvicorn broadcaster_peer:app
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from broadcaster import Broadcast
from saying import ROOM, say
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

broadcast = Broadcast("memory://")


async def channels(websocket: WebSocket) -> None:
    """Let a client listen."""
    await websocket.accept()
    async with anyio.create_task_group() as tasks:

        async def receive() -> None:
            async for _ in websocket.iter_text():
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(receive)
        async with broadcast.subscribe(channel=ROOM) as subscriber:
            async for event in subscriber:
                await websocket.send_text(event.message)


async def publish(message: dict[str, Any]) -> None:
    """Say something to everybody."""
    await broadcast.publish(channel=ROOM, message=json.dumps(message))


async def say_it(request: Request) -> JSONResponse:
    """Say so many messages."""
    asked = request.query_params
    told = await say(
        publish, int(asked["count"]), float(asked.get("gap_s", 0)), int(asked.get("size", 200))
    )
    return JSONResponse(told)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Be connected meanwhile."""
    async with broadcast:
        yield


app = Starlette(
    routes=[WebSocketRoute("/channels", channels), Route("/say", say_it, methods=["POST"])],
    lifespan=lifespan,
)
