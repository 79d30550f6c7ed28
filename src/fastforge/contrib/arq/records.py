"""Records: what Redis and the database know of a job, as the desk tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ...tasks.envelope import Envelope
from ...tasks.outcome import AttemptError, JobState
from ...tasks.records import JobQuery, JobRecord, Progress
from .flow import Flow
from .moments import moment_of
from .wire import Written, read_job, read_result

__all__ = ["RUNNING_SCORE", "Peeked", "is_meant", "peek"]

RUNNING_SCORE: Final = 1e15
"""From here on a score tells that the job runs, and since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peeked:
    """A job in Redis.

    Args:
        key: Its id there.
        written: As it was written; None when it is gone.
        record: What is told of it.
    """

    key: str
    written: Written | None
    record: JobRecord


async def peek(flow: Flow, keys: Sequence[str]) -> list[Peeked]:
    """Return what is known of some jobs; those that are not there are left out."""
    jobs: list[Peeked] = []
    while keys:
        found = await flow.server.run("peek", *keys)
        jobs += [job for each in found if (job := _peeked(*each)) is not None]
        keys = keys[len(found) :]
    return jobs


def is_meant(job: Peeked, query: JobQuery) -> bool:
    """Return whether a query asks for a job, whatever its limit says.

    One that arq's own client has enqueued may be meant by its name there as well.
    """
    record, names = job.record, (job.key, job.record.uid)
    return (
        (not query.uids or any(name in query.uids for name in names))
        and any(name.startswith(query.uid_prefix) for name in names)
        and (not query.states or record.state in query.states)
        and (not query.tasks or record.task in query.tasks)
        and (not query.queues or record.queue in query.queues)
        and (query.batch is None or record.batch == query.batch)
        and (query.since is None or record.enqueued_at >= query.since)
        and (query.until is None or record.enqueued_at < query.until)
    )


def _peeked(
    uid: bytes, payload: bytes, result: bytes, score: bytes, own: Sequence[bytes], errors: Any
) -> Peeked | None:
    key = uid.decode()
    if result:
        return _of_result(key, result)
    if not payload and not own:
        return None
    fields = {name.decode(): value for name, value in zip(own[::2], own[1::2], strict=True)}
    written = read_job(key, payload, fields.get("q", b"default").decode())
    told = tuple(AttemptError.from_json(json.loads(error)) for error in errors)
    state = _state(fields, score)
    due_ms = fields.get("h") or (fields.get("r") if state is not JobState.READY else None) or score
    record = JobRecord(
        **_of_envelope(written.envelope),
        state=state,
        attempt=int(fields.get("a", 0)),
        run_at=_of_ms(due_ms) or written.enqueued_at,
        enqueued_at=written.enqueued_at,
        started_at=_of_us(fields.get("s")),
        finished_at=_of_us(fields.get("f")),
        worker_id=fields["w"].decode() if "w" in fields else None,
        progress=Progress.from_json(json.loads(fields["g"])) if "g" in fields else None,
        errors=told,
        cancelling="c" in fields,
    )
    return Peeked(key=key, written=written, record=record)


def _of_result(key: str, result: bytes) -> Peeked | None:
    try:
        return _done(key, result)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None  # of somebody else's worker


def _done(key: str, result: bytes) -> Peeked:
    written, fields = read_result(key, result)
    extras = fields.get("ff", {})
    record = JobRecord(
        **_of_envelope(written.envelope),
        state=JobState.DONE,
        attempt=fields["t"],
        run_at=datetime.fromisoformat(extras["due"]) if "due" in extras else written.enqueued_at,
        enqueued_at=written.enqueued_at,
        started_at=_of_ms(fields["st"]),
        finished_at=_of_ms(fields["ft"]),
        worker_id=extras.get("by"),
        progress=Progress.from_json(fields["g"]) if "g" in fields else None,
        result=fields["r"],
        errors=tuple(AttemptError.from_json(error) for error in extras.get("errors", ())),
    )
    return Peeked(key=key, written=written, record=record)


def _state(fields: dict[str, bytes], score: bytes) -> JobState:
    if "v" in fields:
        return JobState(int(fields["v"]))
    if "w" in fields or (score and float(score) >= RUNNING_SCORE):
        return JobState.RUNNING
    return JobState.HELD if "h" in fields else JobState.READY


def _of_envelope(envelope: Envelope) -> dict[str, Any]:
    return {
        "uid": envelope.uid,
        "task": envelope.task,
        "queue": envelope.queue,
        "payload": envelope.payload,
        "priority": envelope.priority,
        "max_attempts": envelope.max_attempts,
        "expires_at": envelope.expires_at,
        "headers": envelope.headers,
        "batch": envelope.batch,
        "unique_key": envelope.unique.key if envelope.unique else None,
    }


def _of_us(text: bytes | None) -> datetime | None:
    return moment_of(float(text)) if text else None


def _of_ms(value: bytes | float | None) -> datetime | None:
    return moment_of(float(value) * 1000) if value else None
