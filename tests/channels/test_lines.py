"""Lines: what is logged in a handler says whose socket it is; at its end a socket has one line."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fastforge.observability.lines import LineBuffer

from ..folder import ProjectFolder
from ..middleware.asgi import access_log_to
from .live import Live, Somebody, live_with
from .test_events import Listener, listening

CHANNELS = """
    import logging
    from typing import Literal

    from pydantic import BaseModel

    from fastforge.channels import Channel, Connection, receives
    from fastforge.observability.context import context_fields

    noted = []

    class Said(BaseModel):
        type: Literal["said"] = "said"
        text: str = ""

    class Say(BaseModel):
        type: Literal["say"] = "say"

    class Diary(Channel, pattern="diary:{token}:{page:int}", public=True):
        Incoming = Say
        Outgoing = Said

        @receives
        async def say(self, message: Say) -> dict:
            return context_fields()

        async def left(self) -> None:
            noted.append(context_fields())

    class Broken(Channel, pattern="broken"):
        async def authorize(self, connection: Connection) -> bool:
            raise LookupError("nobody knows")

    class News(Channel, pattern="news", public=True):
        Outgoing = Said
"""


class Lines:
    """The access lines of a project."""

    def __init__(self) -> None:
        self._written = io.StringIO()
        self.log = access_log_to(LineBuffer(self._written))

    @property
    def found(self) -> list[dict[str, Any]]:
        self.log.close()
        lines = [json.loads(line) for line in self._written.getvalue().splitlines()]
        return [line for line in lines if line["path"].startswith("/channels")]


@asynccontextmanager
async def told(
    folder: ProjectFolder,
    monkeypatch: pytest.MonkeyPatch,
    more: str = "",
    files: Mapping[str, str] | None = None,
) -> AsyncIterator[tuple[Live, Lines]]:
    lines = Lines()
    monkeypatch.setattr("fastforge.asgi.enclosing.access_log_of", lambda settings: lines.log)
    async with live_with(folder, channels=CHANNELS, more=more, files=files) as live:
        yield live, lines


LOGS_USERS = """
                from fastforge.observability import Logging
                LOGGING = Logging(user_id=True)
"""


async def test_a_handler_s_lines_name_the_channel_the_connection_and_the_user(
    folder: ProjectFolder,
) -> None:
    async with live_with(folder, channels=CHANNELS, more=LOGS_USERS) as live:
        ann = await live.client(user=Somebody(id=7))
        for name in ("diary:s3cret:1", "diary:s3cret:2"):
            await ann.join(name)
        ids = (await ann.push("diary:s3cret:1", {"type": "say"}))["data"]
        assert (await ann.push("diary:s3cret:2", {"type": "say"}))["data"] == {
            **ids, "channel": "diary:***:2",
        }  # fmt: skip
        assert len(ids.pop("request_id")) == 36
        mine = {"user_id": "7", "connection_id": ann.connection_id}
        assert ids == {**mine, "channel": "diary:***:1"}
        await ann.leave("diary:s3cret:2")
        await ann.socket.close()
        told = [(each["channel"], each["connection_id"]) for each in live.channels.noted]
        assert told == [("diary:***:2", ann.connection_id), ("diary:***:1", ann.connection_id)]


async def test_users_are_named_nowhere_unless_somebody_wants_it(folder: ProjectFolder) -> None:
    async with live_with(folder, channels=CHANNELS) as live:
        ann = await live.client(user=Somebody(id=7))
        await ann.join("diary:x:1")
        assert "user_id" not in (await ann.push("diary:x:1", {"type": "say"}))["data"]


async def test_a_failure_is_told_with_the_channel_that_it_is_about(
    folder: ProjectFolder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastforge.observability.context import context_fields

    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(caplog.handler, "emit", lambda record: seen.append(context_fields()))
    async with live_with(folder, channels=CHANNELS) as live:
        ann = await live.client(user=Somebody())
        seen.clear()
        assert (await ann.join("broken"))["code"] == "failed"
        assert [(each["channel"], each["connection_id"]) for each in seen] == [
            ("broken", ann.connection_id)
        ]


async def test_the_line_of_a_socket_says_what_it_was(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with told(folder, monkeypatch, LOGS_USERS) as (live, lines):
        ann = await live.client(user=Somebody(id=7))
        for name in ("diary:s3cret:1", "news", "diary:s3cret:1", "nowhere"):
            await ann.join(name)
        await ann.socket.close(1001)
        (line,) = lines.found
    assert {key: line[key] for key in ("method", "path", "status_code", "close_code")} == {
        "method": "WEBSOCKET", "path": "/channels", "status_code": 101, "close_code": 1001,
    }  # fmt: skip
    assert (line["channels"], line["joins"]) == (["diary:***:1", "news"], 3)
    assert (line["messages_in"], line["messages_out"]) == (4, 5)
    assert (line["connection_id"], line["user_id"]) == (ann.connection_id, "7")
    assert line["duration_ms"] > 0
    assert len(line["request_id"]) == 36


async def test_however_much_somebody_joins_the_line_is_short(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with told(folder, monkeypatch) as (live, lines):
        ann = await live.client()
        for number in range(20):
            await ann.join(f"diary:x:{number}")
        await ann.join("x" * 10_000)
        await ann.socket.close()
        (line,) = lines.found
    assert (len(line["channels"]), line["joins"]) == (16, 20)


async def test_the_line_of_a_stream_of_events_says_the_same(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with told(folder, monkeypatch) as (live, lines):
        ann: Listener
        async with listening(live, "news", user=Somebody(id=7)) as ann:
            assert (await ann.next())["type"] == "joined"
            (stream,) = live.hub.sockets
            stream.close(4100, "the token has ended")
            assert (await ann.next())["code"] == 4100
        async with listening(live, "news") as bob:
            await bob.next()
        first, second = lines.found
    assert (first["status_code"], first["close_code"], first["channels"]) == (200, 4100, ["news"])
    assert (first["messages_out"], first["joins"]) == (1, 1)
    assert first["connection_id"] != second["connection_id"]
    assert second["cancelled"] is True
    assert "close_code" not in second


GUARDS = """
    from types import SimpleNamespace

    from fastforge.channels import ChannelGuard

    async def by_token(token: str) -> SimpleNamespace:
        return SimpleNamespace(id=token, token_id="", expires_at=None)

    GUARD = ChannelGuard(name="badges", by_token=by_token)
"""


async def test_whoever_says_later_who_they_are_is_named_from_then_on(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"shop/talk/channel_guards.py": GUARDS}
    async with told(folder, monkeypatch, LOGS_USERS, files) as (live, lines):
        ann = await live.client()
        await ann.join("diary:x:1")
        assert "user_id" not in (await ann.push("diary:x:1", {"type": "say"}))["data"]
        assert (await ann.ask("authenticate", token="ann"))["type"] == "ok"
        assert (await ann.push("diary:x:1", {"type": "say"}))["data"]["user_id"] == "ann"
        await ann.socket.close()
        assert [line["user_id"] for line in lines.found] == ["ann"]
