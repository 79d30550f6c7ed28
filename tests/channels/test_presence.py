"""Presence: who is in a room, and who is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from fastforge.channels import ChannelError
from fastforge.test.channels import ChannelClient

from ..folder import ProjectFolder
from .live import CHANNELS, Live, Somebody, live_with

LOUNGE = """
    class Lounge(Channel, pattern="lounge", public=True, presence=True):
        Outgoing = Said
"""


async def lounge(live: Live, user: Somebody) -> tuple[ChannelClient, list[dict[str, Any]]]:
    client = await live.client(user=user)
    assert (await client.join("lounge"))["type"] == "joined"
    state = await client.next(lambda frame: frame["type"] == "presence" and "state" in frame)
    return client, state["state"]


async def test_whoever_comes_is_told_who_is_there_and_the_others_that_they_came(
    folder: ProjectFolder,
) -> None:
    async with live_with(folder, channels=CHANNELS + LOUNGE) as live:
        ann, state = await lounge(live, Somebody(id=1))
        assert state == [{"id": 1}]
        bob, state = await lounge(live, Somebody(id=2))
        assert state == [{"id": 1}, {"id": 2}]
        told = await ann.next(lambda frame: {"id": 2} in frame.get("came", ()))
        assert "gone" not in told
        await bob.socket.close()
        told = await ann.next(lambda frame: "gone" in frame)
        assert told == {"type": "presence", "channel": "lounge", "gone": [{"id": 2}]}


async def test_somebody_with_two_sockets_is_there_once_and_until_the_last_is_gone(
    folder: ProjectFolder,
) -> None:
    async with live_with(folder, channels=CHANNELS + LOUNGE) as live:
        phone, _ = await lounge(live, Somebody(id=1))
        laptop, state = await lounge(live, Somebody(id=1))
        assert state == [{"id": 1}]
        await phone.leave("lounge")
        with live.here():
            assert await live.channels.Lounge.present() == [{"id": 1}]
            await laptop.leave("lounge")
            assert await live.channels.Lounge.present() == []
        assert not live.hub.presence._attendances


async def test_who_is_there_is_asked_of_a_channel_that_knows_it(live: Live) -> None:
    with live.here(), pytest.raises(ChannelError, match=r"channels\.E016.*presence=True"):
        await live.channels.News.present()
