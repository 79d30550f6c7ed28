"""A fault at each step between claim and finish leaves every job run, or due again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import Depends

from fastforge.lifecycle import injected
from fastforge.observability.events import EVENTS
from fastforge.tasks import (
    BackendAway,
    Consumer,
    ConsumerOptions,
    Envelope,
    JobEvent,
    Retry,
    Stop,
    on_job,
    report_progress,
    task,
)
from fastforge.tasks.outcome import JobState
from fastforge.tasks.records import JobQuery
from tests.processes import wait_until_async
from tests.tasks.conftest import run_project, settings

from .world import World

__all__ = ["run_project", "settings"]

RunProject = Callable[..., Any]

LEASE_S = 2.0
OPTIONS = ConsumerOptions(queues=("default",), concurrency=20, lease_s=LEASE_S, drain_s=5)
AWAY = BackendAway("nobody answers", code="jobs.E001")
BUG = ValueError("a mistake of ours")

ended: Counter[int] = Counter()
begun: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def nothing_begun() -> None:
    ended.clear()
    begun.clear()


@task(name="work")
async def work(number: int, seconds: float) -> None:
    report_progress(number)
    await asyncio.sleep(seconds)
    ended[number] += 1


class Faulty:
    """A backend of which one call fails a few times: before it does anything, or after."""

    def __init__(self, backend: Any, step: str, moment: str, error: Exception) -> None:
        self._backend = backend
        self._step = step
        self._moment = moment
        self._error = error
        self.left = 2

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._backend, name)
        return self._failing(found) if name == self._step else found

    def _failing(self, call: Any) -> Any:
        async def fail(*arguments: Any, **options: Any) -> Any:
            if not self.left:
                return await call(*arguments, **options)
            self.left -= 1
            if self._moment == "after":
                await call(*arguments, **options)
            raise self._error

        return fail


@asynccontextmanager
async def consuming(container: Any, backend: Any) -> AsyncIterator[asyncio.Task[None]]:
    stop = Stop()
    running = asyncio.create_task(Consumer(container, backend, OPTIONS, stop).run())
    try:
        yield running
    finally:
        stop.request()
        await asyncio.wait_for(running, 60)


async def enqueue(world: World, *names: str, count: int = 1, **payload: Any) -> None:
    envelopes = [
        Envelope(task=name, payload={"number": number, **payload}, max_attempts=3)
        for name in names
        for number in range(count)
    ]
    await world.backend.enqueue(envelopes)


async def states(world: World) -> Counter[JobState]:
    return Counter(job.state for job in await world.backend.desk.find(JobQuery()))


STEPS = [
    ("claim", "before", AWAY),
    ("claim", "before", BUG),
    ("claim", "after", AWAY),
    ("settle", "before", AWAY),
    ("settle", "after", AWAY),
    ("settle", "before", BUG),
    ("settle", "after", BUG),
    ("renew", "before", AWAY),
    ("renew", "after", BUG),
    ("attend", "before", AWAY),
    ("attend", "after", BUG),
    ("beat", "before", AWAY),
    ("beat", "before", BUG),
    ("watch", "before", AWAY),
]


async def all_run_in_spite_of(
    world: World, run_project: RunProject, step: str, moment: str, error: Exception
) -> None:
    faulty = Faulty(world.backend, step, moment, error)
    async with run_project(work) as container, consuming(container, faulty) as running:
        await enqueue(world, "work", count=5, seconds=1.1 if step == "attend" else 0)

        async def all_done() -> bool:
            return await states(world) == {JobState.DONE: 5}

        await wait_until_async(all_done)
        await wait_until_async(lambda: faulty.left == 0)
        assert not running.done()
        await world.backend.enqueue([Envelope(task="work", payload={"number": 99, "seconds": 0})])
        await wait_until_async(lambda: ended[99] == 1)
    assert await states(world) == {JobState.DONE: 6}
    assert set(ended) == {*range(5), 99}
    if (step, error) != ("settle", BUG):  # what cannot be recorded runs again
        assert set(ended.values()) == {1}


@pytest.mark.parametrize(
    ("step", "moment", "error"), [("claim", "after", AWAY), ("settle", "before", BUG)]
)
async def test_every_job_runs_in_spite_of_a_fault(
    world: World, run_project: RunProject, step: str, moment: str, error: Exception
) -> None:
    await all_run_in_spite_of(world, run_project, step, moment, error)


@pytest.mark.long
@pytest.mark.parametrize(("step", "moment", "error"), STEPS)
async def test_every_job_runs_in_spite_of_a_fault_at_each_step(
    world: World, run_project: RunProject, step: str, moment: str, error: Exception
) -> None:
    await all_run_in_spite_of(world, run_project, step, moment, error)


# --- faults of a job itself ----------------------------------------------------------------------

SOON = Retry(max_attempts=3, base_s=0)


async def reluctant() -> AsyncIterator[int]:
    begun["reluctant"] += 1
    if begun["reluctant"] == 1:
        raise ConnectionError("it cannot be opened")
    yield 1
    if begun["reluctant"] == 2:
        raise ConnectionError("it cannot be closed")


@task(name="dependent", retry=SOON)
async def dependent(number: int, *, one: Annotated[int, Depends(reluctant)] = injected) -> None:
    ended[number] += 1


@task(name="misfit", retry=SOON)
async def misfit(other: int) -> None:
    raise NotImplementedError


@task(name="leave", retry=SOON)
async def leave(number: int) -> None:
    raise SystemExit(number)


@task(name="unreadable", retry=SOON)
async def unreadable(number: int) -> object:
    return object()


@task(name="endless")
async def endless(number: int) -> None:
    begun["endless"] += 1
    await asyncio.Event().wait()


@on_job(*(event for event in EVENTS if event.name != "job.enqueued"))
async def break_down(event: JobEvent) -> None:
    raise KeyError(event.uid)


async def test_a_fault_of_a_job_is_its_own(world: World, run_project: RunProject) -> None:
    """Arguments, dependencies, its end, its result, a listener, a cancellation."""
    tasks = (dependent, misfit, leave, unreadable, endless, work)
    async with (
        run_project(*tasks, break_down) as container,
        consuming(container, world.backend) as running,
    ):
        await enqueue(world, "dependent", "misfit", "leave", "unreadable", "endless")
        await wait_until_async(lambda: begun["endless"] == 1)
        await world.backend.desk.cancel(JobQuery(tasks=("endless",)))

        async def all_ended() -> bool:
            return all(state >= JobState.DONE for state in await states(world))

        await wait_until_async(all_ended)
        assert not running.done()
    found = {job.task: job for job in await world.backend.desk.find(JobQuery())}
    assert {name: (job.state, len(job.errors)) for name, job in found.items()} == {
        "dependent": (JobState.DONE, 2),
        "misfit": (JobState.DEAD, 3),
        "leave": (JobState.DEAD, 3),
        "unreadable": (JobState.DONE, 0),
        "endless": (JobState.CANCELLED, 0),
    }
    assert found["unreadable"].result is None
