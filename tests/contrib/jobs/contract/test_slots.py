"""Slots: how many jobs with one key run at the same time, in all workers together."""

from __future__ import annotations

import asyncio

import pytest

from fastforge.tasks import JobQuery, JobState, Outcome, Verdict
from fastforge.tasks.limits import Slots

from .world import CANCELLED, DEAD, INTERRUPTED, LEASE_S, SUCCEEDED, World, envelope, failure

ONE = Slots(key="k", limit=1)
TWO = Slots(key="k", limit=2)


async def test_no_more_than_the_limit_begin_and_the_others_are_held(world: World) -> None:
    await world.enqueue("a", "b", "c", slots=TWO)
    assert await world.names() == ["a", "b"]
    assert await world.states() == [JobState.RUNNING, JobState.RUNNING, JobState.HELD]
    assert (await world.ask()).next_due_s is None, "what is held is not asked for again"


async def test_the_limit_holds_over_all_workers(world: World) -> None:
    await world.send(*(envelope(f"t{number}", slots=TWO) for number in range(12)))
    asked = await asyncio.gather(*(world.ask(f"w{n}", limit=4) for n in range(4)))
    begun = sum(len(claimed.claims) for claimed in asked)
    for number in range(4):
        begun += len(await world.claim(f"w{number}"))
    assert begun == 2
    assert len(await world.by_state(JobState.RUNNING)) == 2


async def test_keys_do_not_hold_up_each_other(world: World) -> None:
    await world.enqueue("a", "a", "a", slots=ONE)
    await world.enqueue("b", slots=Slots(key="l", limit=1))
    await world.enqueue("c")
    assert sorted(await world.names()) == ["a", "b", "c"]


async def test_one_place_in_a_worker_is_enough_to_pass_those_that_are_held(world: World) -> None:
    await world.enqueue("a", *["held"] * 20, "free", slots=ONE)
    await world.settle(SUCCEEDED, *await world.claim(limit=1))
    await world.enqueue("free")
    await world.claim(limit=1)
    assert "free" in [*await world.names("w2", limit=1), *await world.names("w2", limit=1)]


@pytest.mark.parametrize(
    "outcome",
    [
        SUCCEEDED,
        DEAD,
        CANCELLED,
        INTERRUPTED,
        failure(delay_s=100),
        Outcome(verdict=Verdict.PUT_BACK, delay_s=100),
    ],
    ids=["done", "dead", "cancelled", "interrupted", "retry", "put back"],
)
async def test_the_next_one_may_begin_however_one_has_ended(world: World, outcome: Outcome) -> None:
    await world.enqueue("first", "second", slots=ONE)
    claims = await world.claim()
    assert await world.by_state(JobState.HELD) == ["second"]
    await world.settle(outcome, *claims)
    assert len(await world.claim()) == 1
    assert len(await world.by_state(JobState.RUNNING)) == 1
    # An interrupted one is due again at once, and before the younger.
    first_again = outcome is INTERRUPTED
    assert await world.by_state(JobState.RUNNING) == ["first" if first_again else "second"]


async def test_the_next_one_may_begin_when_a_worker_is_gone(world: World) -> None:
    await world.enqueue("first", "second", slots=ONE, max_attempts=1)
    await world.claim()
    world.advance(seconds=LEASE_S + 1)
    await world.sweep()
    assert await world.by_state(JobState.DEAD) == ["first"]
    assert await world.names("w2") == ["second"]


async def test_the_next_one_may_begin_when_strays_come_back(world: World) -> None:
    await world.enqueue("first", "second", slots=ONE)
    await world.claim()
    await world.backend.give_back_strays("w1", ())
    assert len(await world.claim("w2")) == 1
    assert len(await world.by_state(JobState.RUNNING)) == 1


async def test_one_ends_and_one_begins_until_all_are_done(world: World) -> None:
    names = [f"t{number}" for number in range(8)]
    await world.enqueue(*names, slots=TWO)
    seen: list[str] = []
    running = await world.claim()
    while running:
        assert len(running) <= 2
        assert len(await world.by_state(JobState.RUNNING)) == len(running)
        ended = running.pop()
        seen.append(ended.envelope.task)
        await world.settle(SUCCEEDED, ended)
        running += await world.claim()
    assert sorted(seen) == names
    assert await world.states() == [JobState.DONE] * 8


async def test_the_most_urgent_of_those_that_are_held_is_the_next(world: World) -> None:
    await world.enqueue("running", slots=ONE)
    claims = await world.claim()
    await world.enqueue("usual", slots=ONE)
    await world.enqueue("urgent", slots=ONE, priority=-5)
    assert await world.claim() == []
    assert await world.by_state(JobState.HELD) == ["usual", "urgent"]
    await world.settle(SUCCEEDED, *claims)
    assert await world.names() == ["urgent"]


async def test_a_larger_limit_of_newer_jobs_lets_them_begin(world: World) -> None:
    """After a deploy that raises a limit, jobs with both are in the queue."""
    await world.enqueue("old", slots=ONE)
    await world.enqueue("new", slots=TWO)
    assert await world.names() == ["old", "new"]


async def test_a_held_job_can_be_cancelled_and_discarded(world: World) -> None:
    await world.enqueue("a", "b", "c", "d", slots=ONE)
    claims = await world.claim()
    assert await world.desk.cancel(JobQuery(tasks=("b",))) == 1
    assert await world.desk.discard(JobQuery(tasks=("c",))) == 1
    await world.settle(SUCCEEDED, *claims)
    assert await world.names() == ["d"]
