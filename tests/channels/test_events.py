"""Events: the channels as server-sent events, for clients that only listen."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from fastforge.channels.errors import ChannelUnavailable
from fastforge.channels.serving.endpoint import KNOWN_USER
from fastforge.channels.sockets.stream import Positions
from fastforge.channels.waiting.frames import control, message_frame
from fastforge.test.lifespan import Application

from ..folder import ProjectFolder
from .live import Live, Somebody, live_with

LIMIT_S = 30
BROWSERS = "text/event-stream"


class Listener:
    """A client of a stream, as a server would serve it."""

    def __init__(self, application: Application, scope: dict[str, Any]) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.last_id = ""
        self.retry_ms = 0
        self.comments = 0
        self.is_over = False
        self.reads = asyncio.Event()
        self.reads.set()
        self._left = asyncio.Event()
        self._asked = False
        self._text = ""
        self._came: asyncio.Queue[str] = asyncio.Queue()
        self._begun = asyncio.Event()
        self.task = asyncio.ensure_future(application(scope, self._receive, self._send))
        self.task.add_done_callback(lambda task: self._begun.set())

    async def begun(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            await self._begun.wait()

    async def next(self) -> dict[str, Any]:
        """Return the next frame."""
        while True:
            async with asyncio.timeout(LIMIT_S):
                lines = (await self._came.get()).splitlines()
            told = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            self.comments += not told
            self.last_id = told.get("id", self.last_id)
            self.retry_ms = int(told.get("retry", self.retry_ms))
            if "data" in told:
                frame: dict[str, Any] = json.loads(told["data"])
                return frame

    async def leave(self) -> None:
        self._left.set()
        self.reads.set()
        await asyncio.wait({self.task})

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
            return
        self._begun.set()
        self.is_over = not message.get("more_body")
        self._text += message["body"].decode()
        *events, self._text = self._text.split("\n\n")
        for event in events:
            self._came.put_nowait(event)


@asynccontextmanager
async def listening(
    live: Live,
    *channels: str,
    user: Somebody | None = None,
    last_id: str = "",
    accept: str = "*/*",
    method: str = "GET",
) -> AsyncIterator[Listener]:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/channels/sse",
        "raw_path": b"/channels/sse",
        "query_string": urlencode([("channel", each) for each in channels]).encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", accept.encode())]
        + [(b"last-event-id", last_id.encode())] * bool(last_id),
        "client": ("127.0.0.1", 50_000),
        "server": ("localhost", 80),
        "extensions": {},
        **({} if user is None else {KNOWN_USER: user}),
    }
    listener = Listener(live.application, scope)
    await listener.begun()
    try:
        yield listener
    finally:
        await listener.leave()


async def test_what_is_said_in_several_channels_is_one_stream(live: Live) -> None:
    async with listening(live, "news", "room:7", user=Somebody()) as ann:
        assert (ann.status, ann.headers[b"content-type"]) == (
            200, b"text/event-stream; charset=utf-8",
        )  # fmt: skip
        joined = [await ann.next() for _ in range(2)]
        assert [(each["type"], each["channel"]) for each in joined] == [
            ("joined", "news"), ("joined", "room:7"),
        ]  # fmt: skip
        await live.publish("News", "1")
        await live.publish("Room", "2", room_id=7)
        frames = [await ann.next() for _ in range(2)]
        assert [(each["channel"], each["data"]["text"]) for each in frames] == [
            ("news", "1"), ("room:7", "2"),
        ]  # fmt: skip
    assert not live.hub.sockets
    assert not live.hub.rooms["news"].members


async def test_whoever_comes_back_gets_what_was_missed_once_and_in_order(live: Live) -> None:
    async with listening(live, "news") as ann:
        await ann.next()
        await live.publish("News", "1")
        await ann.next()
        last_id = ann.last_id
    for text in "23":
        await live.publish("News", text)
    async with listening(live, "news", last_id=last_id) as ann:
        assert (await ann.next())["recovered"] is True
        assert [(await ann.next())["data"]["text"] for _ in "23"] == ["2", "3"]
        await live.publish("News", "4")
        assert (await ann.next())["data"]["text"] == "4"


@pytest.mark.parametrize("last_id", ["x", "e.1,e.2", "nothing.5", "." + "9" * 30, ","])
async def test_an_id_that_is_worth_nothing_is_told(live: Live, last_id: str) -> None:
    async with listening(live, "news", last_id=last_id) as ann:
        assert (await ann.next())["recovered"] is False


@pytest.mark.parametrize(
    ("channels", "user", "status"),
    [
        (["room:7"], None, 401),
        (["room:70"], Somebody(), 403),
        (["news", "nothing"], Somebody(), 403),
        ([], None, 422),
        ([f"room:{number}" for number in range(17)], None, 422),
    ],
)
async def test_what_may_not_be_joined_is_refused_with_a_status(
    live: Live, channels: list[str], user: Somebody | None, status: int
) -> None:
    async with listening(live, *channels, user=user) as ann:
        assert ann.status == status
    assert not any(room.members for room in live.hub.rooms.values())
    assert not live.hub.users.are_wanted


async def test_a_user_has_so_many_streams_and_sockets(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="per_user=1") as live:
        await live.client(user=Somebody())
        async with listening(live, "news", user=Somebody()) as ann:
            assert ann.status == 429


@pytest.mark.parametrize(
    ("settings", "code"), [("per_user=1", 1013), ("max_connections=1", 1013), ("", 1012)]
)
async def test_whoever_comes_back_by_itself_is_told_to_come_later(
    folder: ProjectFolder, settings: str, code: int
) -> None:
    """After any status but 200 a browser's EventSource gives up: after each deployment, say."""
    async with live_with(folder, settings=settings) as live:
        await live.client(user=Somebody())
        if not settings:
            live.found.container.drain()
        last_id = "e.7"
        async with listening(
            live, "news", user=Somebody(), accept=BROWSERS, last_id=last_id
        ) as ann:
            closed = await ann.next()
            assert (ann.status, closed["type"], closed["code"]) == (200, "closed", code)
            assert (ann.last_id, ann.is_over) == (last_id, True)
            assert (ann.retry_ms >= 30_000) == (code == 1013)
        assert len(live.hub.sockets) == 1
        async with listening(live, "news", user=Somebody(), accept=BROWSERS, method="HEAD") as bob:
            assert bob.status == 405
        async with listening(live, "room:70", accept=BROWSERS) as eve:
            assert eve.status == (401 if settings == "per_user=1" else 200)


