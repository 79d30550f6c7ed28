"""What clients send: messages for handlers, and what is none."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine

from ..folder import ProjectFolder
from .live import CHANNELS, Live, Somebody, live_with


async def test_a_message_reaches_its_handler_and_is_answered(live: Live) -> None:
    ann, bob = await live.client(user=Somebody()), await live.client(user=Somebody(id=2))
    await ann.join("room:7")
    await bob.join("room:7")
    answer = await ann.push("room:7", {"type": "say", "text": "hello"})
    assert (answer["type"], answer["data"]) == ("ok", {"room": 7})
    await bob.assert_push(live.channels.Said(text="hello"))
    await ann.assert_no_push()


async def test_a_handler_may_answer_its_client_alone(live: Live) -> None:
    ann, bob = await live.client(user=Somebody()), await live.client(user=Somebody(id=2))
    await ann.join("room:7")
    await bob.join("room:7")
    await ann.push("room:7", {"type": "shout", "text": "hello"})
    await ann.assert_push(live.channels.Said(text="HELLO"))
    await bob.assert_no_push()


@pytest.mark.parametrize(
    "data",
    [{"type": "say"}, {"type": "say", "text": "x" * 21}, {"type": "sing"}, {}, None, [], "say"],
)
async def test_a_message_that_is_none_is_told_and_the_socket_goes_on(live: Live, data: Any) -> None:
    ann = await live.client(user=Somebody())
    await ann.join("room:7")
    answer = await ann.ask("push", channel="room:7", data=data)
    assert (answer["type"], answer["code"]) == ("error", "invalid")
    assert (await ann.push("room:7", {"type": "say", "text": "x"}))["type"] == "ok"


async def test_what_is_wrong_with_a_message_is_told_by_field_without_what_was_sent(
    live: Live,
) -> None:
    ann = await live.client(user=Somebody())
    await ann.join("room:7")
    answer = await ann.push("room:7", {"type": "say", "text": "x" * 21})
    (error,) = answer["errors"]
    assert (error["loc"], error["type"]) == (["text"], "string_too_long")
    assert "xxx" not in str(answer)


async def test_a_handler_that_fails_is_told_without_why(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    ann = await live.client(user=Somebody())
    await ann.join("room:7")
    answer = await ann.push("room:7", {"type": "shout", "text": "fail"})
    assert (answer["code"], "secret" in str(answer)) == ("failed", False)
    assert "a push of a client failed" in caplog.text
    assert (await ann.push("room:7", {"type": "say", "text": "x"}))["type"] == "ok"


async def test_nobody_speaks_where_they_have_not_joined(live: Live) -> None:
    ann = await live.client(user=Somebody())
    answer = await ann.push("room:7", {"type": "say", "text": "x"})
    assert answer["code"] == "not_joined"


@pytest.mark.parametrize(
    "frame",
    [
        [], "join", 7, None, {}, {"type": "joni", "ref": 1, "channel": "news"},
        {"type": "join"}, {"type": "join", "channel": ""}, {"type": "join", "channel": "x" * 201},
        {"type": "join", "channel": "news", "last_id": "1"},
        {"type": "join", "channel": "news", "last_id": -1},
        {"type": "join", "channel": "news", "epoch": 7}, {"type": "ping", "ref": [1]},
        {"type": "ping", "ref": "x" * 65}, {"type": "authenticate", "token": ""},
        {"type": ["join"]}, {"type": "push", "channel": 7},
    ],
)  # fmt: skip
async def test_a_frame_that_is_no_request_is_told_and_the_socket_goes_on(
    live: Live, frame: Any
) -> None:
    ann = await live.client()
    ann.send(frame)
    answer = await ann.next()
    assert (answer["type"], answer["code"]) == ("error", "bad_frame")
    assert (await ann.ask("ping"))["type"] == "pong"


async def test_a_misspelt_type_is_told_with_the_nearest(live: Live) -> None:
    ann = await live.client()
    ann.send({"type": "joni", "ref": 1})
    assert await ann.next() == {
        "type": "error", "ref": 1, "code": "bad_frame", "message": "did you mean 'join'?",
    }  # fmt: skip


@pytest.mark.parametrize(("text", "code"), [("{", 1007), ("\ud800", 1007), ("x" * 65_537, 1009)])
async def test_what_is_no_json_or_too_large_ends_the_socket(
    live: Live, text: str, code: int
) -> None:
    ann = await live.client()
    ann.socket.send(text)
    assert (await ann.closed()).code == code


async def test_bytes_end_the_socket(live: Live) -> None:
    ann = await live.client()
    ann.socket.send_bytes(b"{}")
    assert (await ann.closed()).code == 1003


async def test_an_answer_may_have_numbers_of_any_size(folder: ProjectFolder) -> None:
    """What pydantic writes is written, whatever the other libraries think of it."""
    source = CHANNELS.replace('return {"room": room_id}', 'return {"room": 2**70}')
    async with live_with(folder, channels=source.replace("dict[str, int]", "object")) as live:
        ann = await live.client(user=Somebody())
        await ann.join("room:7")
        answer = await ann.push("room:7", {"type": "say", "text": "x"})
        assert answer["data"] == {"room": 2**70}


NOTES = """
    from sqlalchemy.orm import Mapped, mapped_column

    from fastforge.contrib.db import DbSession, Model

    class Note(Model):
        __tablename__ = "notes"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]

    class Notes(Channel, pattern="notes", public=True):
        Incoming = Say
        Outgoing = Said

        @receives
        async def say(self, message: Say, db: DbSession) -> int:
            async with db.atomic():
                db.add(Note(text=message.text))
                await self.broadcast(Said(text=message.text))
                if message.text == "fail":
                    raise RuntimeError("secret")
            return 1
"""


async def test_what_a_handler_says_in_a_transaction_waits_for_it(folder: ProjectFolder) -> None:
    database = f"sqlite+aiosqlite:///{folder.path}/db.sqlite3"
    async with live_with(
        folder,
        apps='"fastforge.contrib.db", "shop.talk"',
        channels=CHANNELS + NOTES,
        more=f"""
                from fastforge.contrib.db import Database
                DATABASES = {{"default": Database(url="{database}")}}
        """,
    ) as live:
        from fastforge.contrib.db import Model

        ann = await live.client()
        await ann.join("notes")
        engine = create_engine(f"sqlite:///{folder.path}/db.sqlite3")
        Model.metadata.tables["notes"].create(engine)
        engine.dispose()
        assert (await ann.push("notes", {"type": "say", "text": "fail"}))["code"] == "failed"
        await ann.assert_no_push()
        assert (await ann.push("notes", {"type": "say", "text": "x"}))["data"] == 1
        await ann.assert_push(live.channels.Said(text="x"))
