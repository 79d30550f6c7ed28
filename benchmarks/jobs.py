"""Jobs: how fast one worker runs them and how soon one begins, against arq tuned to 100 slots."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests import services

from .harness.peers import fastforge_on, others_on
from .harness.queues import Peer, Run
from .harness.rows import Row, arguments, compare, show

IDLE_S: Final = 60
DUE_AFTER_S: Final = 5.0
SLOW_GAP_MS: Final = 11_000
"""Longer than a worker on SQLite looks at the file quickly after a job."""


def main() -> None:
    """Print the rows of each server, in cases that are run in turn with arq's."""
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        servers = {}
        for server, arguments_of_it in (("redis", ()), ("postgres", ("fsync=on",))):
            started = services.start(server, *arguments_of_it)
            stack.callback(started.close)
            servers[server] = started.url
        ours, others = fastforge_on(folder, servers), others_on(servers["redis"])
        for rows in (_throughput, _enqueueing, _latency, _several, _backlog, _idle):
            show(rows(ours, others, options.quick), as_json=options.json)


def _throughput(ours: Mapping[str, Peer], others: Mapping[str, Peer], quick: bool) -> Iterator[Row]:
    """Seconds a job of one worker with 100 slots, all jobs enqueued before it starts."""
    count, rounds = (300, 1) if quick else (5000, 5)

    def cost(peer: Peer) -> float:
        with Run.of(peer) as run:
            run.produce(0, count)
            marks = run.wait_for(count, run.work())
            if marks.starts != count:
                raise RuntimeError(f"{peer.name} ran {marks.starts} jobs for {count}")
            return marks.span_s() / count * 1e6

    peers = {**{f"fastforge-{name}": peer for name, peer in ours.items()}, **others}
    rows = compare(
        benchmark="jobs",
        case="throughput",
        subjects={name: lambda peer=peer: cost(peer) for name, peer in peers.items()},
        against="arq",
        rounds=rounds,
    )
    yield from _by_server(rows, ours)


def _enqueueing(ours: Mapping[str, Peer], others: Mapping[str, Peer], quick: bool) -> Iterator[Row]:
    """Seconds for one `enqueue`, one after another outside a transaction."""
    count, rounds = (200, 1) if quick else (2000, 5)

    def cost(peer: Peer) -> float:
        with Run.of(peer) as run:
            return run.produce(0, count) / count * 1e6

    peers = {"fastforge-redis": ours["redis"], "arq": others["arq"]}
    rows = compare(
        benchmark="jobs",
        case="enqueue",
        subjects={name: lambda peer=peer: cost(peer) for name, peer in peers.items()},
        against="arq",
        rounds=rounds,
    )
    yield from _by_server(rows, ours)


def _latency(ours: Mapping[str, Peer], others: Mapping[str, Peer], quick: bool) -> Iterator[Row]:
    """Milliseconds from before `enqueue` to the first line of the job; the worker is free."""
    count, rounds = (20, 1) if quick else (200, 3)
    found: dict[str, list[float]] = {}

    def cost(name: str, peer: Peer) -> float:
        with Run.of(peer) as run:
            worker = run.work()
            run.produce(0, 20)
            run.wait_for(20, worker)
            run.produce(20, count, gap_ms=20)
            marks = run.wait_for(20 + count, worker)
        latencies = [
            marks.started[number][0] - marks.sent[number][0] for number in range(20, 20 + count)
        ]
        found.setdefault(name, []).append(statistics.quantiles(latencies, n=100)[98] * 1e3)
        return statistics.median(latencies) * 1e3

    peers = {**{f"fastforge-{name}": peer for name, peer in ours.items()}, **others}
    rows = compare(
        benchmark="jobs",
        case="latency",
        subjects={name: lambda n=name, peer=peer: cost(n, peer) for name, peer in peers.items()},
        against="arq",
        rounds=rounds,
        unit="ms",
        us_per_unit=1000,
    )
    yield from _by_server(rows, ours)
    yield from _by_server(_tails(found, rounds), ours)


def _tails(found: Mapping[str, list[float]], rounds: int) -> Iterator[Row]:
    """The 99th percentiles of the same runs."""
    arq = statistics.median(found["arq"])
    for name, values in found.items():
        value = statistics.median(values)
        if name != "arq":
            yield Row(
                benchmark="jobs",
                case="latency-p99",
                subject=name,
                cpu_us=round(value * 1000, 2),
                value=round(value, 3),
                unit="ms",
                ratio=round(value / arq, 3),
                against="arq",
                rounds=rounds,
            )


