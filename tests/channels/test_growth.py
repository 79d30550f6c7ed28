"""Growth: what was said and who was here leaves nothing behind; and what many say has one order."""

from __future__ import annotations

import asyncio
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.to_thread import run_sync

from fastforge import offload
from fastforge.channels import ChannelUnavailable
from fastforge.channels.declaring.messages import Messages
from fastforge.channels.errors import ChannelError
from fastforge.lifecycle import use_container

from ..folder import ProjectFolder, isolated
from .live import CHANNELS, Live, Somebody, live_with


async def test_what_is_said_where_nobody_is_leaves_nothing(live: Live) -> None:
    """Ten thousand names that are published to are no rooms, and no entries anywhere."""
    with live.here():
        for number in range(2000):
            await live.channels.Room.publish(live.channels.Said(text="x"), room_id=number)
    broker: Any = live.hub.broker
    assert not live.hub.rooms
    assert not broker._pasts
    assert not broker._present


async def test_rooms_that_all_have_left_are_gone_soon(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.channels.rooms.hub.LINGER_S", 0.01)
    ann = await live.client(user=Somebody())
    for number in range(-30, 10):
        await ann.join(f"room:{number}")
        await ann.leave(f"room:{number}")
    await ann.join("room:0")
    await live.until(lambda: [*live.hub.rooms] == ["room:0"])
    (socket,) = live.hub.sockets
    assert len(socket.lanes) == 0
    await ann.socket.close()
    await live.until(lambda: not live.hub.rooms)
    assert not live.hub.places


async def test_sockets_that_came_and_went_leave_nothing(live: Live) -> None:
    for number in range(100):
        ann = await live.client(user=Somebody(id=number))
        await ann.join("room:7")
        await ann.socket.close()
    hub = live.hub
    assert not hub.sockets
    assert not hub.places
    assert not hub.users.are_wanted
    assert not hub.rooms["room:7"].members


async def test_what_each_publisher_says_comes_in_its_order_and_all_in_one(live: Live) -> None:
    ann, bob = await live.client(), await live.client()
    await ann.join("news")
    await bob.join("news")

    async def say(who: int) -> None:
        for number in range(20):
            await live.channels.News.publish(live.channels.Said(text=f"{who} {number}"))
            await asyncio.sleep(0)

    with live.here():
        await asyncio.gather(*(say(who) for who in range(5)))
    heard = [[(await each.next())["data"]["text"] for _ in range(100)] for each in (ann, bob)]
    assert heard[0] == heard[1]
    for who in range(5):
        own = [text for text in heard[0] if text.startswith(f"{who} ")]
        assert own == [f"{who} {number}" for number in range(20)]


async def test_many_threads_publish_at_once(live: Live) -> None:
    ann = await live.client()
    await ann.join("news")
    said = live.channels.Said
    with live.here():
        await asyncio.gather(
            *(
                offload(live.channels.News.publish_from_thread, said(text=str(number)))
                for number in range(50)
            )
        )
    texts = {(await ann.next())["data"]["text"] for _ in range(50)}
    assert texts == {str(number) for number in range(50)}


async def test_a_thread_that_nobody_here_has_started_is_told_so(live: Live) -> None:
    told: list[Exception] = []

    def publish() -> None:
        try:
            live.channels.News.publish_from_thread(live.channels.Said(text="x"))
        except Exception as error:
            told.append(error)

    with live.here(), ThreadPoolExecutor() as pool:
        await asyncio.wrap_future(pool.submit(publish))
    assert isinstance(told[0], ChannelError)
    assert "channels.E015" in str(told[0])


def test_a_thread_that_goes_on_after_the_end_is_told_so(folder: ProjectFolder) -> None:
    """Nothing takes a message any more, and a success that reaches nobody would be a lie."""
    ended, is_told, told = threading.Event(), threading.Event(), []

    async def serve() -> None:
        async with live_with(folder) as live:

            def publish() -> None:
                ended.wait(30)
                try:
                    live.channels.News.publish_from_thread(live.channels.Said(text="x"))
                except Exception as error:
                    told.append(error)
                is_told.set()

            with live.here(), anyio.move_on_after(0.05):
                await run_sync(publish, abandon_on_cancel=True)

    asyncio.run(serve())
    ended.set()
    assert is_told.wait(30)
    assert isinstance(told[0], ChannelUnavailable)


async def test_a_message_is_written_once_and_costs_no_task(live: Live) -> None:
    """However many get it, also where one of them takes nothing."""
    clients = [await live.client() for _ in range(20)]
    for each in clients:
        await each.join("news")
    clients[0].socket.stop_reading()
    written: list[object] = []
    write = Messages.write

    def counted(messages: Messages, message: object, *, where: str) -> bytes:
        written.append(message)
        return write(messages, message, where=where)

    tasks = len(asyncio.all_tasks())
    with pytest.MonkeyPatch.context() as patch, live.here():
        patch.setattr(Messages, "write", counted)
        for number in range(2000):
            await live.channels.News.publish(live.channels.Said(text=str(number)))
    assert len(written) == 2000
    assert len(asyncio.all_tasks()) <= tasks + len(clients)
    for each in clients[1:]:
        assert [(await each.next())["data"]["text"] for _ in range(2000)][-1] == "1999"


@pytest.mark.parametrize("turns", range(3))
async def test_a_publisher_that_is_cancelled_has_told_all_or_nobody(live: Live, turns: int) -> None:
    ann, bob = await live.client(), await live.client()
    await ann.join("news")
    await bob.join("news")
    with live.here():
        said = live.channels.Said(text="x")
        publishing = asyncio.ensure_future(live.channels.News.publish(said))
        for _ in range(turns):
            await asyncio.sleep(0)
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
    heard = []
    for each in (ann, bob):
        await each.ask("ping")
        heard.append([frame["type"] for frame in each.frames])
    assert heard[0] == heard[1] == (["message"] if turns else [])


async def test_whoever_is_let_go_by_a_message_keeps_it_from_nobody(folder: ProjectFolder) -> None:
    source = (
        CHANNELS
        + """
    class Ledger(Channel, pattern="ledger", public=True, overflow="disconnect", queue_size=1):
        Outgoing = Said
    """
    )
    async with live_with(folder, channels=source) as live:
        clients = [await live.client() for _ in range(3)]
        for each in clients:
            await each.join("ledger")
        clients[1].socket.stop_reading()
        for number in range(5):
            await live.publish("Ledger", str(number))
            for each in (clients[0], clients[2]):
                await each.assert_push(live.channels.Said(text=str(number)))
        clients[1].socket.go_on_reading()
        assert (await clients[1].closed()).code == 4108


async def test_a_handler_ends_with_its_client(folder: ProjectFolder) -> None:
    """Whatever it waits for: it is cancelled, and its `finally` runs."""
    source = (
        "import asyncio\n"
        + textwrap.dedent(CHANNELS)
        + textwrap.dedent("""
        class Lounge(Channel, pattern="lounge", public=True):
            Incoming = Say
            ended = 0

            @receives
            async def say(self, message: Say) -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    Lounge.ended += 1
    """)
    )
    async with live_with(folder, channels=source) as live:
        clients = [await live.client() for _ in range(5)]
        for each in clients:
            await each.join("lounge")
            data = {"type": "say", "text": "x"}
            each.send({"type": "push", "ref": 1, "channel": "lounge", "data": data})
            await each.ask("ping")
            await each.socket.close()
        assert live.channels.Lounge.ended == 5


async def test_projects_in_one_process_hear_nothing_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with isolated(tmp_path / "one") as folder:
        async with live_with(folder) as one, live_with(folder) as other:
            ann = await one.client()
            bob = await other.client()
            await ann.join("news")
            await bob.join("news")
            assert one.found.container is not None
            with use_container(other.found.container):
                await other.channels.News.publish(other.channels.Said(text="other"))
            await bob.assert_push(other.channels.Said(text="other"))
            await ann.assert_no_push()
