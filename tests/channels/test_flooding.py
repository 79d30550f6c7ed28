"""Flooding: what a client sends to take more than its share."""

from __future__ import annotations

import asyncio
import json
import textwrap
from contextlib import nullcontext

import pytest

from fastforge.test.channels import SocketClosed

from ..folder import ProjectFolder
from .live import CHANNELS, Live, Somebody, live_with


async def test_the_size_of_a_message_is_that_of_its_bytes(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="max_message_bytes=1024") as live:
        ann = await live.client()
        ann.socket.send('{"type":"ping","ref":"%s"}' % ("\u20ac" * 400))
        assert (await ann.closed()).code == 1009


@pytest.mark.parametrize("depth", [300, 2000])
async def test_what_is_nested_without_end_is_told_and_not_logged(
    live: Live, caplog: pytest.LogCaptureFixture, depth: int
) -> None:
    ann = await live.client(user=Somebody())
    await ann.join("room:7")
    data = {"type": "say", "text": "nested"}
    frame = json.dumps({"type": "push", "ref": 1, "channel": "room:7", "data": data})
    ann.socket.send(frame.replace('"nested"', "[" * depth + "]" * depth))
    with pytest.raises(SocketClosed, match="1007") if depth > 1024 else nullcontext():
        assert (await ann.next())["code"] == "invalid"
    assert "Traceback" not in caplog.text


async def test_what_is_wrong_with_a_message_is_told_so_often_and_no_more(
    folder: ProjectFolder,
) -> None:
    """A message of 60 kB could have an answer of megabytes."""
    more = """
    class Many(BaseModel):
        type: Literal["many"] = "many"
        numbers: list[int]

    class Crowd(Channel, pattern="crowd", public=True):
        Incoming = Many

        @receives
        async def many(self, message: Many) -> None: ...
    """
    async with live_with(folder, channels=CHANNELS + more) as live:
        ann = await live.client()
        await ann.join("crowd")
        answer = await ann.push("crowd", {"type": "many", "numbers": ["x"] * 10_000})
        assert answer["message"] == "the message has 10,000 errors"
        assert len(str(answer)) < 300


async def test_numbers_come_in_as_they_were_written(folder: ProjectFolder) -> None:
    more = """
    class Exact(BaseModel):
        type: Literal["exact"] = "exact"
        count: int

    class Ledger(Channel, pattern="ledger", public=True):
        Incoming = Exact

        @receives
        async def exact(self, message: Exact) -> str:
            return str(message.count)
    """
    async with live_with(folder, channels=CHANNELS + more) as live:
        ann = await live.client()
        await ann.join("ledger")
        ann.socket.send(
            '{"type":"push","ref":9,"channel":"ledger","data":{"type":"exact",'
            '"count":12345678901234567890123}}'
        )
        assert (await ann.next())["data"] == "12345678901234567890123"


@pytest.mark.parametrize("last_id", [2**63, 2**64 - 1, 10**30])
async def test_no_message_has_such_an_id(live: Live, last_id: int) -> None:
    ann = await live.client()
    answer = await ann.ask("join", channel="news", last_id=last_id, epoch="e")
    assert answer["code"] == "bad_frame"


async def test_an_epoch_is_short(live: Live) -> None:
    ann = await live.client()
    assert (await ann.ask("join", channel="news", epoch="x" * 65))["code"] == "bad_frame"


async def test_whoever_comes_back_may_join_as_much_at_once_as_it_may_be_in(live: Live) -> None:
    """128 joins come in one packet; more than may wait of anything else."""
    ann = await live.client(user=Somebody())
    for number in range(-118, 10):
        ann.send({"type": "join", "ref": number, "channel": f"room:{number}"})
    told = [await ann.next() for _ in range(128)]
    assert {frame["type"] for frame in told} == {"joined"}


async def test_what_hangs_is_counted(folder: ProjectFolder) -> None:
    """Each channel has work of its own; without a bound a client could have as much as names."""
    slow = textwrap.dedent(CHANNELS).replace(
        "return connection.user", "await asyncio.Event().wait(); return connection.user"
    )
    source = "import asyncio\n" + slow
    limits = "inbox_size=2, max_joins=3, messages_burst=100"
    async with live_with(folder, settings=limits, channels=source) as live:
        ann = await live.client(user=Somebody())
        for number in range(50):
            ann.send({"type": "join", "ref": number, "channel": f"room:{number}"})
            await asyncio.sleep(0)
        told = [await ann.next() for _ in range(45)]
        assert {frame["code"] for frame in told} == {"busy"}
        (socket,) = live.hub.sockets
        lanes = socket.lanes._lanes
        assert lanes is not None
        assert len(lanes) == 5


