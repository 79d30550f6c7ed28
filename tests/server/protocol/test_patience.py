"""How long a connection waits, told by looks at it; no time passes in these tests."""

from __future__ import annotations

import asyncio
import socket
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest

from fastforge.server.protocol.limits import Limits
from fastforge.server.protocol.patience import Patience
from fastforge.server.protocol.watch import Watch
from fastforge.server.protocol.wire import untaken_bytes

LIMITS = Limits(
    max_url_bytes=100,
    max_headers=10,
    max_header_bytes=1000,
    header_timeout_s=5,
    body_timeout_s=10,
    min_body_bytes_per_s=500,
    write_timeout_s=60,
    keep_alive_s=75,
)


class FakeTransport:
    """A connection's other side, which never takes anything unless told to."""

    def __init__(self) -> None:
        self.buffered = 0
        self.closing = False
        self.end = ""

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def get_extra_info(self, name: str) -> Any:
        return SimpleNamespace(fileno=lambda: -1)

    def close(self) -> None:
        self.closing, self.end = True, "closed"

    def abort(self) -> None:
        self.end = "cut"


class FakeConnection:
    """What a connection knows of itself."""

    def __init__(self, **cycle: Any) -> None:
        self.transport = FakeTransport()
        self.flow = SimpleNamespace(read_paused=False, write_paused=False)
        self.pipeline: list[Any] = []
        self.scope: Any = None
        self.cycle: Any = None
        self.body_bytes = 0
        self.is_deaf = self.is_ending = self.is_in_head = False
        self.refused_for: Any = None
        self.watch = SimpleNamespace(
            refusals=SimpleNamespace(slow_head="slow head", slow_body="slow body")
        )
        if cycle:
            self.cycle = SimpleNamespace(
                **{
                    "disconnected": False,
                    "more_body": False,
                    "response_complete": False,
                    "waiting_for_100_continue": False,
                }
                | cycle
            )
        self.patience = Patience(LIMITS)

    def refuse(self, refusal: Any) -> None:
        self.refused_for = refusal

    @property
    def end(self) -> str:
        return self.refused_for or self.transport.end

    def looked_at(self, seconds: float) -> str:
        """How it has ended after so many seconds."""
        for _ in range(int(seconds)):
            self.patience.look(self, 1)  # type: ignore[arg-type]
        return self.end


def body(**more: Any) -> FakeConnection:
    return FakeConnection(more_body=True, **more)


def test_each_wait_has_its_limit_and_its_end() -> None:
    fresh = FakeConnection()
    assert (fresh.looked_at(5), fresh.looked_at(2)) == ("", "closed")
    head = FakeConnection()
    head.is_in_head = True
    assert (head.looked_at(5), head.looked_at(2)) == ("", "slow head")
    idle = FakeConnection(response_complete=True)
    assert (idle.looked_at(75), idle.looked_at(2)) == ("", "closed")
    silent = body()
    assert (silent.looked_at(10), silent.looked_at(2)) == ("", "slow body")
    unread = FakeConnection(response_complete=True, more_body=True)
    assert (unread.looked_at(10), unread.looked_at(2)) == ("", "closed")


def test_a_handler_may_take_as_long_as_it_likes() -> None:
    assert FakeConnection().looked_at(4) == ""
    assert FakeConnection(more_body=False).looked_at(10_000) == ""


def test_each_request_has_a_time_of_its_own() -> None:
    connection = FakeConnection()
    connection.is_in_head = True
    for _ in range(10):
        connection.scope = {}
        assert connection.looked_at(4) == ""


@pytest.mark.parametrize("bytes_a_second", [500, 1000])
def test_a_body_that_comes_fast_enough_may_take_long(bytes_a_second: int) -> None:
    connection = body()
    for _ in range(1000):
        connection.body_bytes += bytes_a_second
        assert connection.looked_at(1) == ""


def test_a_body_that_comes_too_slowly_is_ending_although_it_is_never_silent() -> None:
    connection = body()
    seconds = 0
    while not connection.end:
        connection.body_bytes += 100
        connection.looked_at(1)
        seconds += 1
    assert connection.end == "slow body"
    assert seconds == pytest.approx(10 / (1 - 100 / 500), abs=2)


