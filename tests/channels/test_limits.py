"""Limits: how much a client may take, and for how long."""

from __future__ import annotations

import time

import pytest

from fastforge.channels.sockets.socket import LOOKS_EVERY_S
from fastforge.channels.waiting.wires import AsgiWire
from fastforge.test.channels import SocketClosed
from fastforge.test.channels.clock import ClockOfTests

from ..folder import ProjectFolder
from .live import CHANNELS, Live, Somebody, live_with


async def test_a_client_that_sends_too_fast_is_let_go(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="messages_per_s=0.001, messages_burst=3") as live:
        ann = await live.client()
        for _ in range(4):
            ann.send({"type": "ping"})
        assert (await ann.closed()).code == 4109
        assert [frame["type"] for frame in ann.frames] == ["pong"] * 3


async def test_a_socket_is_in_so_many_channels_and_no_more(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="max_joins=2") as live:
        ann = await live.client(user=Somebody())
        for name in ("room:1", "room:2"):
            assert (await ann.join(name))["type"] == "joined"
        assert (await ann.join("room:3"))["code"] == "too_many_joins"
        await ann.leave("room:1")
        assert (await ann.join("room:3"))["type"] == "joined"


async def test_the_limit_holds_for_channels_that_are_joined_at_once(folder: ProjectFolder) -> None:
    slow = CHANNELS.replace("return connection", "await asyncio.sleep(0.01); return connection")
    channels = slow.replace("from typing", "import asyncio\n    from typing", 1)
    async with live_with(folder, settings="max_joins=2", channels=channels) as live:
        ann = await live.client(user=Somebody())
        for number in range(4):
            ann.send({"type": "join", "ref": 1, "channel": f"room:{number}"})
        told = [await ann.next(lambda frame: frame.get("ref") == 1) for _ in range(4)]
        assert sum(frame["type"] == "joined" for frame in told) == 2


async def test_a_process_holds_so_many_sockets_and_no_more(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="max_connections=1") as live:
        ann = await live.client()
        with pytest.raises(SocketClosed) as refused:
            await live.client()
        assert refused.value.code == 503
        await ann.socket.close()
        assert (await live.client()).connection_id


async def test_a_user_has_so_many_sockets_and_no_more(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="per_user=1") as live:
        ann = await live.client(user=Somebody())
        with pytest.raises(SocketClosed) as refused:
            await live.client(user=Somebody())
        assert refused.value.code == 1013
        assert (await live.client(user=Somebody(id=2))).connection_id
        assert (await live.client()).connection_id
        await ann.socket.close()
        assert (await live.client(user=Somebody())).connection_id


async def test_too_much_that_waits_for_handlers_is_told(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="inbox_size=1") as live:
        ann = await live.client()
        for ref in range(3):
            ann.send({"type": "join", "ref": ref, "channel": "news"})
        answers = {(await ann.next())["ref"] for _ in range(3)}
        assert answers == {0, 1, 2}
        assert (await ann.join("news"))["type"] == "joined"


async def test_a_socket_that_joins_nothing_is_closed(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="join_timeout_s=0.01") as live:
        ann = await live.client()
        assert (await ann.closed()).code == 1008


async def test_a_token_that_ends_closes_its_socket(live: Live) -> None:
    user = Somebody(expires_at=time.time() + 0.3)
    ann = await live.client(user=user)
    await ann.join("room:7")
    assert (await ann.closed()).code == 4100
    assert [frame["type"] for frame in ann.frames] == ["expiring"]


async def test_a_socket_of_which_nothing_is_expected_is_seldom_looked_at(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AsgiWire, "may_be_stuck", False)  # as over our own server
    ann, bob = await live.client(), await live.client(user=Somebody(expires_at=time.time() + 0.5))
    sockets = {socket.connection.id: socket for socket in live.hub.sockets}
    assert all(socket.due == 0 for socket in sockets.values())
    for client in (ann, bob):
        await client.join("news")
    now = time.monotonic()
    live.hub.tick(now)
    dues = [sockets[client.connection_id].due - now for client in (ann, bob)]
    assert dues[0] == LOOKS_EVERY_S
    assert dues[1] < 0.5  # that is when its token ends
    sockets[ann.connection_id].close(1000)
    assert sockets[ann.connection_id].due == 0


async def test_a_token_that_is_shown_again_is_not_asked_for_at_once_and_for_ever(
    folder: ProjectFolder,
) -> None:
    """As by a page that keeps the one it has; and where tokens live for less than half a minute."""
    guards = """
        import time
        from types import SimpleNamespace

        from fastforge.channels import ChannelGuard

        async def by_token(token: str) -> SimpleNamespace:
            return SimpleNamespace(id=token, token_id="", expires_at=time.time() + 20)

        GUARD = ChannelGuard(name="badges", by_token=by_token)
    """
    async with live_with(folder, files={"shop/talk/channel_guards.py": guards}) as live:
        ann = await live.client()
        assert (await ann.ask("authenticate", token="ann"))["type"] == "ok"
        live.hub.tick(time.monotonic())
        await ann.ask("ping")
        assert "expiring" not in [frame["type"] for frame in ann.frames]
        bob = await live.client(user=Somebody(id="bob", expires_at=time.time() + 20))
        live.hub.tick(time.monotonic())
        assert (await bob.next())["type"] == "expiring"
        assert (await bob.ask("authenticate", token="bob"))["type"] == "ok"
        live.hub.tick(time.monotonic())
        await bob.ask("ping")
        assert "expiring" not in [frame["type"] for frame in bob.frames]


async def test_a_client_that_does_not_read_is_let_go_and_forgotten(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="slow_consumer_timeout_s=0.1") as live:
        clock = ClockOfTests()
        live.hub.clock = clock.clock
        ann, bob = await live.client(), await live.client()
        await ann.join("news")
        await bob.join("news")
        ann.socket.stop_reading()
        for number in range(20):
            await live.publish("News", str(number))
        for number in range(20):
            await bob.assert_push(live.channels.Said(text=str(number)))
        for _ in range(2):  # it is told, and then not waited for any more
            clock.ahead_s += 3
            live.hub.tick(clock.monotonic())
        await live.until(lambda: len(live.hub.sockets) == 1, within_s=60)


async def test_whoever_comes_back_joins_at_once_all_that_it_was_in(folder: ProjectFolder) -> None:
    limits = "max_joins=9, messages_per_s=0.001, messages_burst=1"
    async with live_with(folder, settings=limits) as live:
        ann = await live.client(user=Somebody())
        for number in range(9):
            assert (await ann.join(f"room:{number}"))["type"] == "joined"
        ann.send({"type": "join", "channel": "room:0"})
        ann.send({"type": "join", "channel": "room:0"})
        assert (await ann.closed()).code == 4109
