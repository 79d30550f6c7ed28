"""An error at every step between claim and finish: each job runs, and none stays claimed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Role
from fastforge.contrib.arq.server import Server
from fastforge.tasks import BackendAway, Consumer, ConsumerOptions, JobQuery, JobState, Stop
from fastforge.tasks.backend import backend_of
from tests.folder import ProjectFolder, isolated
from tests.processes import wait_until_async

from .shop import ArqShop

JOBS = 20


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def away() -> Exception:
    return BackendAway("the wire is cut", code="arq.E001")


@pytest.mark.parametrize("error", [away, RuntimeError], ids=["away", "script error"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["claim", "settle", "renew", "attend", "strays"])
async def test_whatever_fails_every_job_runs_and_is_recorded(
    folder: ProjectFolder,
    redis_url: str,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    when: str,
    error: Any,
) -> None:
    """The first two calls of a step fail: it was not done, or it was and the answer is lost."""
    shop = ArqShop(folder, sqlite_url, redis_url, tasks="lease_s=1")
    await shop.create_table()
    calls: Counter[str] = Counter()
    run = Server.run

    async def failing(self: Server, name: Any, *args: Any) -> Any:
        calls[name] += 1
        if name != step or calls[name] > 2:
            return await run(self, name, *args)
        if when == "after":
            await run(self, name, *args)
        raise error()

    async with shop.folder.load().running(Role.WORKER) as container:
        from shop.tasks import work  # type: ignore[import-not-found]

        backend = backend_of(container)
        for number in range(JOBS):
            await work.enqueue(number=number)
        monkeypatch.setattr(Server, "run", failing)
        stop = Stop()
        options = ConsumerOptions(queues=("default",), concurrency=7, lease_s=1, drain_s=1)
        consumer = Consumer(container, backend, options, stop)

        async def all_done() -> bool:
            done = await backend.desk.count(JobQuery(states=(JobState.DONE,)))
            if done == JOBS:
                stop.request()
            return done == JOBS

        async with asyncio.TaskGroup() as group:
            group.create_task(consumer.run())
            await wait_until_async(all_done)
        running = await backend.desk.find(JobQuery(states=(JobState.RUNNING,)))
        assert list(running) == []
    assert set(shop.logged("end")) == set(range(JOBS))
    if (step, error) != ("settle", RuntimeError):  # that one is given up, and runs again
        assert set(shop.logged("end").values()) == {1}
