"""What workers tell of their jobs and of themselves, and what they are told."""

from __future__ import annotations

from datetime import UTC, datetime

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.jobs import JobStore
from fastforge.contrib.jobs.statements import JOB
from fastforge.contrib.jobs.statements.tables import WORKER
from fastforge.tasks import Outcome, Verdict
from fastforge.tasks.outcome import JobState
from fastforge.tasks.records import Progress, WorkerBeat

from .conftest import rows
from .doing import CANCELLED, claim, job, settle


async def test_progress_is_recorded_of_what_the_worker_holds(
    db: DatabaseConnection, store: JobStore
) -> None:
    await store.enqueue([job("mine"), job("other")])
    (mine,) = await claim(store, "w1", limit=1)
    (other,) = await claim(store, "w2")
    told = Progress(done=3, total=10, message="ü\x00")
    assert await store.attend("w1", {mine: told, other: told}) == frozenset()
    assert [row.progress for row in await rows(db)] == [
        {"done": 3, "total": 10, "message": "ü\x00"},
        None,
    ]


async def test_a_worker_is_told_which_of_its_jobs_are_to_be_cancelled(
    db: DatabaseConnection, store: JobStore
) -> None:
    await store.enqueue([job(), job()])
    first, second = await claim(store)
    async with db.engine.begin() as connection:
        await connection.execute(JOB.update().where(JOB.c.id == second.key).values(cancelling=True))
    assert await store.attend("w1", {}) == {second.envelope.uid}
    assert await store.attend("w2", {}) == frozenset()
    await settle(store, [second], CANCELLED)
    assert await store.attend("w1", {}) == frozenset()
    assert [row.state for row in await rows(db)] == [JobState.RUNNING, JobState.CANCELLED]
    await settle(store, [first])


async def test_a_result_is_kept(db: DatabaseConnection, store: JobStore) -> None:
    await store.enqueue([job(), job(), job()])
    claims = await claim(store)
    results = [{"a": [1.5, "\x00ü"]}, "text", None]
    for each, result in zip(claims, results, strict=True):
        await settle(store, [each], Outcome(verdict=Verdict.SUCCEEDED, result=result))
    assert [row.result for row in await rows(db)] == results


async def test_a_worker_is_known_from_its_first_beat_until_it_leaves(
    db: DatabaseConnection, store: JobStore
) -> None:
    for running in (0, 7):
        await store.beat(beat("w1", running=running))
    await store.beat(beat("w2", running=1))
    async with db.engine.begin() as connection:
        query = WORKER.select().order_by(WORKER.c.worker_id)
        found = (await connection.execute(query)).all()
    assert [(row.worker_id, row.running, row.queues) for row in found] == [
        ("w1", 7, ["default", "mail"]),
        ("w2", 1, ["default", "mail"]),
    ]
    await store.leave("w1")
    async with db.engine.begin() as connection:
        assert (await connection.execute(WORKER.select())).one().worker_id == "w2"


def beat(worker_id: str, *, running: int) -> WorkerBeat:
    """What a worker says."""
    return WorkerBeat(
        worker_id=worker_id,
        host="h",
        pid=1,
        queues=("default", "mail"),
        concurrency=10,
        running=running,
        version="1",
        started_at=datetime.now(UTC),
    )