async def test_answers_that_nobody_reads_are_bounded_in_bytes(folder: ProjectFolder) -> None:
    more = """
    class Echo(Channel, pattern="echo", public=True):
        Incoming = Shout

        @receives
        async def shout(self, message: Shout) -> str:
            return "x" * 60_000
    """
    limits = "queue_bytes=100_000, messages_burst=1000"
    async with live_with(folder, settings=limits, channels=CHANNELS + more) as live:
        ann = await live.client()
        await ann.join("echo")
        ann.socket.stop_reading()
        for _ in range(20):
            ann.send(
                {"type": "push", "ref": 1, "channel": "echo", "data": {"type": "shout", "text": ""}}
            )
        (socket,) = live.hub.sockets
        await live.until(lambda: socket._closing_since is not None)
        assert socket.outbox.waiting_bytes <= 300_000


async def test_no_more_sockets_than_a_process_holds_also_where_they_come_at_once(
    folder: ProjectFolder,
) -> None:
    guards = """
        import asyncio

        from fastforge.channels import ChannelGuard

        async def by_request(scope: object) -> None:
            await asyncio.sleep(0.05)

        GUARD = ChannelGuard(name="talk", by_request=by_request)
    """
    files = {"shop/talk/channel_guards.py": guards}
    async with live_with(folder, settings="max_connections=2", files=files) as live:
        came = await asyncio.gather(*(live.client() for _ in range(6)), return_exceptions=True)
        refused = [each for each in came if isinstance(each, SocketClosed)]
        assert [each.code for each in refused] == [503] * 4


async def test_whoever_says_who_it_is_may_join_in_the_same_breath(folder: ProjectFolder) -> None:
    guards = """
        import asyncio
        from dataclasses import dataclass

        from fastforge.channels import ChannelGuard

        @dataclass
        class Somebody:
            id: int = 1
            token_id: str = ""
            expires_at: float | None = None

        async def by_token(token: str) -> Somebody:
            await asyncio.sleep(0.02)
            return Somebody()

        GUARD = ChannelGuard(name="talk", by_token=by_token)
    """
    async with live_with(folder, files={"shop/talk/channel_guards.py": guards}) as live:
        ann = await live.client()
        ann.send({"type": "authenticate", "ref": 1, "token": "x"})
        ann.send({"type": "join", "ref": 2, "channel": "room:7"})
        told = [await ann.next() for _ in range(2)]
        assert [(frame["type"], frame["ref"]) for frame in told] == [("ok", 1), ("joined", 2)]


async def test_a_burst_of_the_application_is_no_fault_of_its_clients(live: Live) -> None:
    """Many messages in one turn of the loop find no task that could have sent the first ones."""
    ann = await live.client()
    await ann.join("news")
    said = live.channels.Said
    with live.here():
        for number in range(600):
            await live.channels.News.publish(said(text=str(number)))
    for number in range(600):
        frame = await ann.next()
        assert frame["type"] == "message", (number, frame)
        assert frame["data"]["text"] == str(number)


async def test_a_socket_that_is_closed_hears_nothing_more(live: Live) -> None:
    """What is said all the time must not keep the close code from the client."""
    ann = await live.client()
    await ann.join("news")
    (socket,) = live.hub.sockets
    ann.socket.stop_reading()
    socket.close(4100, "the token has ended")
    before = len(socket.outbox)
    for number in range(20):
        await live.publish("News", str(number))
    assert len(socket.outbox) <= before
    ann.socket.go_on_reading()
    assert (await ann.closed()).code == 4100


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, "4003"])
async def test_a_code_that_no_frame_may_have_is_refused_where_it_is_written(
    live: Live, code: int
) -> None:
    from fastforge.channels import ChannelError

    await live.client()
    (socket,) = live.hub.sockets
    with pytest.raises(ChannelError, match=r"channels\.E019"):
        socket.connection.close(code)


async def test_values_are_conflated_by_what_is_written_as_json(folder: ProjectFolder) -> None:
    more = """
    class Price(BaseModel):
        type: Literal["price"] = "price"
        symbol: str = Field(serialization_alias="s")

    class Prices(
        Channel, pattern="prices", public=True, overflow="conflate", conflate_by="symbol",
        presence=True,
    ):
        Outgoing = Price
    """
    async with live_with(folder, channels=CHANNELS + more) as live:
        ann = await live.client()
        await ann.join("prices")
        ann.socket.stop_reading()
        with live.here():
            for symbol in "zabcabab":
                await live.channels.Prices.publish(live.channels.Price(symbol=symbol))
        room = live.hub.rooms["prices"]
        room.tell_of_gap()
        room.tell_of_gap()
        ann.socket.go_on_reading()
        await ann.ask("ping")
        texts = [each["data"]["s"] for each in ann.frames if each["type"] == "message"]
        assert texts == ["z", "a", "b", "c", "a", "b"]
        assert sum(each["type"] == "gap" for each in ann.frames) == 2
