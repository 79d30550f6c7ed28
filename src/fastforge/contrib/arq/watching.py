"""Watching: how a worker hears at once that jobs have become due."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from ..redis.library import Client, exceptions
from .errors import away_when_unreachable
from .server import OWN_PREFIX

__all__ = ["watch"]

CHANNEL: Final = f"{OWN_PREFIX}wake"
PING_S: Final = 5.0
"""How long it listens before it asks whether the server is still there."""
SILENCE_LIMIT_S: Final = 12.0
"""How long there may be no word, not even an answer to that."""


async def watch(client: Client, wakes: Callable[[bytes], bool], wake: Callable[[], None]) -> None:
    """Call `wake` once when it listens, then whenever jobs have become due, until cancelled.

    Args:
        client: A client with a connection for this alone.
        wakes: Whether a queue is one of ours.
        wake: What is called.

    Raises:
        BackendAway: The connection is lost. The caller begins again; it also polls meanwhile.
    """
    with away_when_unreachable():
        async with client.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            heard = time.monotonic()
            while True:
                message: Any = await pubsub.get_message(timeout=PING_S)
                if message is None:
                    if time.monotonic() - heard > SILENCE_LIMIT_S:
                        raise exceptions.ConnectionError("the server is silent")
                    await pubsub.ping()
                    continue
                heard = time.monotonic()
                if message["type"] == "subscribe" or (
                    message["type"] == "message" and wakes(message["data"])
                ):
                    wake()
