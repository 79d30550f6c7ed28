"""Failing: methods of a channel, guards and services that raise, hang or are cancelled."""

from __future__ import annotations

import asyncio
import textwrap
from dataclasses import dataclass

import pytest

from fastforge.channels import ChannelUnavailable
from fastforge.channels.serving.desk import Desk

from ..folder import ProjectFolder
from .live import CHANNELS, Live, live_with


def channels(*methods: str, head: str = 'pattern="lounge", public=True', body: str = "") -> str:
    """Return the usual channels and a Lounge with these methods."""
    lounge = f"class Lounge(Channel, {head}):\n    Outgoing = Said\n{textwrap.indent(body, '    ')}"
    written = "\n".join(textwrap.indent(textwrap.dedent(each), "    ") for each in methods)
    imports = "import asyncio\n"
    return f"{textwrap.dedent(CHANNELS)}\n{imports}\n{lounge}\n{written}\n"


async def test_a_client_is_answered_once_also_where_its_hook_fails(
    folder: ProjectFolder, caplog: pytest.LogCaptureFixture
) -> None:
    """It has joined: it was told so, and what it hears from then on is true."""
    fails = "async def joined(self) -> None:\n    raise RuntimeError('secret')"
    async with live_with(folder, channels=channels(fails)) as live:
        ann = await live.client()
        assert (await ann.join("lounge"))["type"] == "joined"
        await live.publish("Lounge", "hello")
        await ann.assert_push(live.channels.Said(text="hello"))
        await ann.assert_no_push()
        assert not ann.frames
        assert "Lounge.joined failed" in caplog.text