def test_the_rate_of_a_body_is_its_own() -> None:
    """What has come of bodies before on this connection is no credit."""
    connection = body()
    connection.body_bytes = 1_000_000
    connection.looked_at(1)
    for _ in range(14):
        connection.body_bytes += 1
        connection.looked_at(1)
    assert connection.end == "slow body"


@pytest.mark.parametrize("reason", ["paused", "not asked for", "behind others", "gone", "deaf"])
def test_a_body_that_nobody_waits_for_may_take_any_time(reason: str) -> None:
    connection = body(
        waiting_for_100_continue=reason == "not asked for", disconnected=reason == "gone"
    )
    connection.flow.read_paused = reason == "paused"
    connection.is_deaf = reason == "deaf"
    connection.pipeline = ["another"] if reason == "behind others" else []
    assert connection.looked_at(10_000) == ""


def test_the_time_in_which_reading_was_paused_does_not_count() -> None:
    connection = body()
    for _ in range(10):
        connection.flow.read_paused = False
        connection.body_bytes += 3000
        assert connection.looked_at(5) == ""
        connection.flow.read_paused = True
        assert connection.looked_at(1000) == ""


def test_a_reader_that_takes_a_little_now_and_then_is_not_cut() -> None:
    connection = FakeConnection(more_body=False)
    connection.flow.write_paused = True
    connection.transport.buffered = 100
    for _ in range(99):
        connection.transport.buffered -= 1
        assert connection.looked_at(50) == ""
    assert connection.looked_at(62) == "cut"


def test_a_connection_that_is_closed_waits_for_its_reader_and_no_longer() -> None:
    connection = FakeConnection(response_complete=True)
    connection.transport.closing = True
    connection.transport.buffered = 100
    assert (connection.looked_at(60), connection.looked_at(2)) == ("", "cut")


def test_whoever_has_been_refused_has_a_moment_to_read_why() -> None:
    connection = body()
    connection.is_ending = True
    assert (connection.looked_at(2), connection.looked_at(2)) == ("", "closed")


def test_what_nobody_wants_may_be_sent_for_a_while() -> None:
    connection = body()
    connection.is_ending = True
    for _ in range(25):
        connection.body_bytes += 1000
        assert connection.looked_at(1) == ""
    for _ in range(10):
        connection.body_bytes += 1000
        connection.looked_at(1)
    assert connection.end == "closed"


def test_no_limit_is_no_limit() -> None:
    endless = dict.fromkeys(
        ("header_timeout_s", "body_timeout_s", "write_timeout_s", "keep_alive_s"), inf
    )
    limits = Limits(
        max_url_bytes=1, max_headers=1, max_header_bytes=1, min_body_bytes_per_s=0, **endless
    )
    assert limits.body_time_s(0) == inf
    assert limits.look_every_s == 1


class Looked:
    """A connection that notes the looks at it, or cannot be looked at."""

    def __init__(self, *, fails: bool = False) -> None:
        self.loop = asyncio.get_running_loop()
        self.patience = self
        self.transport = FakeTransport()
        self.looks: list[float] = []
        self._fails = fails

    def look(self, connection: object, elapsed_s: float) -> None:
        if self._fails:
            raise RuntimeError("a name has changed")
        self.looks.append(elapsed_s)


def watch_over(*connections: Any) -> Watch:
    watch = Watch(None, has_edge=False)
    for connection in connections:
        watch.add(connection)
    return watch


async def test_a_late_look_counts_as_two_at_most() -> None:
    """The event loop was blocked: what clients have sent meanwhile has not been read."""
    connection: Any = Looked()
    watch = watch_over(connection)
    watch._looked_at -= 1000
    watch._look(connection.loop)
    watch.discard(connection)
    assert connection.looks == [2 * watch.limits.look_every_s]


async def test_a_look_that_fails_cuts_one_connection_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken: Any = Looked(fails=True)
    well: Any = Looked()
    watch = watch_over(broken, well)
    watch._look(well.loop)
    watch.discard(well)
    assert (broken.transport.end, len(well.looks)) == ("cut", 1)
    assert "could not be looked at" in caplog.text


async def test_what_the_system_has_not_handed_over_counts_as_untaken() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(
            asyncio.Protocol, sock=ours
        )
        transport.write(bytes(1000))
        before = untaken_bytes(transport)
        assert theirs.recv(2000) == bytes(1000)
        assert before > untaken_bytes(transport) == 0
        transport.close()