def _several(ours: Mapping[str, Peer], _: Mapping[str, Peer], quick: bool) -> Iterator[Row]:
    """Seconds a job of four workers with 20 slots on one queue, against one such worker.

    All jobs become due at one moment, when the workers are up.
    """
    count, rounds = (300, 1) if quick else (3000, 3)

    def cost(peer: Peer, workers: int) -> float:
        with Run.of(peer, slots=20) as run:
            started = [run.work() for _ in range(workers)]
            for worker in started:
                worker.wait_for("takes jobs from")
            run.fill(0, count, delay_s=DUE_AFTER_S)
            marks = run.wait_for(count, started[0])
        if marks.starts != count:
            raise RuntimeError(f"{peer.name} ran {marks.starts} jobs for {count}")
        return marks.span_s() / count * 1e6

    for server, peer in ours.items():
        yield from compare(
            benchmark="jobs",
            case=f"four-workers-{server}",
            subjects={
                "fastforge": lambda peer=peer: cost(peer, 4),
                "one worker": lambda peer=peer: cost(peer, 1),
            },
            against="one worker",
            rounds=rounds,
        )


def _backlog(ours: Mapping[str, Peer], _: Mapping[str, Peer], quick: bool) -> Iterator[Row]:
    """Seconds a job, and the memory of the worker, while a million others wait."""
    many, few, count = (20_000, 500, 300) if quick else (1_000_000, 5_000, 3_000)
    for server, peer in ours.items():
        costs, sizes = {}, {}
        for waiting in (few, many):
            with Run.of(peer) as run:
                run.fill(0, waiting)
                worker = run.work()
                marks = run.wait_for(count, worker)
                costs[waiting] = marks.span_s() / len(marks.started) * 1e6
                sizes[waiting] = _memory_mb(worker.pid)
        for case, found, unit in (("backlog", costs, "us"), ("backlog-memory", sizes, "MB")):
            yield Row(
                benchmark="jobs",
                case=f"{case}-{server}",
                subject="fastforge",
                cpu_us=0,
                value=round(found[many], 3),
                unit=unit,
                ratio=round(found[many] / found[few], 3),
                against=f"{few} jobs",
                rounds=1,
            )


def _idle(ours: Mapping[str, Peer], _: Mapping[str, Peer], quick: bool) -> Iterator[Row]:
    """Percent of a core of a worker without a job, and how soon its next job begins."""
    idle_s, count = (3, 1) if quick else (IDLE_S, 20)
    for server, peer in ours.items():
        with Run.of(peer) as run:
            worker = run.work()
            run.produce(0, 20)
            run.wait_for(20, worker)
            time.sleep(idle_s / 2)
            before = _cpu_s(worker.pid)
            time.sleep(idle_s / 2)
            percent = (_cpu_s(worker.pid) - before) / (idle_s / 2) * 100
            run.produce(20, count, gap_ms=SLOW_GAP_MS)
            marks = run.wait_for(20 + count, worker)
        starts = sorted(
            marks.started[number][0] - marks.sent[number][0] for number in range(20, 20 + count)
        )
        yield _figure(f"idle-{server}", percent, "%")
        yield _figure(f"idle-start-{server}", statistics.median(starts) * 1e3, "ms")
        yield _figure(f"idle-start-max-{server}", starts[-1] * 1e3, "ms")


def _figure(case: str, value: float, unit: str) -> Row:
    return Row(
        benchmark="jobs",
        case=case,
        subject="fastforge",
        cpu_us=0,
        value=round(value, 3),
        unit=unit,
        ratio=1,
        against="fastforge",
        rounds=1,
    )


def _by_server(rows: Iterator[Row], ours: Mapping[str, Peer]) -> Iterator[Row]:
    """Give each server's row of ours a case of its own; the peers have the one on Redis."""
    for row in rows:
        subject, _, server = row.subject.partition("-")
        where = server if server in ours else "redis"
        base, _, tail = row.case.partition("-")
        case = "-".join(filter(None, (base, where, tail)))
        yield replace(row, case=case, subject=subject)


def _cpu_s(pid: int) -> float:
    """The CPU time that a process has taken, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    """The memory that a process has in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
