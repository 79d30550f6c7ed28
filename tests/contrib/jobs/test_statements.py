"""How many statements a worker sends, and which indexes they read."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.jobs import JobStore
from fastforge.tasks import AttemptError, NewBatch, Outcome, Settlement, Verdict
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.limits import Slots, UniqueKey

from .doing import CANCELLED, DEAD, INTERRUPTED, claim, job, settle
from .statements import plans, sent


async def test_a_claim_is_one_statement_and_another_where_less_is_due_than_wanted(
    db: DatabaseConnection, store: JobStore
) -> None:
    await store.enqueue([job() for _ in range(30)])
    with sent(db) as full:
        assert len(await claim(store, limit=20)) == 20
    with sent(db) as short:
        assert len(await claim(store, limit=20)) == 10
    with sent(db) as none:
        assert len(await claim(store, limit=20)) == 0
    assert [len(full), len(short), len(none)] == [1, 2, 2]


async def test_many_jobs_are_enqueued_by_one_statement(
    db: DatabaseConnection, store: JobStore
) -> None:
    with sent(db) as plain:
        await store.enqueue([job() for _ in range(500)])
    keys = [UniqueKey(key=str(number)) for number in range(100)]
    with sent(db) as unique:
        await store.enqueue([job(unique=key) for key in keys])
    with sent(db) as taken:
        await store.enqueue([job(unique=key) for key in keys])
    uid = new_uid()
    with sent(db) as batch:
        await store.enqueue([job(batch=uid) for _ in range(100)], batch=NewBatch(uid=uid))
    assert [len(plain), len(unique), len(taken), len(batch)] == [1, 2, 2, 2]


async def test_all_ends_are_recorded_by_one_statement(
    db: DatabaseConnection, store: JobStore
) -> None:
    await store.enqueue([job() for _ in range(60)])
    claims = await claim(store)
    error = AttemptError(attempt=1, at="now", type="E", message="m")
    outcomes = [
        DEAD,
        CANCELLED,
        INTERRUPTED,
        Outcome(verdict=Verdict.RETRY, delay_s=9, error=error),
        Outcome(verdict=Verdict.PUT_BACK, delay_s=9),
        *(Outcome(verdict=Verdict.SUCCEEDED, result={"n": number}) for number in range(55)),
    ]
    ended = [Settlement(claim=c, outcome=o) for c, o in zip(claims, outcomes, strict=True)]
    with sent(db) as statements:
        await store.settle("w1", ended)
    assert len(statements) == 1


async def test_limits_cost_the_same_for_one_job_and_for_many(
    db: DatabaseConnection, store: JobStore
) -> None:
    counted = []
    for number in (1, 50):
        slots = [Slots(key=f"{number}-{place}", limit=2) for place in range(number)]
        await store.enqueue([job(slots=each) for each in slots])
        with sent(db) as claiming:
            claims = await claim(store, limit=number)
        with sent(db) as settling:
            await settle(store, claims)
        assert len(claims) == number
        counted.append((len(claiming), len(settling)))
    assert counted[0] == counted[1] <= (3, 3)


async def test_held_jobs_of_any_number_of_keys_become_due_by_the_same_statements(
    db: DatabaseConnection, store: JobStore
) -> None:
    counted = []
    for number in (1, 40):
        slots = [Slots(key=f"{number}-{place}", limit=1) for place in range(number)]
        await store.enqueue([job(slots=each) for each in slots for _ in range(3)])
        with sent(db) as claiming:
            claims = await claim(store, limit=3 * number)
        assert len(claims) == number
        with sent(db) as settling:
            await settle(store, claims)
        assert len(await claim(store, limit=3 * number)) == number
        with sent(db) as freeing:
            store.clock.advance(timedelta(hours=1))
            await store.renew("w2", (), lease_s=60)
        last = await claim(store, limit=3 * number)
        assert len(last) == number
        await settle(store, last)
        await settle(store, await claim(store, limit=3 * number))
        counted.append((len(claiming), len(settling), len(freeing)))
    assert counted[0] == counted[1]


async def test_each_key_gets_the_room_that_it_has(db: DatabaseConnection, store: JobStore) -> None:
    """One with much room does not let more of another one's jobs begin."""
    wide, narrow = Slots(key="wide", limit=5), Slots(key="narrow", limit=1)
    await store.enqueue([job(slots=each) for each in (wide, narrow) for _ in range(12)])
    claims = await claim(store, limit=24)
    for _ in range(2):
        running = Counter(each.envelope.slots for each in claims)
        assert running == {wide: 5, narrow: 1}
        await settle(store, claims)
        claims = await claim(store, limit=24)


@pytest.mark.parametrize("due", [True, False], ids=["due", "later"])
async def test_what_a_worker_asks_often_is_answered_by_partial_indexes(
    db: DatabaseConnection, store: JobStore, due: bool
) -> None:
    run_at = datetime.now(UTC) + timedelta(hours=0 if due else 1)
    await store.enqueue([job(run_at=run_at, priority=number) for number in range(3)])
    with sent(db) as claiming:
        await claim(store, limit=20)
    assert "ix_jobs_job_waiting" in await plans(db, claiming[:1])
    assert "ix_jobs_job_waiting" in await plans(db, claiming[1:])
    with sent(db) as attending:
        await store.attend("w1", {})
    with sent(db) as renewing:
        await store.renew("w1", (), lease_s=60)
    found = await plans(db, [*attending, *renewing])
    if db.engine.dialect.name == "sqlite":
        for index in ("cancelling", "lease", "held", "held_by_pace", "ended"):
            assert f"ix_jobs_job_{index}" in found
    else:  # which of two that fit is chosen for so few rows is chance
        assert "ix_jobs_job_" in found
        assert "Seq Scan on jobs_job" not in found
