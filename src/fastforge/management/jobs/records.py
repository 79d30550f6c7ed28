"""Records: a job as a line of a table, and as JSON for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from ..._utils import redact
from ...conf.redaction import MASK, is_hidden
from ...tasks.outcome import AttemptError, JobState
from ...tasks.records import JobRecord, Progress
from .ids import short_ids
from .moments import short_time
from .office import Office
from .table import Column, output_width, styled, table

__all__ = ["COLOURS", "job_json", "job_table", "state_of", "when", "without_secrets"]

COLUMNS: Final = (
    Column(header="ID"),
    Column(header="TASK", least=16, keeps_end=True),
    Column(header="QUEUE", least=8),
    Column(header="STATE"),
    Column(header="TRIES"),
    Column(header="WHEN"),
    Column(header="LAST ERROR", least=12),
)
COLOURS: Final = {
    JobState.RUNNING: "cyan",
    JobState.DONE: "green",
    JobState.DEAD: "red",
    JobState.CANCELLED: "yellow",
}


def job_table(records: Sequence[JobRecord], office: Office) -> str:
    """Return jobs as a table that fits the terminal."""
    now = office.now()
    rows = [_row(record, uid, now) for record, uid in zip(records, short_ids(records), strict=True)]

    def style(number: int, line: str) -> str:
        return styled(line, fg=COLOURS.get(records[number].state))

    return "\n".join(table(COLUMNS, rows, width=output_width(), style=style))


def _row(record: JobRecord, uid: str, now: datetime) -> list[str]:
    return [
        uid,
        record.task,
        record.queue,
        state_of(record),
        f"{record.attempt}/{record.max_attempts}",
        when(record, now),
        _last_error(record),
    ]


def state_of(record: JobRecord) -> str:
    """Return the word for the state of a job."""
    if record.state is JobState.RUNNING and record.cancelling:
        return "cancelling"
    return record.state.name.lower()


def when(record: JobRecord, now: datetime) -> str:
    """Return since when a job is as it is, or when it is due, in a few words."""
    if record.finished_at is not None and record.state >= JobState.DONE:
        return f"{short_time((now - record.finished_at).total_seconds())} ago"
    if record.state is JobState.RUNNING and record.started_at is not None:
        return f"for {short_time((now - record.started_at).total_seconds())}"
    left = (record.run_at - now).total_seconds()
    return f"in {short_time(left)}" if left > 0 else f"due {short_time(left)} ago"


def _last_error(record: JobRecord) -> str:
    if not record.errors:
        return ""
    error = record.errors[-1]
    return redact(f"{error.type.rpartition('.')[2]}: {error.message}")


def job_json(record: JobRecord, *, whole: bool = False) -> dict[str, Any]:
    """Return a job for JSON.

    Args:
        record: The job.
        whole: Also its arguments, headers, result, and all errors with their tracebacks.
    """
    shown: dict[str, Any] = {
        "id": record.uid,
        "task": record.task,
        "queue": record.queue,
        "state": record.state.name.lower(),
        "attempt": record.attempt,
        "max_attempts": record.max_attempts,
        "priority": record.priority,
        "run_at": _iso(record.run_at),
        "enqueued_at": _iso(record.enqueued_at),
        "started_at": _iso(record.started_at),
        "finished_at": _iso(record.finished_at),
        "expires_at": _iso(record.expires_at),
        "worker": record.worker_id,
        "batch": record.batch,
        "unique_key": redact(record.unique_key) if record.unique_key else None,
        "cancelling": record.cancelling,
        "progress": _progress(record.progress),
    }
    if not whole:
        return {**shown, "error": _error(record.errors[-1]) if record.errors else None}
    return {
        **shown,
        "payload": without_secrets(record.payload),
        "headers": without_secrets(record.headers),
        "result": without_secrets(record.result),
        "errors": [without_secrets(asdict(error)) for error in record.errors],
    }


def _error(error: AttemptError) -> dict[str, Any]:
    shown: dict[str, Any] = without_secrets(asdict(error))
    del shown["trace"]
    return shown


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _progress(progress: Progress | None) -> dict[str, Any] | None:
    return without_secrets(asdict(progress)) if progress else None


def without_secrets(value: Any, name: str = "") -> Any:
    """Return JSON with what its names or its form say is a secret masked."""
    if is_hidden(name, value):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): without_secrets(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(inner, name) for inner in value]
    return redact(value) if isinstance(value, str) else value
