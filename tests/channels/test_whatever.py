"""Whatever clients send, together and at the same time: nothing breaks, nothing of them stays."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import Any, Final

import pytest

from fastforge.test.channels import ChannelClient

from ..folder import ProjectFolder
from .live import CHANNELS, Live, Somebody, live_with

MORE: Final = """
    import asyncio

    class Lounge(
        Channel, pattern="lounge", public=True, presence=True, history=5, overflow="drop_newest",
        queue_size=3,
    ):
        Incoming = Say
        Outgoing = Said

        async def joined(self) -> None:
            self.send(Said(text="hello"))
            await asyncio.sleep(0)

        async def left(self) -> None:
            await asyncio.sleep(0)

        @receives
        async def say(self, message: Say) -> str:
            await self.broadcast(Said(text=message.text))
            return message.text

    class Slow(
        Channel, pattern="slow:{n:int}", overflow="conflate", conflate_by="text", presence=True
    ):
        Outgoing = Said

        async def authorize(self, n: int) -> bool:
            await asyncio.sleep(0.001 * n)
            if n == 3:
                raise RuntimeError("secret")
            if n == 4:
                raise asyncio.CancelledError
            return True
"""
NAMES: Final = ("news", "room:7", "lounge", "slow:1", "slow:3", "slow:4", "room:99")
VALUES: Final = (
    None, True, False, 0, -1, 2**31, 2**63 - 1, 2**63, 2**64 - 1, 1e308, -0.0, "", "x", "news",
    "room:07", "room:9999999999999999999", "\0", "\u202e", "\u00e9" * 50, "x" * 300, [], {}, [1],
    {"type": "say"}, {"type": "say", "text": "a"}, {"type": "shout", "text": "fail"}, {"type": []},
    {"type": "say", "text": None}, "join", "authenticate",
)  # fmt: skip
FIELDS: Final = ("ref", "channel", "data", "last_id", "epoch", "was", "token")
KINDS: Final = ("join", "join", "leave", "push", "ping", "authenticate", "x")
CODES: Final = frozenset({1003, 1007, 4001})
LIMITS: Final = "messages_per_s=1e9, messages_burst=1_000_000, per_user=1000"


def frame(chance: random.Random) -> dict[str, Any]:
    """Return something like a frame."""
    made: dict[str, Any] = {"type": chance.choice(KINDS)}
    made |= {field: chance.choice(VALUES) for field in FIELDS if chance.random() < 0.4}
    if chance.random() < 0.7:
        made["channel"] = chance.choice(NAMES)
    if chance.random() < 0.7:
        made["ref"] = chance.randrange(100)
    if chance.random() < 0.1:
        made[chance.choice(("type", *FIELDS))] = chance.choice(VALUES)
    return made


async def publish(live: Live, chance: random.Random) -> None:
    """Say something in three channels."""
    said = live.channels.Said
    with live.here():
        await live.channels.News.publish(said(text=str(chance.random())))
        await live.channels.Lounge.publish(said(text=str(chance.random())))
        await live.channels.Slow.publish(said(text=str(chance.randrange(3))), n=1)


async def misbehave(live: Live, client: ChannelClient, chance: random.Random) -> None:
    """Do this and that."""
    for _ in range(60):
        what = chance.random()
        if what < 0.9:
            client.send(frame(chance))
        elif what < 0.92:
            client.socket.stop_reading()
        elif what < 0.95:
            client.socket.go_on_reading()
        elif what < 0.955:
            client.socket.send_bytes(b"x")
        elif what < 0.96:
            client.socket.send("{")
        if chance.random() < 0.3:
            await asyncio.sleep(0)
        if chance.random() < 0.05:
            await asyncio.sleep(0.002)
        if chance.random() < 0.1:
            await publish(live, chance)
    client.socket.go_on_reading()


def check_what_came(client: ChannelClient) -> None:
    """Be sure that ids have grown since each joining, and that the end has a code of ours."""
    last: dict[str, int] = {}
    came = client.socket._to_client
    while not came.empty():
        message = came.get_nowait()
        if message["type"] == "websocket.close":
            assert message["code"] in CODES
        if message["type"] != "websocket.send":
            continue
        told = json.loads(message["text"])
        if told["type"] == "joined":
            last[told["channel"]] = -1
        if told["type"] == "message" and "id" in told:
            assert told["id"] > last[told["channel"]]
            last[told["channel"]] = told["id"]


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_is_sent_nothing_breaks_and_nothing_stays(
    folder: ProjectFolder, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    chance = random.Random(seed)
    async with live_with(folder, settings=LIMITS, channels=CHANNELS + MORE) as live:

        async def come_and_go() -> None:
            user = Somebody(id=chance.randrange(3)) if chance.random() < 0.7 else None
            client = await live.client(user=user)
            try:
                await misbehave(live, client, chance)
            finally:
                await asyncio.wait_for(client.socket.close(), 30)
            check_what_came(client)

        await asyncio.gather(*(come_and_go() for _ in range(12)))
        hub, presence = live.hub, live.hub.presence
        assert not any((hub.sockets, hub.places, hub.users.are_wanted))
        assert not any(room.members for room in hub.rooms.values())
        assert not any((presence._attendances, presence._gone, presence._keys))
    for record in caplog.records:
        if record.levelno >= logging.ERROR:
            assert "of a client failed" in record.getMessage()
            assert record.exc_info is not None
            assert record.exc_info[0] in (RuntimeError, asyncio.CancelledError)
