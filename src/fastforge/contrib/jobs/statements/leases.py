"""Leases: how they are prolonged and found expired, and what workers say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from ....tasks.backend import Claim
from ....tasks.records import Progress, WorkerBeat
from .idiom import Bound, Idiom
from .tables import ATTEMPT, JOB, RUNNING, WORKER, is_true

__all__ = ["beat", "cancelling", "expired", "leave", "renew", "report"]

EXPIRED_LIMIT: Final = 500

_REPORTED: Final = (JOB.c.id, JOB.c.attempt, JOB.c.progress)


def renew(idiom: Idiom, worker_id: str, held: Iterable[Claim], lease_s: float) -> Bound:
    """Return the statement that prolongs leases, and tells which are still held."""
    rows = [{"id": key} for key in sorted(claim.key for claim in held)]
    return idiom.built(_renew), {
        "worker": worker_id,
        "lease": idiom.in_s(lease_s),
        **idiom.rows((JOB.c.id,), rows),
    }


def _renew(idiom: Idiom) -> sa.Executable:
    given = idiom.given((JOB.c.id,))
    return (
        JOB.update()
        .where(JOB.c.id == given.c.id, JOB.c.state == RUNNING)
        .where(JOB.c.worker_id == sa.bindparam("worker"))
        .values(lease_until=idiom.moment_in("lease"))
        .returning(JOB.c.id, JOB.c.attempt)
    )


def expired(idiom: Idiom) -> sa.Executable:
    """Return the query for jobs whose lease has run out, some at a time."""
    query = (
        sa.select(*ATTEMPT, JOB.c.worker_id)
        .where(JOB.c.state == RUNNING, JOB.c.lease_until < idiom.now())
        .limit(EXPIRED_LIMIT)
    )
    return query.with_for_update(skip_locked=True) if idiom.is_postgresql else query


def report(idiom: Idiom, worker_id: str, reports: Mapping[Claim, Progress]) -> Bound:
    """Return the statement that records how far jobs are that a worker holds."""
    rows = [
        {"id": claim.key, "attempt": claim.attempt, "progress": asdict(progress)}
        for claim, progress in sorted(reports.items(), key=lambda each: each[0].key)
    ]
    return idiom.built(_report), {"worker": worker_id, **idiom.rows(_REPORTED, rows)}


def _report(idiom: Idiom) -> sa.Executable:
    given = idiom.given(_REPORTED)
    return (
        JOB.update()
        .where(JOB.c.id == given.c.id, JOB.c.attempt == given.c.attempt)
        .where(JOB.c.state == RUNNING, JOB.c.worker_id == sa.bindparam("worker"))
        .values(progress=given.c.progress)
    )


def cancelling(idiom: Idiom, worker_id: str) -> Bound:
    """Return the query for the jobs of a worker that somebody wants cancelled."""
    return idiom.built(_cancelling), {"worker": worker_id}


def _cancelling(_: Idiom) -> sa.Executable:
    mine = (JOB.c.state == RUNNING, JOB.c.worker_id == sa.bindparam("worker"))
    return sa.select(JOB.c.uid).where(*mine, is_true(JOB.c.cancelling))


def beat(idiom: Idiom, said: WorkerBeat) -> sa.Executable:
    """Return the statement that notes what a worker says of itself."""
    values: dict[str, Any] = {
        "worker_id": said.worker_id,
        "host": said.host,
        "pid": said.pid,
        "queues": list(said.queues),
        "concurrency": said.concurrency,
        "running": said.running,
        "version": said.version,
        "started_at": said.started_at,
        "beat_at": idiom.now(),
    }
    statement = idiom.insert(WORKER).values(**values)
    changed = ("queues", "concurrency", "running", "beat_at")
    return statement.on_conflict_do_update(
        index_elements=[WORKER.c.worker_id],
        set_={name: statement.excluded[name] for name in changed},
    )


def leave(worker_id: str) -> sa.Executable:
    """Return the statement that forgets a worker."""
    return WORKER.delete().where(WORKER.c.worker_id == worker_id)
