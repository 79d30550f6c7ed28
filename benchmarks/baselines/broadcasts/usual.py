"""The ConnectionManager that most FastAPI projects have, by Redis where there are two processes.

Usage: uvicorn usual:app
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio as redis
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from saying import ROOM, say

REDIS_URL = os.environ.get("BENCH_REDIS_URL")


class ConnectionManager:
    """Knows who listens, and sends to all of them at once."""

    def __init__(self) -> None:
        self.connections: defaultdict[str, set[WebSocket]] = defaultdict(set)

    async def connect(self, websocket: WebSocket, room: str) -> None:
        """Accept a client."""
        await websocket.accept()
        self.connections[room].add(websocket)

    def disconnect(self, websocket: WebSocket, room: str) -> None:
        """Forget a client."""
        self.connections[room].discard(websocket)

    async def broadcast(self, room: str, message: dict[str, Any]) -> None:
        """Send a message to all who listen."""
        sends = (websocket.send_json(message) for websocket in self.connections[room])
        await asyncio.gather(*sends, return_exceptions=True)

    async def relay(self, room: str, text: str) -> None:
        """Send what came from another process."""
        sends = (websocket.send_text(text) for websocket in self.connections[room])
        await asyncio.gather(*sends, return_exceptions=True)


manager = ConnectionManager()
client = redis.from_url(REDIS_URL, decode_responses=True) if REDIS_URL else None


async def listen() -> None:
    """Relay what is said in any process."""
    assert client is not None
    async with client.pubsub() as pubsub:
        await pubsub.subscribe(ROOM)
        async for message in pubsub.listen():
            if message["type"] == "message":
                await manager.relay(ROOM, message["data"])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Listen meanwhile, where there are other processes."""
    task = asyncio.create_task(listen()) if client is not None else None
    yield
    if task is not None:
        task.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/channels")
async def channels(websocket: WebSocket) -> None:
    """Let a client listen."""
    await manager.connect(websocket, ROOM)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        manager.disconnect(websocket, ROOM)


async def publish(message: dict[str, Any]) -> None:
    """Say something to everybody."""
    if client is None:
        await manager.broadcast(ROOM, message)
    else:
        await client.publish(ROOM, json.dumps(message))


@app.post("/say")
async def say_it(count: int, gap_s: float = 0, size: int = 200) -> dict[str, int]:
    """Say so many messages."""
    return await say(publish, count, gap_s, size)
