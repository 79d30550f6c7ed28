"""Catching up: what comes in while the past is read is given once, and in order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

import pytest
from pydantic import BaseModel

from fastforge.channels import Broker, Channel, Channels, ChannelUnavailable, Connection
from fastforge.channels.carrying.broker import Envelope, Recalled
from fastforge.channels.carrying.memory import MemoryBroker
from fastforge.channels.rooms.hub import Hub
from fastforge.channels.rooms.membership import Membership
from fastforge.channels.waiting.frames import Frame
from fastforge.channels.waiting.gate import SHUT
from fastforge.channels.waiting.outbox import Outbox

from .live import Live


class Said(BaseModel):
    type: Literal["said"] = "said"


class News(Channel, pattern="news", public=True, history=10):
    Outgoing = Said


class Rain(Channel, pattern="rain", public=True):
    Outgoing = Said


class Taking:
    """A client that takes everything at once."""

    gate = SHUT
    is_ready = True

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.gaps = 0

    def offer(self, frame: Frame) -> bool:
        self.gaps += b'"gap"' in frame.data
        self.ids += [frame.id] * bool(frame.id)
        return True

    def wake(self) -> None: ...


class Late(MemoryBroker):
    """Reads the past while messages come in, as over two connections."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: Callable[[Envelope], None]
        self.lost: Callable[[], None]
        self.before: Sequence[int] = ()
        self.recalled: Sequence[int] = ()
        self.is_complete = True

    def attach(self, deliver: Any, missed: Any, changed: Any) -> None:
        self.heard, self.lost = deliver, missed

    async def recall(self, name: str, **asked: Any) -> Recalled:
        for id_ in self.before:
            self.heard(Envelope(name, id_, b"{}"))
        return Recalled(
            epoch="e",
            last_id=max(self.recalled, default=0),
            messages=[Envelope(name, id_, b"{}") for id_ in self.recalled],
            is_complete=self.is_complete,
        )


def joined_to(hub: Hub, kind: type[Channel], client: Taking) -> Membership:
    outbox = Outbox(client, size=9, size_bytes=999, patience_s=9, let_go=lambda: None)
    connection = Connection(str(id(client)), {"type": "websocket"}, outbox, lambda code, why: None)
    parameters: Mapping[str, Any] = {}
    assert kind.pattern is not None
    return Membership(kind(connection, kind.pattern.text, parameters), outbox)


async def caught_up(kind: type[Channel], broker: Late, client: Taking, last_id: int) -> Hub:
    hub = Hub([kind], Channels(), lambda: cast(Broker, broker))
    membership = joined_to(hub, kind, client)
    room = await hub.enter(membership)
    room.stand_at(Recalled(epoch="e", last_id=last_id))
    membership.begin(Frame(b"{}"), [], last_id)
    broker.lost()
    assert hub.catching_up.running is not None
    await hub.catching_up.running
    return hub


async def test_what_comes_in_meanwhile_comes_after_what_was_missed() -> None:
    broker, client = Late(), Taking()
    broker.before, broker.recalled = (8,), (6, 7, 8)
    hub = await caught_up(News, broker, client, last_id=5)
    assert client.ids == [6, 7, 8]
    for id_ in (7, 8, 9):
        broker.heard(Envelope("news", id_, b"{}"))
    assert (client.ids, client.gaps) == ([6, 7, 8, 9], 0)
    hub.close()


async def test_what_a_process_has_missed_is_given_whole_whatever_the_bounds() -> None:
    broker, client = Late(), Taking()
    broker.recalled = tuple(range(6, 30))
    client.offer = lambda frame: False  # type: ignore[method-assign]
    hub = await caught_up(News, broker, client, last_id=5)
    (member,) = hub.rooms["news"].members.values()
    assert (member.missed, member.dropped) == (24, 0)
    hub.close()


async def test_what_cannot_be_read_is_told_as_missing_and_ids_may_begin_anew() -> None:
    for kind in (News, Rain):
        broker, client = Late(), Taking()
        broker.before, broker.is_complete = (3,), False
        hub = await caught_up(kind, broker, client, last_id=50)
        broker.heard(Envelope(kind.pattern.text if kind.pattern else "", 4, b"{}"))
        assert client.gaps == 1
        assert client.ids == ([3, 4] if kind is News else [4])
        hub.close()


class Away(Late):
    """Reads the past at the third attempt, or never."""

    def __init__(self, failures: float) -> None:
        super().__init__()
        self.failures = failures

    async def recall(self, name: str, **asked: Any) -> Recalled:
        self.failures -= 1
        if self.failures >= 0:
            self.heard(Envelope(name, 9, b"{}"))
            raise ChannelUnavailable("away", code="channels.E022")
        return await super().recall(name, **asked)


async def test_what_cannot_be_read_yet_is_asked_for_again_for_some_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fastforge.channels.rooms.catching_up.PAUSE_S", 0.01)
    broker, client = Away(2), Taking()
    broker.recalled = (6, 7)
    hub = await caught_up(News, broker, client, last_id=5)
    assert (client.ids, client.gaps) == ([6, 7, 9], 0)
    hub.close()
    monkeypatch.setattr("fastforge.channels.rooms.catching_up.LONGEST_S", 0.03)
    broker, client = Away(math.inf), Taking()
    hub = await caught_up(News, broker, client, last_id=5)
    assert (client.ids, client.gaps) == ([9], 1)
    hub.close()


async def test_many_rooms_are_caught_up_side_by_side_and_each_once() -> None:
    """What waits for the past of one room is nothing to the next."""
    options: dict[str, Any] = {"public": True, "history": 1}
    kinds = [
        type(f"News{number}", (Channel,), {"Outgoing": Said}, pattern=f"n{number}", **options)
        for number in range(50)
    ]
    broker = Late()
    hub = Hub(kinds, Channels(), lambda: cast(Broker, broker))
    clients = [Taking() for _ in kinds]
    for kind, client in zip(kinds, clients, strict=True):
        membership = joined_to(hub, kind, client)
        room = await hub.enter(membership)
        room.stand_at(Recalled(epoch="e", last_id=5))
        membership.begin(Frame(b"{}"), [], 5)
    broker.recalled = (6,)
    broker.lost()
    assert hub.catching_up.running is not None
    await hub.catching_up.running
    assert all((client.ids, client.gaps) == ([6], 0) for client in clients)
    hub.close()


async def test_what_was_read_from_the_past_and_comes_in_later_is_given_once(live: Live) -> None:
    ann = await live.client()
    joined = await ann.join("news")
    await live.publish("News", "1")
    again = await live.client()
    await again.join("news", last_id=joined["last_id"], epoch=joined["epoch"])
    first = await again.next()
    live.hub.rooms["news"].last_id = joined["last_id"]  # as where it has not come in here yet
    live.hub._deliver(Envelope("news", first["id"], b'{"type":"said","text":"1"}'))
    await again.assert_no_push()
