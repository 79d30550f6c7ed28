"""Figures: queues and workers in numbers, as tables for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from ...tasks.records import QueueStats, WorkerBeat
from ...tasks.working import queues_of
from .moments import short_time
from .office import Office
from .table import Column, output_width, styled, table

__all__ = [
    "QUEUE_COLUMNS",
    "WORKER_COLUMNS",
    "queue_json",
    "queue_row",
    "queue_stats",
    "queue_table",
    "worker_json",
    "worker_row",
    "worker_table",
]

QUEUE_COLUMNS: Final = (
    Column(header="QUEUE", least=8),
    *(
        Column(header=header, is_number=True)
        for header in ("READY", "SCHEDULED", "HELD", "RUNNING", "DEAD", "OLDEST", "DONE/MIN")
    ),
    Column(header="STATE"),
)
WORKER_COLUMNS: Final = (
    Column(header="HOST", least=8),
    Column(header="PID", is_number=True),
    Column(header="QUEUES", least=10),
    Column(header="RUNNING", is_number=True),
    Column(header="VERSION"),
    Column(header="UP", is_number=True),
    Column(header="BEAT", is_number=True),
    Column(header="STATE"),
)


async def queue_stats(office: Office, only: Sequence[str] = ()) -> list[QueueStats]:
    """Return what waits and runs in every queue that is known, also in those without jobs."""
    found = {stats.queue: stats for stats in await office.desk.stats()}
    names = only or sorted({*queues_of(office.registry), *found})
    return [found.get(name, QueueStats(queue=name)) for name in names]


def queue_table(stats: Sequence[QueueStats]) -> str:
    """Return queues as a table that fits the terminal."""

    def style(number: int, line: str) -> str:
        return styled(line, fg="yellow") if stats[number].paused else line

    rows = [queue_row(each) for each in stats]
    return "\n".join(table(QUEUE_COLUMNS, rows, width=output_width(), style=style))


def queue_row(stats: QueueStats) -> list[str]:
    """Return the cells of a queue."""
    counts = (stats.ready, stats.scheduled, stats.held, stats.running, stats.dead)
    oldest = "" if stats.oldest_ready_s is None else short_time(stats.oldest_ready_s)
    state = "paused" if stats.paused else ""
    return [stats.queue, *map(str, counts), oldest, f"{stats.done_a_minute:g}", state]


def queue_json(stats: QueueStats) -> dict[str, Any]:
    """Return a queue for JSON."""
    return asdict(stats)


def worker_table(beats: Sequence[WorkerBeat], office: Office) -> str:
    """Return workers as a table that fits the terminal."""

    def style(number: int, line: str) -> str:
        return line if beats[number].alive else styled(line, fg="red")

    rows = [worker_row(beat, office) for beat in beats]
    return "\n".join(table(WORKER_COLUMNS, rows, width=output_width(), style=style))


def worker_row(beat: WorkerBeat, office: Office) -> list[str]:
    """Return the cells of a worker."""
    now = office.now()
    beat_at = beat.beat_at
    return [
        beat.host,
        str(beat.pid),
        ", ".join(beat.queues),
        f"{beat.running}/{beat.concurrency}",
        beat.version,
        short_time((now - beat.started_at).total_seconds()),
        f"{short_time((now - beat_at).total_seconds())} ago" if beat_at else "",
        "alive" if beat.alive else "silent",
    ]


def worker_json(beat: WorkerBeat) -> dict[str, Any]:
    """Return a worker for JSON."""
    return {
        "id": beat.worker_id,
        "host": beat.host,
        "pid": beat.pid,
        "queues": list(beat.queues),
        "running": beat.running,
        "concurrency": beat.concurrency,
        "version": beat.version,
        "started_at": beat.started_at.isoformat(),
        "beat_at": beat.beat_at.isoformat() if beat.beat_at else None,
        "alive": beat.alive,
    }
