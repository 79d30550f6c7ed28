"""Litestar's plugin for channels, with the handlers that it makes itself.

Usage: uvicorn litestar_peer:app
"""

from __future__ import annotations

from typing import Any

from litestar import Litestar, post
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend
from saying import ROOM, say

plugin = ChannelsPlugin(
    backend=MemoryChannelsBackend(), channels=[ROOM], create_ws_route_handlers=True
)


async def publish(message: dict[str, Any]) -> None:
    """Say something to everybody."""
    plugin.publish(message, ROOM)


@post("/say", status_code=200)
async def say_it(count: int, gap_s: float = 0, size: int = 200) -> dict[str, int]:
    """Say so many messages."""
    return await say(publish, count, gap_s, size)


app = Litestar([say_it], plugins=[plugin])