async def test_a_client_is_answered_once_also_where_nobody_knows_who_is_there(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise ChannelUnavailable("away", code="channels.E022")

    head = 'pattern="lounge", public=True, presence=True'
    async with live_with(folder, channels=channels(head=head)) as live:
        ann = await live.client()
        monkeypatch.setattr(live.hub.broker, "enter", away)
        assert (await ann.join("lounge"))["type"] == "joined"
        assert (await ann.next())["state"] == []
        await live.publish("Lounge", "hello")
        await ann.assert_push(live.channels.Said(text="hello"))
        await ann.assert_no_push()
        assert not ann.frames


async def test_whoever_says_later_who_they_are_is_gone_all_the_same(folder: ProjectFolder) -> None:
    """They were seen as nobody in particular; nobody of that kind stays behind."""
    guards = """
        from types import SimpleNamespace

        from fastforge.channels import ChannelGuard

        async def by_token(token: str) -> object:
            return SimpleNamespace(id=1, token_id="", expires_at=None)

        GUARD = ChannelGuard(name="talk", by_token=by_token)
    """
    head = 'pattern="lounge", public=True, presence=True'
    files = {"shop/talk/channel_guards.py": guards}
    async with live_with(folder, channels=channels(head=head), files=files) as live:
        ann = await live.client()
        await ann.join("lounge")
        assert (await ann.ask("authenticate", token="x"))["type"] == "ok"
        await ann.leave("lounge")
        presence = live.hub.presence
        assert not presence._attendances
        assert not presence._gone
        with live.here():
            assert await live.channels.Lounge.present() == []


async def test_what_others_see_of_a_client_may_fail(folder: ProjectFolder) -> None:
    fails = "def shown(self) -> dict[str, str]:\n    raise RuntimeError('secret')"
    head = 'pattern="lounge", public=True, presence=True'
    async with live_with(folder, channels=channels(fails, head=head)) as live:
        ann = await live.client()
        assert (await ann.join("lounge"))["code"] == "failed"
        assert (await ann.leave("lounge"))["code"] == "not_joined"
        assert not live.hub.presence._attendances


async def test_a_room_is_left_also_where_a_hook_hangs(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of a client that is gone stays, however its methods end."""
    monkeypatch.setattr("fastforge.channels.serving.memberships.LEAVING_LIMIT_S", 0.05)
    hangs = "async def left(self) -> None:\n    await asyncio.Event().wait()"
    async with live_with(folder, channels=channels(hangs)) as live:
        ann = await live.client()
        for name in ("lounge", "news"):
            await ann.join(name)
        await ann.socket.close()
        assert [len(room.members) for room in live.hub.rooms.values()] == [0, 0]
        assert not live.hub.sockets


async def test_a_room_is_left_also_where_the_server_gives_up_waiting(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = "async def left(self) -> None:\n    await asyncio.Event().wait()"
    async with live_with(folder, channels=channels(hangs)) as live:
        ann = await live.client()
        for name in ("lounge", "news"):
            await ann.join(name)
        ended = asyncio.Event()
        end = Desk.end

        async def seen(desk: Desk) -> None:
            ended.set()
            await end(desk)

        monkeypatch.setattr(Desk, "end", seen)
        closing = asyncio.create_task(ann.socket.close())
        await ended.wait()
        await asyncio.sleep(0)
        assert [len(room.members) for room in live.hub.rooms.values()] == [0, 0]
        task = ann.socket._task
        assert task is not None
        task.cancel()
        await closing


async def test_a_handler_that_ignores_its_cancellation_does_not_keep_its_socket(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.channels.sockets.lanes.ENDING_LIMIT_S", 0.05)
    stays = """
        async def joined(self) -> None:
            released = self.connection.state["released"] = asyncio.Event()
            Lounge.released = released
            while not released.is_set():
                try:
                    await released.wait()
                except asyncio.CancelledError:
                    pass
    """
    async with live_with(folder, channels=channels(stays)) as live:
        ann = await live.client()
        await ann.join("lounge")
        await asyncio.wait_for(ann.socket.close(), 30)
        assert not live.hub.sockets
        live.channels.Lounge.released.set()


SAY = """
    @receives
    async def say(self, message: Say) -> None:
        if message.text == "cancel":
            raise asyncio.CancelledError
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        if message.text == "await":
            await future
"""


@pytest.mark.parametrize("text", ["cancel", "await"])
async def test_a_handler_that_is_cancelled_from_within_has_failed(
    folder: ProjectFolder, text: str
) -> None:
    """What waits behind it is done."""
    async with live_with(folder, channels=channels(SAY, body="Incoming = Say")) as live:
        ann = await live.client()
        await ann.join("lounge")
        for ref, each in enumerate((text, "hello")):
            data = {"type": "say", "text": each}
            ann.send({"type": "push", "ref": ref, "channel": "lounge", "data": data})
        assert (await ann.next())["code"] == "failed"
        assert (await ann.next())["type"] == "ok"


@pytest.mark.parametrize(
    ("answer", "code"), [("1", "failed"), ("None", "failed"), ("False", "unauthenticated")]
)
async def test_only_a_yes_lets_somebody_in_and_only_a_no_is_one(
    folder: ProjectFolder, caplog: pytest.LogCaptureFixture, answer: str, code: str
) -> None:
    """Whoever forgets to return something, or returns a row, is told so in the log."""
    authorize = f"async def authorize(self) -> bool:\n    return {answer}"
    source = channels(authorize, head='pattern="lounge"')
    async with live_with(folder, channels=source) as live:
        ann = await live.client()
        assert (await ann.join("lounge"))["code"] == code
        assert ("channels.E017" in caplog.text) is (code == "failed")


async def test_a_guard_that_fails_is_told_and_the_socket_goes_on(folder: ProjectFolder) -> None:
    guards = """
        from fastforge.channels import ChannelGuard

        async def by_token(token: str) -> None:
            raise RuntimeError("secret")

        GUARD = ChannelGuard(name="talk", by_token=by_token)
    """
    async with live_with(folder, files={"shop/talk/channel_guards.py": guards}) as live:
        ann = await live.client()
        assert (await ann.ask("authenticate", token="x"))["code"] == "failed"
        assert (await ann.join("news"))["type"] == "joined"


async def test_rooms_stay_when_what_looks_after_sockets_fails(folder: ProjectFolder) -> None:
    """A guard whose watching fails has it begin anew; those who have joined hear nothing of it."""
    guards = """
        from fastforge.channels import ChannelGuard

        watched = []

        async def watch(hub: object) -> None:
            watched.append(hub)
            raise RuntimeError("the server of revocations is away")

        GUARD = ChannelGuard(name="talk", watch=watch)
    """
    async with live_with(folder, files={"shop/talk/channel_guards.py": guards}) as live:
        from shop.talk.channel_guards import watched  # type: ignore[import-not-found]

        ann = await live.client()
        await ann.join("news")
        await live.until(lambda: len(watched) > 1)
        await live.publish("News", "hello")
        await ann.assert_push(live.channels.Said(text="hello"))


@dataclass(kw_only=True)
class Row:
    """Somebody whose row may be of a session that has ended."""

    id: int = 1
    token_id: str = ""
    is_detached: bool = False

    @property
    def expires_at(self) -> float | None:
        if self.is_detached:
            raise RuntimeError("detached")
        return None


async def test_one_socket_that_cannot_be_looked_after_keeps_no_other(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    user = Row()
    ann, bob = await live.client(user=user), await live.client()
    assert (await ann.join("news"))["type"] == "joined"
    assert (await bob.join("news"))["type"] == "joined"
    user.is_detached = True
    assert (await ann.closed()).code == 1011
    await live.publish("News", "hello")
    await bob.assert_push(live.channels.Said(text="hello"))
    assert caplog.text.count("a socket cannot be looked after") == 1
