"""Outbox: what waits for a client that does not read, and what becomes of too much."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fastforge.channels.declaring.bounds import Bounds, Overflow
from fastforge.channels.rooms.membership import Membership
from fastforge.channels.waiting.frames import Frame
from fastforge.channels.waiting.gate import SHUT
from fastforge.channels.waiting.outbox import Outbox

ROOMY = 10**6


class Wire:
    """Takes nothing unless it is told to."""

    def __init__(self) -> None:
        self.gate = SHUT
        self.is_ready = False
        self.written: list[bytes] = []
        self.wakes = 0

    def offer(self, frame: Frame) -> bool:
        if self.is_ready:
            self.written.append(frame.data)
        return self.is_ready

    def wake(self) -> None:
        self.wakes += 1


class Box:
    """An outbox with one member of one room."""

    def __init__(self, *, size: int = 3, size_bytes: int = ROOMY, patience_s: float = 60) -> None:
        self.wire = Wire()
        self.let_go = 0
        self.outbox = Outbox(
            self.wire, size=size, size_bytes=size_bytes, patience_s=patience_s, let_go=self._let_go
        )

    def _let_go(self) -> None:
        self.let_go += 1

    def member(self, overflow: Overflow = "drop_oldest", **bounds: Any) -> Membership:
        channel: Any = SimpleNamespace(
            bounds=Bounds(overflow=overflow, **bounds),
            name="room",
            connection=SimpleNamespace(id="c"),
        )
        member = Membership(channel, self.outbox)
        member._kept_back = None
        return member

    def out(self) -> list[str]:
        found = []
        while (frame := self.outbox.pop()) is not None:
            found.append(frame.data.decode())
        return found


def frame(text: str, id: int = 0, key: object = None) -> Frame:
    return Frame(text.encode(), id, key)


def test_a_wire_that_is_ready_takes_a_frame_at_once() -> None:
    box = Box()
    box.wire.is_ready = True
    box.outbox.push(frame("a"), box.member())
    assert (box.wire.written, len(box.outbox), box.outbox.sent) == ([b"a"], 0, 1)


def test_nothing_overtakes_what_waits() -> None:
    box = Box()
    member = box.member()
    box.outbox.push(frame("a"), member)
    box.wire.is_ready = True
    box.outbox.push(frame("b"), member)
    box.outbox.drain()
    assert box.wire.written == [b"a", b"b"]


def test_drop_oldest_tells_how_many_are_missing_where_they_are_missing() -> None:
    box = Box()
    member = box.member()
    for number in range(1, 6):
        box.outbox.push(frame(f"m{number}", number), member)
    gap = '{"type":"gap","channel":"room","dropped":2,"last_id":2}'
    assert box.out() == [gap, "m3", "m4", "m5"]
    assert (box.outbox.dropped, member.waiting, member.waiting_bytes) == (2, 0, 0)


def test_drop_newest_tells_it_at_the_end() -> None:
    box = Box()
    member = box.member("drop_newest")
    for number in range(1, 6):
        box.outbox.push(frame(f"m{number}", number), member)
    gap = '{"type":"gap","channel":"room","dropped":2,"last_id":5}'
    assert sorted(box.out()) == sorted(["m1", "m2", "m3", gap])


def test_disconnect_lets_the_client_go() -> None:
    box = Box()
    member = box.member("disconnect")
    for number in range(4):
        box.outbox.push(frame(f"m{number}"), member)
    assert box.let_go == 1


def test_conflate_sends_the_first_and_the_latest_of_each_key_in_order() -> None:
    """Whoever comes back by its last id has got what is before it."""
    box = Box()
    member = box.member("conflate", conflate_by="symbol")
    for text, key in (("a1", "a"), ("b1", "b"), ("a2", "a"), ("a3", "a")):
        box.outbox.push(frame(text, key=key), member)
    assert box.out() == ["a1", "b1", "a3"]
    assert (member.waiting, member.waiting_bytes, box.outbox.waiting_bytes) == (0, 0, 0)


def test_conflate_makes_room_by_what_is_worthless_before_it_drops_anything() -> None:
    box = Box()
    member = box.member("conflate", conflate_by="symbol", queue_size=3)
    for text, key in (("a1", "a"), ("b1", "b"), ("c1", "c"), ("b2", "b"), ("b3", "b")):
        box.outbox.push(frame(text, key=key), member)
    assert box.out() == ["a1", "c1", "b3"]


def test_what_changes_all_the_time_has_its_turn() -> None:
    box = Box(size=9)
    member = box.member("conflate", conflate_by="symbol")
    out = []
    for number in range(6):
        box.outbox.push(frame(f"hot{number}", key="hot"), member)
        if number % 2:
            box.outbox.push(frame(f"cold{number}", key=number), member)
            sent = box.outbox.pop()
            out.append(sent.data.decode() if sent is not None else "")
    assert out == ["hot0", "hot1", "cold1"]
    assert box.out() == ["hot3", "cold3", "hot5", "cold5"]


def test_a_client_that_is_behind_for_too_long_is_let_go_whatever_the_policy() -> None:
    box = Box(patience_s=0)
    member = box.member()
    for number in range(5):
        box.outbox.push(frame(f"m{number}"), member)
    assert box.let_go >= 1


def test_whoever_has_caught_up_has_its_patience_back() -> None:
    box = Box(patience_s=0)
    member = box.member()
    for number in range(4):
        box.outbox.push(frame(f"m{number}"), member)
    before = box.let_go
    box.out()
    box.outbox.push(frame("m"), member)
    assert box.let_go == before


@pytest.mark.parametrize(
    ("bounds", "waiting"), [({"queue_size": 2}, 2), ({"queue_bytes": 5}, 2), ({}, 3)]
)
def test_a_channel_may_have_less_than_the_client(bounds: Any, waiting: int) -> None:
    box = Box()
    member = box.member(**bounds)
    for number in range(5):
        box.outbox.push(frame(f"m{number}"), member)
    assert len(box.outbox) == waiting


def test_one_channel_does_not_drop_what_is_another_s() -> None:
    box = Box()
    one, other = box.member(), box.member()
    for number in range(3):
        box.outbox.push(frame(f"one{number}"), one)
    box.outbox.push(frame("other"), other)
    assert [text for text in box.out() if text.startswith("one")] == ["one0", "one1", "one2"]
    assert other.dropped == 0  # and was told of it


def test_bytes_are_bounded_too() -> None:
    box = Box(size=100, size_bytes=10)
    member = box.member()
    for _ in range(10):
        box.outbox.push(frame("12345"), member)
    assert (len(box.outbox), box.outbox.waiting_bytes) == (2, 10)


def test_a_message_larger_than_everything_is_dropped_alone() -> None:
    box = Box(size_bytes=10)
    member = box.member()
    box.outbox.push(frame("x" * 11, 1), member)
    assert box.out() == ['{"type":"gap","channel":"room","dropped":1,"last_id":1}']


def test_answers_are_not_dropped_and_bounded_all_the_same() -> None:
    box = Box()
    for number in range(10):
        box.outbox.push(frame(f"a{number}"))
    assert (len(box.outbox), box.let_go) == (7, 3)


def test_what_waits_of_a_channel_goes_with_it() -> None:
    box = Box()
    one, other = box.member(), box.member()
    box.outbox.push(frame("one"), one)
    box.outbox.push(frame("other"), other)
    one.end()
    assert (box.outbox.waiting_bytes, box.out()) == (5, ["other"])


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "disconnect"])
def test_what_was_missed_is_not_bounded_and_takes_no_room(overflow: Overflow) -> None:
    """Whoever was told that nothing is missing gets all of it, and what is said meanwhile."""
    box = Box()
    member = box.member(overflow)
    missed = [f"m{number}" for number in range(9)]
    for text in missed:
        box.outbox.push_missed(frame(text), member)
    box.outbox.push(frame("answer"))
    for number in range(2):
        box.outbox.push(frame(f"now{number}"), member)
    assert box.out() == [*missed, "answer", "now0", "now1"]
    assert (member.waiting, member.missed, box.outbox.waiting_bytes, box.let_go) == (0, 0, 0, 0)


def test_what_was_missed_gives_no_way_and_goes_with_its_channel() -> None:
    box = Box()
    member = box.member()
    box.outbox.push_missed(frame("missed"), member)
    for number in range(1, 5):
        box.outbox.push(frame(f"m{number}", number), member)
    gap = '{"type":"gap","channel":"room","dropped":1,"last_id":1}'
    assert box.out() == ["missed", gap, "m2", "m3", "m4"]
    box.outbox.push_missed(frame("missed"), member)
    member.end()
    assert box.out() == []


def test_a_gap_is_told_before_what_comes_later_and_was_missed_by_the_process() -> None:
    """Else a client takes what is between for known, and asks for the rest alone."""
    box = Box(size=2)
    member = box.member()
    for number in range(1, 4):
        box.outbox.push(frame(f"m{number}", number), member)
    box.outbox.push_missed(frame("m4", 4), member)
    for number in range(5, 8):
        box.outbox.push(frame(f"m{number}", number), member)
    gap = '{"type":"gap","channel":"room","dropped":4,"last_id":5}'
    assert box.out() == [gap, "m4", "m6", "m7"]


def test_what_was_missed_is_conflated_as_well() -> None:
    box = Box()
    member = box.member("conflate", conflate_by="symbol")
    box.outbox.push_missed(frame("a1", key="a"), member)
    box.outbox.push_missed(frame("a2", key="a"), member)
    box.outbox.push(frame("a333", key="a"), member)
    assert box.out() == ["a1", "a333"]
    assert (member.waiting_bytes, member.missed, box.outbox.waiting_bytes) == (0, 0, 0)
