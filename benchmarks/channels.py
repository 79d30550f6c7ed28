"""Channels: what it costs to say something to many sockets, against the usual ConnectionManager.

`fanout-paced` is one message after another, so many that 4,000 deliveries are due in a second;
`fanout-burst` is many at once. Both have 200 or 1,000 receivers, and messages of 200 bytes. What is
measured is the CPU time of the server's process for each delivery, publishing included; all servers
run at the same time and speak in turn. `p99` is how long a paced message takes to a client.

`idle-memory` is what a connection takes that says nothing: ours knows who is there, has joined a
channel, and was asked for deflate as every browser asks; the usual one is asked for nothing.
`held` are ten thousand of them in one process. `slow-consumer` is how long messages of 16 kB take
to 49 clients while a fiftieth reads nothing, against the same without it. `cross-process` is how
long a message takes that is published in one process and heard in another one, through Redis.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import uvloop

from tests import services
from tests.processes import descendants

from .harness.broadcasts import (
    FASTFORGE,
    USUAL,
    Speaker,
    fastforge_in,
    fastforge_with_users,
    others,
    usual,
)
from .harness.listeners import Audience, percentile, say
from .harness.rows import Row, arguments, row_of, show
from .harness.servers import Running, Times, request_of

PROBE: Final = request_of("POST", "/say?count=0", b"{}")
DELIVERIES_PER_S: Final = 4000
PACED_S: Final = 4
BURSTS: Final = {200: 50, 1000: 20}
"""How many messages a burst has, by the number of receivers."""
PACED_BAR: Final = 0.55
BURST_BARS: Final = {200: 0.44, 1000: 0.65}
IDLE_BAR_KB: Final = 36
HELD: Final = 10_000
IDLE: Final = 1000
CROWD: Final = 50
SLOW_BYTES: Final = 16_000
SLOW_GAP_S: Final = 0.004
SLOW_BAR: Final = 1.5
GROWTH_BAR_MB: Final = 6.05
"""The bound of one client's queue, a MiB, and five MB."""
FEW_BYTES: Final = 8192
"""What the system of a client that reads nothing takes for it."""
PAUSE_S: Final = 0.2
REST_S: Final = 1.5
"""How long servers settle after so many have come."""


@dataclass(frozen=True, slots=True)
class Playing:
    """A server that runs, and its clients."""

    speaker: Speaker
    server: Running
    audience: Audience


def main() -> None:
    """Print the rows, and for people what they mean."""
    cases: dict[str, Callable[[bool], Iterator[Row]]] = {
        "fanout-200": lambda quick: fanout(200, quick=quick),
        "fanout-1000": lambda quick: fanout(1000, quick=quick),
        "idle-memory": idle_memory,
        "held": held,
        "slow-consumer": slow_consumer,
        "cross-process": cross_process,
    }
    options = arguments(__doc__ or "", cases)
    allow_open_files()
    for case in options.case or cases:
        show(told(cases[case](options.quick), as_json=options.json), as_json=options.json)


def told(rows: Iterator[Row], *, as_json: bool) -> Iterator[Row]:
    """Yield rows, and for people say after ours what it has to be."""
    for row in rows:
        yield row
        bar = _bar(row)
        if bar and row.subject == FASTFORGE and not as_json:
            print(f"{'':10} has to be at most {bar}", flush=True)


def _bar(row: Row) -> str:
    kind, _, receivers = row.case.rpartition("-")
    if kind == "fanout-paced":
        return f"{PACED_BAR} x {USUAL}"
    if kind == "fanout-burst":
        return f"{BURST_BARS[int(receivers)]} x {USUAL}"
    return {
        "idle-memory": f"{IDLE_BAR_KB} kB",
        "slow-consumer": f"{SLOW_BAR} x {row.against}",
        "slow-consumer-growth": f"{GROWTH_BAR_MB} MB",
        "cross-process-p99": f"1 x {USUAL}",
    }.get(row.case, "")


# --- fan-out ---


def fanout(receivers: int, *, quick: bool) -> Iterator[Row]:
    """CPU microseconds of a delivery, and how long a paced one takes."""
    starts, rounds = (1, 2) if quick else (2, 5)
    found: dict[str, dict[str, list[float]]] = {}
    for start in range(starts):
        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            speakers = [*others(), *fastforge_in(Path(folder))]
            for turn in runner.run(_speak(speakers, receivers, rounds, is_turned=start % 2 == 1)):
                for (case, name), value in turn.items():
                    found.setdefault(case, {}).setdefault(name, []).append(value)
    for kind, unit, us_per_unit in (("paced", "us", 1), ("burst", "us", 1), ("p99", "ms", 1000)):
        case = f"fanout-{kind}-{receivers}" if kind != "p99" else f"fanout-p99-{receivers}"
        yield from _rows(case, found[kind], USUAL, unit=unit, us_per_unit=us_per_unit)


