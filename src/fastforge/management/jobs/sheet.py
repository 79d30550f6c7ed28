"""Sheet: everything that is known of one job, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ..._utils import redact
from ...tasks.outcome import AttemptError, JobState
from ...tasks.records import JobRecord, Progress
from ..tables import as_json
from .moments import long_time
from .office import Office
from .records import COLOURS, state_of, when, without_secrets
from .table import printable, styled

__all__ = ["job_sheet", "progress_text"]


def job_sheet(record: JobRecord, office: Office) -> str:
    """Return all of a job: what it is, what it was given, what happened to it and came of it."""
    heading = f"Job {record.uid} of {printable(record.task)}"
    lines = [styled(heading, bold=True), *_pairs(_facts(record, office)), ""]
    lines += [*_titled("Payload", _json(record.payload))]
    if record.headers:
        lines += [*_titled("Headers", _json(record.headers))]
    lines += [*_titled("Timeline", list(_timeline(record, office)))]
    if record.state is JobState.DONE:
        lines += [*_titled("Result", _json(record.result))]
    for error in record.errors:
        lines += [*_titled(f"Attempt {error.attempt} failed", list(_failure(error, office)))]
    return "\n".join(lines).rstrip()


def progress_text(progress: Progress) -> str:
    """Return how far a job is, in words."""
    text = f"{progress.done:g}"
    if progress.total:
        text += f" of {progress.total:g} ({100 * progress.done / progress.total:.0f}%)"
    return f"{text}: {redact(progress.message)}" if progress.message else text


def _facts(record: JobRecord, office: Office) -> Mapping[str, str]:
    state = styled(state_of(record), fg=COLOURS.get(record.state))
    facts = {
        "state": f"{state} ({when(record, office.now())})",
        "queue": record.queue,
        "priority": str(record.priority),
        "attempts": f"{record.attempt} of {record.max_attempts}",
        "progress": progress_text(record.progress) if record.progress else "",
        "worker": record.worker_id or "",
        "batch": record.batch or "",
        "unique key": redact(record.unique_key or ""),
        "expires": long_time(record.expires_at, office) if record.expires_at else "",
    }
    return {name: fact for name, fact in facts.items() if fact}


def _timeline(record: JobRecord, office: Office) -> Iterator[str]:
    events = [(record.enqueued_at, "enqueued")]
    if record.started_at is not None:
        events.append((record.started_at, f"attempt {record.attempt} began"))
    for error in record.errors:
        at = _moment(error) or record.enqueued_at
        events.append((at, f"attempt {error.attempt} failed: {error.type}"))
    if record.finished_at is not None:
        events.append((record.finished_at, state_of(record)))
    elif record.state <= JobState.READY:
        events.append((record.run_at, "is due"))
    for at, text in sorted(events, key=lambda event: event[0]):
        yield f"  {long_time(at, office)}  {printable(text)}"


def _failure(error: AttemptError, office: Office) -> Iterator[str]:
    at = _moment(error)
    yield f"  {long_time(at, office) if at else printable(error.at)}"
    yield styled(f"  {printable(redact(f'{error.type}: {error.message}'))}", fg="red")
    for line in redact(error.trace).splitlines():
        yield f"    {_kept(line)}"


def _moment(error: AttemptError) -> datetime | None:
    """Return when an attempt ended, if whoever wrote it down wrote a time."""
    try:
        at = datetime.fromisoformat(error.at)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _pairs(facts: Mapping[str, str]) -> Iterator[str]:
    width = max(map(len, facts), default=0)
    for name, fact in facts.items():
        yield f"  {name:<{width}}  {fact}"


def _titled(title: str, lines: list[str]) -> Iterator[str]:
    yield styled(title, bold=True)
    yield from lines
    yield ""


def _json(value: Any) -> list[str]:
    return [f"  {_kept(line)}" for line in as_json(without_secrets(value)).splitlines()]


def _kept(line: str) -> str:
    """Return a line as it is set, without what a terminal would obey."""
    return "".join(each if each.isprintable() else "�" for each in line.expandtabs())
