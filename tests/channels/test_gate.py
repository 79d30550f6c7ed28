"""Gate: the short way of a message to a client that keeps up, and when it is not taken."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fastforge.channels import Channel, Connection
from fastforge.channels.carrying.broker import Envelope
from fastforge.channels.rooms.counts import Tally
from fastforge.channels.rooms.membership import Membership
from fastforge.channels.rooms.room import Room
from fastforge.channels.waiting.frames import Frame
from fastforge.channels.waiting.outbox import Outbox
from fastforge.channels.waiting.wires import DirectWire
from fastforge.server.protocol.websocket.transport import SocketTransport
from fastforge.transport import text_frame

from ..processes import wait_until_async


class News(Channel, pattern="news", public=True): ...


class Client:
    """A client in a room, over our server's transport, without the rest of the server."""

    def __init__(self, room: Room, id: str) -> None:
        self.got: list[bytes] = []
        self.flag = asyncio.Event()
        self.protocol: Any = SimpleNamespace(
            is_open=True,
            transport=SimpleNamespace(write=self.got.append, get_write_buffer_size=lambda: 0),
            writable=SimpleNamespace(is_set=self.flag.is_set, wait=self.flag.wait),
        )
        self.transport = SocketTransport(self.protocol)
        self.wire = DirectWire(self.transport, cast(Any, None))
        self.outbox = Outbox(self.wire, size=9, size_bytes=9999, patience_s=9, let_go=lambda: None)
        connection = Connection(id, {"type": "websocket"}, self.outbox, lambda code, why: None)
        self.member = Membership(News(connection, "news", {}), self.outbox)
        room.members[id] = self.member
        self.can_write(True)

    def can_write(self, can: bool) -> None:
        self.flag.set() if can else self.flag.clear()
        self.transport.look()

    def begin(self, last_id: int = 0) -> None:
        self.member.begin(Frame(b"joined"), [], last_id)
        self.got.clear()

    @property
    def ids(self) -> list[int]:
        return [int(each.partition(b'"id":')[2].partition(b",")[0] or 0) for each in self.got]


@pytest.fixture
def room() -> Room:
    return Room("news", News, Tally.of(News))


def say(room: Room, *ids: int, exclude: str = "") -> None:
    for id_ in ids:
        room.deliver(Envelope("news", id_, b"{}", exclude))


async def test_a_client_that_keeps_up_is_written_to_past_its_outbox_and_counted(room: Room) -> None:
    ann = Client(room, "ann")
    ann.begin()
    say(room, 1, 2, 3)
    assert ann.ids == [1, 2, 3]
    answer_and_first, all_of_them = 2, 4
    assert (ann.outbox.sent, ann.transport.written) == (answer_and_first, all_of_them)
    assert ann.transport.written_bytes == len(text_frame(b"joined")) + sum(map(len, ann.got))


async def test_who_has_said_it_does_not_get_it(room: Room) -> None:
    ann, bob = Client(room, "ann"), Client(room, "bob")
    for client in (ann, bob):
        client.begin()
    say(room, 1)
    say(room, 2, exclude="ann")
    assert (ann.ids, bob.ids) == ([1], [1, 2])


async def test_what_a_client_knows_already_is_not_given_again(room: Room) -> None:
    ann = Client(room, "ann")
    ann.begin(last_id=2)
    say(room, 1, 2, 3, 4)
    assert ann.ids == [3, 4]


async def test_nothing_overtakes_what_waits_for_a_client_that_was_behind(room: Room) -> None:
    ann = Client(room, "ann")
    ann.begin()
    ann.wire.start(ann.outbox, ended=lambda: None, stopping=lambda code, why: None)
    say(room, 1)
    ann.can_write(False)
    say(room, 2, 3)
    ann.can_write(True)
    say(room, 4)  # it may be written to, and what waits comes first
    assert ann.ids == [1]
    await wait_until_async(lambda: ann.transport.writer is not None)
    say(room, 5)
    assert ann.ids == [1, 2, 3, 4, 5]
    await ann.wire.end()


async def test_nothing_is_written_to_a_socket_that_has_ended(room: Room) -> None:
    ann, bob = Client(room, "ann"), Client(room, "bob")
    for client in (ann, bob):
        client.begin()
    say(room, 1)
    ann.protocol.is_open = False
    ann.transport.look()
    bob.transport.release()
    say(room, 2)
    assert (ann.ids, bob.ids) == ([1], [1])


async def test_a_gap_that_waits_alone_is_told_before_the_next_message(room: Room) -> None:
    ann = Client(room, "ann")
    ann.begin()
    ann.outbox._drop(Frame(b"{}", 1), ann.member)
    say(room, 2)
    ann.outbox.drain()
    assert [b'"gap"' in each for each in ann.got] == [True, False]