async def _speak(
    speakers: Sequence[Speaker], receivers: int, rounds: int, *, is_turned: bool
) -> list[dict[tuple[str, str], float]]:
    """Start all, and let them speak in turn; return what each round has cost each of them."""
    turns = []
    burst, gap_s = BURSTS[receivers], receivers / DELIVERIES_PER_S
    paced = int(PACED_S / gap_s)
    with ExitStack() as stack:
        playing = [await _play(speaker, receivers, stack) for speaker in speakers]
        for turn in range(rounds):
            costs: dict[tuple[str, str], float] = {}
            for each in playing if (turn % 2 == 1) == is_turned else playing[::-1]:
                name = each.speaker.name
                costs["burst", name] = await _cost_us(each, burst)
                costs["paced", name] = await _cost_us(each, paced, gap_s)
                costs["p99", name] = percentile(each.audience.latencies_ms(), 0.99)
            turns.append(costs)
        for each in playing:
            each.audience.leave()
    return turns


async def _play(speaker: Speaker, listeners: int, stack: ExitStack) -> Playing:
    """Start a server, and let its clients come; it has spoken before it is measured."""
    server = stack.enter_context(speaker.web.running(PROBE, Times()))
    audience = Audience()
    await audience.grow(
        server.port, listeners, path=speaker.path, joins=speaker.joins, options=speaker.options
    )
    await say(server.port, count=3, gap_s=0.05)
    await audience.settle(3 * listeners)
    return Playing(speaker, server, audience)


async def _cost_us(playing: Playing, count: int, gap_s: float = 0, size: int = 200) -> float:
    """Return the CPU microseconds of a delivery.

    Raises:
        RuntimeError: Somebody has not got everything.
    """
    audience, due = playing.audience, count * len(playing.audience.listeners)
    audience.forget()
    before_s = playing.server.cpu_s()
    await say(playing.server.port, count=count, gap_s=gap_s, size=size)
    await audience.settle(due)
    cpu_s = playing.server.cpu_s() - before_s
    if audience.received != due:
        raise RuntimeError(f"{playing.speaker.name}: {audience.received} of {due} came in")
    return cpu_s * 1e6 / due


def _rows(
    case: str, found: Mapping[str, list[float]], against: str, **options: Any
) -> Iterator[Row]:
    for name, costs in found.items():
        if name != against:
            yield row_of(
                benchmark="channels",
                case=case,
                subject=name,
                costs=costs,
                against=against,
                costs_against=found[against],
                **options,
            )


# --- memory ---