def test_whoever_goes_before_all_channels_have_begun_comes_back_to_where_it_was() -> None:
    names = ["news", "room:7"]
    positions = Positions(names, "e.3,e.5")
    joined = control("joined", channel="news", epoch="e", last_id=4, recovered=True)
    assert positions.take(joined) == "e.3,e.5"
    assert positions.take(message_frame(b'{"channel":"news","type":"message",', b"{}", id=4)) == (
        "e.4,e.5"
    )
    anew = Positions(names, "")
    assert anew.take(control("joined", channel="news", epoch="e", last_id=4)) is None
    assert anew.take(control("joined", channel="room:7", epoch="e", last_id=6)) == "e.4,e.6"


async def test_nobody_between_keeps_or_changes_a_stream(live: Live) -> None:
    async with listening(live, "news", accept=BROWSERS) as ann:
        assert ann.headers[b"cache-control"] == b"no-store, no-transform"
        assert ann.headers[b"x-accel-buffering"] == b"no"
        assert not {b"connection", b"content-length"} & {*ann.headers}


async def test_a_client_that_does_not_read_is_told_of_what_it_missed(folder: ProjectFolder) -> None:
    async with live_with(folder, settings="queue_size=3") as live:
        async with listening(live, "room:7", user=Somebody()) as ann:
            await ann.next()
            ann.reads.clear()
            for number in range(9):
                await live.publish("Room", str(number), room_id=7)
            ann.reads.set()
            frames = [await ann.next()]
            while frames[-1].get("data") != {"type": "said", "text": "8"}:
                frames.append(await ann.next())
        dropped = sum(frame["dropped"] for frame in frames if frame["type"] == "gap")
        assert dropped
        assert dropped + sum(frame["type"] == "message" for frame in frames) == 9


async def test_a_client_that_is_behind_comes_back_for_what_is_in_the_history(
    folder: ProjectFolder,
) -> None:
    """It cannot ask for it: of a gap in the stream an EventSource would never hear more."""
    async with live_with(folder, settings="queue_size=1") as live:
        async with listening(live, "news") as ann:
            await ann.next()
            ann.reads.clear()
            for text in "123":
                await live.publish("News", text)
            ann.reads.set()
            frames = [await ann.next()]
            while frames[-1]["type"] != "closed":
                frames.append(await ann.next())
            assert frames[-1]["code"] == 4108
        async with listening(live, "news", last_id=ann.last_id) as again:
            frames.append(await again.next())
            assert frames[-1]["recovered"] is True
            while frames[-1].get("data") != {"type": "said", "text": "3"}:
                frames.append(await again.next())
        got = [frame["data"]["text"] for frame in frames if frame["type"] == "message"]
        assert got == ["1", "2", "3"]


async def test_what_carries_messages_may_be_away_for_a_moment(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise ChannelUnavailable("away", code="channels.E022")

    monkeypatch.setattr(live.hub.broker, "recall", away)
    async with listening(live, "news", accept=BROWSERS) as ann:
        assert (ann.status, (await ann.next())["code"], ann.is_over) == (200, 1011, True)
    async with listening(live, "news") as ann:
        assert ann.status == 503
    assert not live.hub.rooms["news"].members


async def test_a_stream_that_is_silent_says_so_now_and_then(live: Live) -> None:
    async with listening(live, "news") as ann:
        await ann.next()
        live.hub.tick(time.monotonic() + 16)
        await asyncio.sleep(0)
        await live.publish("News", "1")
        await ann.next()
        assert ann.comments == 1


async def test_a_stream_ends_when_its_token_ends_and_when_the_process_is_told_to_stop(
    live: Live,
) -> None:
    user = Somebody(expires_at=time.time() - 1)
    async with listening(live, "news", user=user) as ann:
        await ann.next()
        live.hub.tick(time.monotonic())
        assert (await ann.next())["code"] == 4100
        await asyncio.wait({ann.task})
        assert ann.is_over
    async with listening(live, "news") as ann:
        await ann.next()
        live.found.container.drain()
        live.hub.tick(time.monotonic())
        assert await ann.next() == {"type": "closed", "code": 1012, "reason": "restart"}
        await asyncio.wait({ann.task})
        assert ann.is_over
    async with listening(live, "news") as ann:
        assert ann.status == 503
