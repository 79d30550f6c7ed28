"""Benchmarks: what they count is what is there, and what they claim of channels is so."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import pytest

from benchmarks import channels, peers
from benchmarks.harness.listeners import Listener
from benchmarks.harness.rows import Row

from .processes import ROOT, run

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


class Transport:
    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data


def frame(opcode: int, content: bytes) -> bytes:
    length = len(content)
    if length < 126:
        return bytes((0x80 | opcode, length)) + content
    return bytes((0x80 | opcode, 126)) + length.to_bytes(2, "big") + content


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_a_listener_counts_messages_however_they_come_in(size: int) -> None:
    messages = [b'{"data":{"at":1,"padding":"%b"}}' % (b"x" * length) for length in (1, 90, 200)]
    frames = [frame(1, each) for each in messages]
    answers = frame(1, b'{"type":"joined"}'), frame(9, b"?"), frame(8, b"\x03\xf4restart")
    data = HANDSHAKE + answers[0] + b"".join(frames) + answers[1] + answers[2]
    listener, transport = Listener(), Transport()
    listener.connection_made(transport)  # type: ignore[arg-type]
    for start in range(0, len(data), size):
        listener.data_received(data[start : start + size])
    assert listener.opened.done()
    assert (listener.received, len(listener.latencies_ns)) == (3, 3)
    assert (listener.answers, listener.close_code) == ([b'{"type":"joined"}'], 1012)
    assert transport.written == b"\x8a\x81" + bytes(4) + b"?"


async def test_a_listener_that_is_not_let_in_says_what_it_was_told() -> None:
    listener = Listener()
    listener.data_received(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    with pytest.raises(RuntimeError, match="403 Forbidden"):
        await asyncio.wait_for(listener.opened, 1)


@pytest.mark.long
@pytest.mark.parametrize(
    "case", ["fanout-200", "fanout-1000", "idle-memory", "held", "slow-consumer", "cross-process"]
)
def test_every_case_of_channels_has_one_row_of_ours(case: str) -> None:
    command = [sys.executable, "-m", "benchmarks.channels", "--quick", "--json", "--case", case]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = run(command, cwd=ROOT, env=env, deadline_s=600)
    rows = [Row(**json.loads(line)) for line in result.stdout.splitlines()]
    ours = [row.case for row in rows if row.subject == channels.FASTFORGE]
    assert result.returncode == 0, result.stderr
    assert len(ours) == len(set(ours)) > 0
    assert {row.case for row in rows} == set(ours)


@pytest.mark.long
def test_one_process_holds_ten_thousand_idle_clients_and_all_of_them_hear() -> None:
    channels.allow_open_files()
    (row,) = channels.held(quick=False)  # which fails where somebody does not
    assert row.value <= channels.IDLE_BAR_KB


@pytest.mark.long
def test_a_client_that_says_who_it_is_and_is_idle_takes_no_more_than_it_may() -> None:
    (row,) = channels.idle_memory(quick=False)
    assert row.value <= channels.IDLE_BAR_KB


@pytest.mark.long
def test_a_client_that_reads_nothing_costs_the_others_no_message_and_the_server_its_queue() -> None:
    _, growth = channels.slow_consumer(quick=False)  # which fails where somebody misses one
    assert growth.value <= channels.GROWTH_BAR_MB


@pytest.mark.long
def test_every_case_of_peers_has_one_row_of_ours_and_one_of_everybody_else() -> None:
    command = [sys.executable, "-m", "benchmarks.peers", "--quick", "--json"]
    result = run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT / "src")}, deadline_s=900)
    assert result.returncode == 0, result.stderr
    rows = [Row(**json.loads(line)) for line in result.stdout.splitlines()]
    subjects = {case: [row.subject for row in rows if row.case == case] for case in peers.CASES}
    named = subjects["ping"]
    assert set(named) >= {"fastforge", "hand-written", "hand-written-careful", "litestar"}
    assert all(len(set(named)) == len(each) and each == named for each in subjects.values())
    assert all(row.cpu_us > 0 and row.value > 0 for row in rows)
