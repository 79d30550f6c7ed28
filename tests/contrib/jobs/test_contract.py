"""What every task backend does, tried on each: memory, SQLite, PostgreSQL with both drivers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fastforge.contrib.jobs import JobStore
from fastforge.tasks import (
    AttemptError,
    Claim,
    ClaimRequest,
    Envelope,
    MemoryBackend,
    Outcome,
    Settlement,
    TaskBackend,
    Verdict,
)
from fastforge.tasks.outcome import JobState
from tests.processes import wait_until_async

from .conftest import opened, rows


@dataclass(frozen=True)
class State:
    """What a test looks at."""

    state: int
    attempt: int
    errors: list[str]


@dataclass(frozen=True)
class World:
    """A backend, and how to look into it."""

    backend: TaskBackend
    look: Callable[[], Awaitable[list[State]]]

    async def enqueue(self, *names: str, **options: Any) -> None:
        for name in names:
            await self.backend.enqueue([Envelope(task=name, payload={"n": 1}, **options)])

    async def claim(
        self,
        worker_id: str = "w1",
        *,
        limit: int = 100,
        lease_s: float = 60,
        queues: tuple[str, ...] = ("default",),
    ) -> list[Claim]:
        request = ClaimRequest(worker_id=worker_id, queues=queues, limit=limit, lease_s=lease_s)
        return list((await self.backend.claim(request)).claims)

    async def settle(self, outcome: Outcome, *claims: Claim, worker_id: str = "w1") -> None:
        settlements = [Settlement(claim=claim, outcome=outcome) for claim in claims]
        await self.backend.settle(worker_id, settlements)


SUCCEEDED = Outcome(verdict=Verdict.SUCCEEDED)
INTERRUPTED = Outcome(verdict=Verdict.INTERRUPTED)


def failure(attempt: int, verdict: Verdict = Verdict.RETRY, delay_s: float = 0) -> Outcome:
    error = AttemptError(attempt=attempt, at="now", type="ValueError", message=f"n{attempt} \x00")
    return Outcome(verdict=verdict, delay_s=delay_s, error=error)


@pytest.fixture(params=["memory", "sqlite", "asyncpg", "psycopg"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        memory = MemoryBackend()

        async def look() -> list[State]:
            return [
                State(job.state, job.attempt, [error.message for error in job.errors])
                for job in memory.jobs.values()
            ]

        yield World(memory, look)
        return
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_dsn"
    url = request.getfixturevalue(fixture).replace("postgresql:", f"postgresql+{request.param}:")
    async with opened(url) as connection:

        async def look() -> list[State]:
            return [
                State(row.state, row.attempt, [error["message"] for error in row.errors or ()])
                for row in await rows(connection)
            ]

        yield World(JobStore(connection.engine), look)


async def test_a_claim_gives_the_whole_envelope(world: World) -> None:
    sent = Envelope(
        task="a.b",
        payload={"text": "ü\x00", "nested": [1, None, {"x": 1.5}]},
        queue="mail",
        headers={"request_id": "r-1"},
        run_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        max_attempts=7,
        version=3,
    )
    await world.backend.enqueue([sent])
    (claim,) = await world.claim(queues=("other", "mail"))
    assert (claim.envelope.payload, claim.envelope.headers) == (sent.payload, sent.headers)
    assert (claim.envelope.uid, claim.envelope.task) == (sent.uid, "a.b")
    assert (claim.envelope.max_attempts, claim.envelope.version) == (7, 3)
    assert (claim.attempt, claim.errors) == (1, ())


async def test_each_job_is_given_once(world: World) -> None:
    await world.enqueue(*(f"t{number}" for number in range(50)))
    claims = await asyncio.gather(*(world.claim(f"w{n}", limit=7) for n in range(4)))
    names = [claim.envelope.task for several in claims for claim in several]
    assert len(names) == len(set(names))
    rest = await world.claim()
    assert len(names) + len(rest) == 50
    assert await world.claim() == []


async def test_what_is_due_first_comes_first_and_no_more_than_wanted(world: World) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    await world.enqueue("second", run_at=past + timedelta(minutes=1))
    await world.enqueue("first", run_at=past)
    await world.enqueue("third", run_at=past + timedelta(minutes=2))
    names = [claim.envelope.task for claim in await world.claim(limit=2)]
    assert names == ["first", "second"]


async def test_queues_are_apart(world: World) -> None:
    await world.enqueue("letter", queue="mail")
    await world.enqueue("picture", queue="media")
    assert [c.envelope.task for c in await world.claim(queues=("media",))] == ["picture"]


async def test_what_is_not_due_waits_and_says_for_how_long(world: World) -> None:
    await world.enqueue("later", run_at=datetime.now(UTC) + timedelta(seconds=100))
    request = ClaimRequest(worker_id="w1", queues=("default",), limit=1, lease_s=60)
    claimed = await world.backend.claim(request)
    assert claimed.claims == ()
    assert 50 < (claimed.next_due_s or 0) <= 100


async def test_an_empty_queue_says_that_nothing_waits(world: World) -> None:
    request = ClaimRequest(worker_id="w1", queues=("default",), limit=1, lease_s=60)
    assert (await world.backend.claim(request)).next_due_s is None


async def test_done_stays_done(world: World) -> None:
    await world.enqueue("a", "b")
    await world.settle(SUCCEEDED, *await world.claim())
    assert await world.look() == [State(JobState.DONE, 1, [])] * 2
    assert await world.claim() == []


async def test_a_failure_is_counted_and_remembered(world: World) -> None:
    await world.enqueue("a")
    for attempt in (1, 2):
        (claim,) = await world.claim()
        assert (claim.attempt, len(claim.errors)) == (attempt, attempt - 1)
        await world.settle(failure(attempt), claim)
    (claim,) = await world.claim()
    await world.settle(failure(3, Verdict.DEAD), claim)
    (job,) = await world.look()
    assert (job.state, job.attempt) == (JobState.DEAD, 3)
    assert job.errors == ["n1 \x00", "n2 \x00", "n3 \x00"]
    assert await world.claim() == []


async def test_a_retry_waits_its_time(world: World) -> None:
    await world.enqueue("a")
    await world.settle(failure(1, delay_s=100), *await world.claim())
    request = ClaimRequest(worker_id="w1", queues=("default",), limit=1, lease_s=60)
    claimed = await world.backend.claim(request)
    assert claimed.claims == ()
    assert 50 < (claimed.next_due_s or 0) <= 100


async def test_the_last_ten_errors_are_kept(world: World) -> None:
    await world.enqueue("a", max_attempts=20)
    for attempt in range(1, 13):
        await world.settle(failure(attempt), *await world.claim())
    (job,) = await world.look()
    assert job.errors == [f"n{attempt} \x00" for attempt in range(3, 13)]


@pytest.mark.parametrize(
    "outcome", [INTERRUPTED, Outcome(verdict=Verdict.PUT_BACK, delay_s=0)], ids=["stop", "unknown"]
)
async def test_what_was_not_tried_is_not_counted(world: World, outcome: Outcome) -> None:
    await world.enqueue("a")
    await world.settle(failure(1), *await world.claim())
    for _ in range(3):
        (claim,) = await world.claim()
        assert claim.attempt == 2
        await world.settle(outcome, claim)
    assert await world.look() == [State(JobState.READY, 1, ["n1 \x00"])]


async def test_many_outcomes_are_settled_together(world: World) -> None:
    await world.enqueue("done", "interrupted", "failed", "dead", "put back")
    claims = await world.claim()
    outcomes = [
        SUCCEEDED,
        INTERRUPTED,
        failure(1, delay_s=100),
        failure(1, Verdict.DEAD),
        Outcome(verdict=Verdict.PUT_BACK, delay_s=100),
    ]
    await world.backend.settle(
        "w1",
        [Settlement(claim=c, outcome=o) for c, o in zip(claims, outcomes, strict=True)],
    )
    assert [(job.state, job.attempt) for job in await world.look()] == [
        (JobState.DONE, 1),
        (JobState.READY, 0),
        (JobState.READY, 1),
        (JobState.DEAD, 1),
        (JobState.READY, 0),
    ]
    assert [claim.envelope.task for claim in await world.claim()] == ["interrupted"]


async def test_settling_twice_is_settling_once(world: World) -> None:
    await world.enqueue("a")
    (claim,) = await world.claim()
    await world.settle(failure(1, delay_s=100), claim)
    await world.settle(failure(1, delay_s=100), claim)
    await world.settle(SUCCEEDED, claim)
    assert await world.look() == [State(JobState.READY, 1, ["n1 \x00"])]


async def expire(world: World, *, freed: int = 1) -> None:
    """Wait, as another worker, until leases have run out and are freed."""
    found: list[int] = []

    async def all_freed() -> bool:
        found.append((await world.backend.renew("w2", (), lease_s=60)).freed)
        return sum(found) == freed

    await wait_until_async(all_freed)


async def test_a_lease_that_runs_out_frees_the_job_at_once_and_counts(world: World) -> None:
    await world.enqueue("a", "b")
    await world.claim(lease_s=0.05)
    await expire(world, freed=2)
    claims = await world.claim("w2")
    assert {(claim.attempt, claim.errors[0].type) for claim in claims} == {(2, "WorkerVanished")}
    assert "w1" in claims[0].errors[0].message


async def test_a_job_that_kills_its_workers_ends_dead(world: World) -> None:
    await world.enqueue("poison", max_attempts=2)
    for _ in range(2):
        assert len(await world.claim(lease_s=0.05)) == 1
        await expire(world)
    (job,) = await world.look()
    assert (job.state, job.attempt, len(job.errors)) == (JobState.DEAD, 2, 2)


async def test_the_result_of_a_worker_that_lost_its_lease_is_refused(world: World) -> None:
    await world.enqueue("a")
    (old,) = await world.claim("w1", lease_s=0.05)
    await expire(world)
    (new,) = await world.claim("w2")
    await world.settle(SUCCEEDED, old, worker_id="w1")
    assert (await world.look())[0].state == JobState.RUNNING
    renewal = await world.backend.renew("w1", [old], lease_s=60)
    assert renewal.lost == {old}
    await world.settle(failure(2, Verdict.DEAD), new, worker_id="w2")
    assert (await world.look())[0].state == JobState.DEAD


async def test_the_result_of_an_attempt_before_is_refused_from_the_same_worker(
    world: World,
) -> None:
    await world.enqueue("a")
    (old,) = await world.claim("w1", lease_s=0.05)
    await expire(world)
    (new,) = await world.claim("w1")
    await world.settle(SUCCEEDED, old)
    assert (await world.look())[0].state == JobState.RUNNING
    renewal = await world.backend.renew("w1", [old, new], lease_s=60)
    assert renewal.lost == {old}


async def test_a_renewed_lease_does_not_run_out(world: World) -> None:
    await world.enqueue("kept", "lost")
    kept, _lost = await world.claim(lease_s=0.3)
    assert (await world.backend.renew("w1", [kept], lease_s=60)).lost == frozenset()
    await expire(world)
    assert [claim.envelope.task for claim in await world.claim("w2")] == ["lost"]


async def test_strays_come_back_uncounted_and_what_is_held_stays(world: World) -> None:
    await world.enqueue("held", "stray")
    held, _ = await world.claim()
    await world.backend.give_back_strays("w1", [held])
    await world.backend.give_back_strays("w2", ())
    assert [(job.state, job.attempt) for job in await world.look()] == [
        (JobState.RUNNING, 1),
        (JobState.READY, 0),
    ]


async def test_a_watcher_is_woken_by_an_enqueue(world: World) -> None:
    woken = asyncio.Event()
    watching = asyncio.create_task(world.backend.watch(woken.set))
    try:
        await asyncio.wait_for(woken.wait(), 60)  # it listens
        woken.clear()
        await world.enqueue("a")
        await asyncio.wait_for(woken.wait(), 60)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert watching.cancelled() or watching.exception() is None
