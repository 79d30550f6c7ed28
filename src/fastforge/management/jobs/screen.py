"""Screen: what `jobs top` shows, as lines that fit a terminal of some size."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..._utils import counted
from ...tasks.outcome import JobState
from ...tasks.records import JobQuery, JobRecord, Progress, QueueStats, WorkerBeat
from .figures import QUEUE_COLUMNS, WORKER_COLUMNS, queue_row, queue_stats, worker_row
from .ids import short_ids
from .moments import short_time
from .office import Office
from .records import state_of
from .sheet import progress_text
from .table import Column, cut, styled, table

__all__ = ["Snapshot", "View", "bar", "screen", "take_snapshot"]

MOST_JOBS: Final = 200
"""How many of the running jobs are asked for."""
BAR_WIDTH: Final = 20
KEYS: Final = "q quit   up/down select a queue   p pause it   r resume it"
JOB_COLUMNS: Final = (
    Column(header="ID"),
    Column(header="TASK", least=16, keeps_end=True),
    Column(header="QUEUE", least=8),
    Column(header="TRY", is_number=True),
    Column(header="FOR", is_number=True),
    Column(header="PROGRESS", least=BAR_WIDTH),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What there was at one moment."""

    at: datetime
    queues: Sequence[QueueStats]
    running: Sequence[JobRecord]
    workers: Sequence[WorkerBeat]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How it is looked at.

    Args:
        columns: How wide the terminal is.
        rows: How high it is.
        selected: The queue that the keys are about.
        message: What the last line says in place of the keys.
    """

    columns: int
    rows: int
    selected: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One table of the screen: its lines below the headers are dropped where there is no room."""

    lines: Sequence[str]
    shown_from: int = 0


async def take_snapshot(office: Office) -> Snapshot:
    """Ask the backend for all that is shown; what runs longest comes first."""
    running = await office.desk.find(JobQuery(states=(JobState.RUNNING,), limit=MOST_JOBS))
    return Snapshot(
        at=office.now(),
        queues=await queue_stats(office),
        running=sorted(running, key=lambda job: job.started_at or job.enqueued_at),
        workers=await office.desk.workers(),
    )


def screen(snapshot: Snapshot, view: View, office: Office) -> list[str]:
    """Return at most as many lines as the terminal has, each at most as wide as it is."""
    parts = [
        _queues(snapshot, view),
        _jobs(snapshot, view.columns),
        _workers(snapshot, view.columns, office),
    ]
    # The heading, a blank line before each part, the keys.
    rooms = _shared([len(part.lines) for part in parts], view.rows - 2 - len(parts))
    lines = [styled(cut(_heading(snapshot), view.columns), bold=True)]
    for part, room in zip(parts, rooms, strict=True):
        lines += ["", *_fitted(part, room, view.columns)]
    footer = styled(cut(view.message or KEYS, view.columns), fg="red" if view.message else None)
    return [*lines[: max(view.rows - 1, 0)], footer]


def _heading(snapshot: Snapshot) -> str:
    alive = sum(worker.alive for worker in snapshot.workers)
    rate = sum(queue.done_a_minute for queue in snapshot.queues)
    running = sum(queue.running for queue in snapshot.queues)
    ready = sum(queue.ready for queue in snapshot.queues)
    return (
        f"jobs at {snapshot.at:%H:%M:%S %Z}:"
        f" {ready} ready, {running} running, {rate:g} done in a minute,"
        f" {counted(alive, 'worker')} alive"
    )


def _queues(snapshot: Snapshot, view: View) -> _Part:
    marks = ["> " if queue.queue == view.selected else "  " for queue in snapshot.queues]
    rows = [queue_row(queue) for queue in snapshot.queues]

    def style(number: int, line: str) -> str:
        paused = snapshot.queues[number].paused
        marked = cut(marks[number] + line, view.columns)
        return styled(marked, fg="yellow" if paused else None, bold=marks[number] == "> ")

    header, *lines = table(QUEUE_COLUMNS, rows, width=max(view.columns - 2, 1), style=style)
    shown_from = marks.index("> ") if "> " in marks else 0
    return _Part(lines=[cut(f"  {header}", view.columns), *lines], shown_from=shown_from)


def _jobs(snapshot: Snapshot, width: int) -> _Part:
    ids = short_ids(snapshot.running)
    rows = [
        [
            uid,
            job.task,
            job.queue,
            str(job.attempt),
            _running_for(job, snapshot.at),
            _progress(job),
        ]
        for uid, job in zip(ids, snapshot.running, strict=True)
    ]
    return _Part(lines=table(JOB_COLUMNS, rows or [["nothing runs"] + [""] * 5], width=width))


def _running_for(job: JobRecord, now: datetime) -> str:
    return short_time((now - job.started_at).total_seconds()) if job.started_at else ""


def _progress(job: JobRecord) -> str:
    told = f"{bar(job.progress)} {progress_text(job.progress)}".lstrip() if job.progress else ""
    return f"{state_of(job)} {told}".rstrip() if job.cancelling else told


def _workers(snapshot: Snapshot, width: int, office: Office) -> _Part:
    def style(number: int, line: str) -> str:
        return line if snapshot.workers[number].alive else styled(line, fg="red")

    rows = [worker_row(worker, office) for worker in snapshot.workers]
    return _Part(lines=table(WORKER_COLUMNS, rows, width=width, style=style))


def bar(progress: Progress, width: int = BAR_WIDTH) -> str:
    """Return a bar that is as full as a job says it is; empty where nobody knows the total."""
    if not progress.total:
        return ""
    full, empty = ("█", "░") if _shows_blocks() else ("#", ".")
    part = round(width * min(max(progress.done / progress.total, 0), 1))
    return full * part + empty * (width - part)


def _shows_blocks() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")


def _shared(needs: Sequence[int], room: int) -> list[int]:
    """Return how many lines each part has: what small ones leave is for the large ones."""
    given = dict.fromkeys(range(len(needs)), 0)
    order = sorted(given, key=lambda part: needs[part])
    for done, part in enumerate(order):
        given[part] = min(needs[part], max(room, 0) // (len(order) - done))
        room -= given[part]
    return [given[part] for part in range(len(needs))]


def _fitted(part: _Part, room: int, width: int) -> list[str]:
    """Return a part in so many lines; the last one says what is not shown."""
    header, *lines = part.lines
    if len(part.lines) <= room:
        return [header, *lines]
    if room < 2:
        return [header][:room]
    shown = room - 2
    start = max(0, min(part.shown_from - shown + 1, len(lines) - shown)) if shown else 0
    missing = cut(f"... {len(lines) - shown} more", width)
    return [header, *lines[start : start + shown], missing]
