"""The broker of one process: what it keeps, and for how long."""

from __future__ import annotations

import pytest

from fastforge.channels.carrying import memory
from fastforge.channels.carrying.broker import Envelope, Kept
from fastforge.channels.carrying.memory import MemoryBroker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker(clock: Clock) -> MemoryBroker:
    return MemoryBroker(clock)


async def publish(broker: MemoryBroker, name: str, count: int, kept: Kept | None) -> None:
    for number in range(count):
        await broker.publish(name, b"%d" % number, exclude="", kept=kept)


async def ids(broker: MemoryBroker, name: str, after: int) -> tuple[list[int], bool]:
    recalled = await broker.recall(name, after=after, epoch=broker.epoch, kept=None)
    return [each.id for each in recalled.messages], recalled.is_complete


async def test_messages_come_in_with_growing_ids(broker: MemoryBroker) -> None:
    got: list[Envelope] = []
    broker.attach(got.append, lambda: None, lambda name: None)
    await publish(broker, "a", 2, None)
    await broker.publish("b", b"x", exclude="me", kept=None)
    assert got == [Envelope("a", 1, b"0"), Envelope("a", 2, b"1"), Envelope("b", 3, b"x", "me")]


async def test_so_many_are_kept_and_what_is_gone_is_known(broker: MemoryBroker) -> None:
    await publish(broker, "a", 5, Kept(3, 60))
    assert await ids(broker, "a", 2) == ([3, 4, 5], True)
    assert await ids(broker, "a", 1) == ([3, 4, 5], False)
    assert await ids(broker, "a", 5) == ([], True)


async def test_they_are_kept_for_so_long(broker: MemoryBroker, clock: Clock) -> None:
    await publish(broker, "a", 1, Kept(3, 60))
    clock.now = 30
    await publish(broker, "a", 1, Kept(3, 60))
    clock.now = 61
    assert await ids(broker, "a", 1) == ([2], True)
    assert await ids(broker, "a", 0) == ([2], False)


async def test_a_room_that_was_silent_for_long_is_forgotten_and_that_is_known(
    broker: MemoryBroker, clock: Clock
) -> None:
    await publish(broker, "a", 2, Kept(3, 60))
    clock.now = 100
    await publish(broker, "b", 1, Kept(3, 60))
    assert list(broker._pasts) == ["b"]
    assert await ids(broker, "a", 1) == ([], False)
    assert await ids(broker, "a", 2) == ([], True)


async def test_a_quiet_room_is_recovered_whole(broker: MemoryBroker) -> None:
    await publish(broker, "b", 3, None)
    assert await ids(broker, "a", 3) == ([], True)


async def test_the_pasts_of_so_many_rooms_are_kept(
    broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST_ROOMS", 2)
    for name in "abc":
        await publish(broker, name, 1, Kept(3, 60))
    assert list(broker._pasts) == ["b", "c"]
    assert await ids(broker, "a", 0) == ([], False)


async def test_another_epoch_and_an_id_to_come_recover_nothing(broker: MemoryBroker) -> None:
    await publish(broker, "a", 1, Kept(3, 60))
    assert not (await broker.recall("a", after=0, epoch="other", kept=None)).is_complete
    assert not (await broker.recall("a", after=2, epoch=broker.epoch, kept=None)).is_complete
    assert (await broker.recall("a", after=None, epoch="", kept=None)).last_id == 1
