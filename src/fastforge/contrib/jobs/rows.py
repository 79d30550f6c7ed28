"""Rows: what the rows of the tables tell of jobs, batches and workers."""

from __future__ import annotations

from typing import Any

from ...tasks.outcome import JobState
from ...tasks.records import BatchRecord, JobRecord, Progress, WorkerBeat
from .envelopes import errors_of

__all__ = ["batch_of", "record_of", "worker_of"]


def record_of(row: Any) -> JobRecord:
    """Return what a row tells of a job."""
    return JobRecord(
        uid=row.uid,
        task=row.task,
        queue=row.queue,
        state=JobState(row.state),
        payload=row.payload,
        priority=row.priority,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        run_at=row.run_at,
        enqueued_at=row.enqueued_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        headers=row.headers,
        worker_id=row.worker_id,
        batch=row.batch,
        unique_key=row.unique_key,
        progress=None if row.progress is None else Progress.from_json(row.progress),
        result=row.result,
        errors=errors_of(row.errors),
        cancelling=row.cancelling,
    )


def batch_of(row: Any) -> BatchRecord:
    """Return what a row tells of a batch."""
    return BatchRecord(uid=row.uid, total=row.total, pending=row.pending, failed=row.failed)


def worker_of(row: Any, *, alive: bool) -> WorkerBeat:
    """Return what a row tells of a worker."""
    return WorkerBeat(
        worker_id=row.worker_id,
        host=row.host,
        pid=row.pid,
        queues=tuple(row.queues),
        concurrency=row.concurrency,
        running=row.running,
        version=row.version,
        started_at=row.started_at,
        beat_at=row.beat_at,
        alive=alive,
    )