def idle_memory(quick: bool) -> Iterator[Row]:
    """Kilobytes of a connection that says nothing."""
    count, rounds = (100, 1) if quick else (IDLE, 3)
    found: dict[str, list[float]] = {FASTFORGE: [], USUAL: []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for speaker in (fastforge_with_users(Path(folder)), usual()):
                found[speaker.name].append(asyncio.run(_connection_kb(speaker, count)))
    yield from _rows("idle-memory", found, USUAL, unit="kB", us_per_unit=0)


def held(quick: bool) -> Iterator[Row]:
    """Kilobytes of a connection among ten thousand, each of which hears a message afterwards."""
    count = HELD // 20 if quick else HELD
    with tempfile.TemporaryDirectory() as folder:
        speaker = next(iter(fastforge_in(Path(folder))))
        value = asyncio.run(_connection_kb(speaker, count, hears=True))
    yield _figure(f"held-{HELD}", value, "kB", value / IDLE_BAR_KB, "its bound")


async def _connection_kb(speaker: Speaker, count: int, *, hears: bool = False) -> float:
    with ExitStack() as stack:
        playing = await _play(replace(speaker, joins=""), 0, stack)
        server, audience = playing.server, playing.audience
        options = _token_of(server.port) if speaker.joins == "private" else ""
        if speaker.joins:
            options += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"

        async def grow(more: int) -> None:
            await audience.grow(
                server.port, more, path=speaker.path, joins=speaker.joins, options=options
            )
            await asyncio.sleep(REST_S)

        await grow(count // 10)  # what the first ones take is not for each of them
        before = _memory_bytes(server)
        await grow(count - count // 10)
        grown = _memory_bytes(server) - before
        if hears:
            await _cost_us(playing, 1)
        audience.leave()
    return grown / (count - count // 10) / 1024


def _token_of(port: int) -> str:
    """Return the lines of a handshake that say who it is: those of a browser."""
    body = json.dumps({"login": "ann@example.org", "password": "plum-kettle-9"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/auth/login",
        body,
        {"Content-Type": "application/json", "Host": "localhost"},
    )
    with urllib.request.urlopen(request) as answer:
        token = json.load(answer)["access_token"]
    return f"Sec-WebSocket-Protocol: fastforge, token.{token}\r\n"


def _memory_bytes(server: Running) -> int:
    """The memory that a server has in use, its processes together."""
    pages = 0
    for pid in (server.pid, *descendants(server.pid)):
        pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# --- a client that reads nothing ---


def slow_consumer(quick: bool) -> Iterator[Row]:
    """How long messages take to the others, and what it costs the server in memory."""
    count, rounds = (100, 2) if quick else (500, 12)
    found: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        speaker = next(iter(fastforge_in(Path(folder))))
        for turn in runner.run(_beside_a_slow_one(speaker, count, rounds)):
            for case, value in turn.items():
                found.setdefault(case, []).append(value)
    yield row_of(
        benchmark="channels",
        case="slow-consumer",
        subject=FASTFORGE,
        costs=found["with it"],
        against="without it",
        costs_against=found["without it"],
        unit="ms",
        us_per_unit=0,
    )
    grown_mb = max(found["grown"])
    yield _figure("slow-consumer-growth", grown_mb, "MB", grown_mb / GROWTH_BAR_MB, "its bound")


async def _beside_a_slow_one(speaker: Speaker, count: int, rounds: int) -> list[dict[str, float]]:
    """Return how long the slowest hundredth takes, and by how many MB the server grows."""
    turns = []
    with ExitStack() as stack:
        playing = await _play(speaker, CROWD - 1, stack)
        await _cost_us(playing, count, SLOW_GAP_S, SLOW_BYTES)
        for turn in range(rounds):
            figures = dict[str, float]()
            for name in ("with it", "without it") if turn % 2 else ("without it", "with it"):
                beside = Audience()
                await beside.grow(
                    playing.server.port,
                    1,
                    path=speaker.path,
                    joins=speaker.joins,
                    receive_bytes=FEW_BYTES,
                )
                if name == "with it":
                    beside.listeners[0].transport.pause_reading()
                figures[name], grown_mb = await _spoken_to(playing, count)
                if name == "with it":
                    figures["grown"] = grown_mb
                beside.leave()
                await asyncio.sleep(PAUSE_S)
            turns.append(figures)
        playing.audience.leave()
    return turns


async def _spoken_to(playing: Playing, count: int) -> tuple[float, float]:
    """Speak to a crowd; return how long messages took, and by how much the server has grown."""
    before = most = _memory_bytes(playing.server)
    speaking = asyncio.create_task(_cost_us(playing, count, SLOW_GAP_S, SLOW_BYTES))
    while not speaking.done():
        await asyncio.sleep(PAUSE_S)
        most = max(most, _memory_bytes(playing.server))
    await speaking
    return percentile(playing.audience.latencies_ms(), 0.99), (most - before) / 1e6


# --- two processes ---


def cross_process(quick: bool) -> Iterator[Row]:
    """How long a message takes from one process to the clients of another one, and its CPU time."""
    listeners, rounds = (20, 2) if quick else (100, 14)
    found: dict[str, dict[str, list[float]]] = {}
    redis = services.start("redis")
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            env = {"BENCH_REDIS_URL": redis.url}
            speakers = [next(iter(fastforge_in(Path(folder), env))), usual(env)]
            for turn in runner.run(_across(speakers, listeners, rounds)):
                for (case, name), value in turn.items():
                    found.setdefault(case, {}).setdefault(name, []).append(value)
    finally:
        redis.close()
    for kind in ("p50", "p99"):
        yield from _rows(f"cross-process-{kind}", found[kind], USUAL, unit="ms", us_per_unit=0)
    yield from _rows("cross-process", found["cpu"], USUAL)


async def _across(
    speakers: Sequence[Speaker], listeners: int, rounds: int
) -> list[dict[tuple[str, str], float]]:
    turns = []
    gap_s = listeners / (DELIVERIES_PER_S / 2)
    count = int(PACED_S / 2 / gap_s)  # short rounds, and many: one that is disturbed counts little
    with ExitStack() as stack:
        pairs = []
        for speaker in speakers:
            heard = await _play(speaker, listeners, stack)
            publisher = stack.enter_context(speaker.web.running(PROBE, Times()))
            await say(publisher.port, count=3, gap_s=0.05)
            await heard.audience.settle(6 * listeners)
            pairs.append((publisher, heard))
        for turn in range(rounds):
            costs: dict[tuple[str, str], float] = {}
            for publisher, heard in pairs if turn % 2 else pairs[::-1]:
                due = count * listeners
                heard.audience.forget()
                before_s = heard.server.cpu_s()
                await say(publisher.port, count=count, gap_s=gap_s)
                await heard.audience.settle(due)
                name = heard.speaker.name
                if heard.audience.received != due:
                    raise RuntimeError(f"{name}: {heard.audience.received} of {due} came in")
                costs["cpu", name] = (heard.server.cpu_s() - before_s) * 1e6 / due
                latencies_ms = heard.audience.latencies_ms()
                costs["p50", name] = percentile(latencies_ms, 0.5)
                costs["p99", name] = percentile(latencies_ms, 0.99)
            turns.append(costs)
        for _, heard in pairs:
            heard.audience.leave()
    return turns


def _figure(case: str, value: float, unit: str, ratio: float, against: str) -> Row:
    return Row(
        benchmark="channels",
        case=case,
        subject=FASTFORGE,
        cpu_us=0,
        value=round(value, 3),
        unit=unit,
        ratio=round(ratio, 3),
        against=against,
        rounds=1,
    )


def allow_open_files() -> None:
    """Have as many open files as may be: the servers that are started have as many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
