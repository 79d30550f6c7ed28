"""Isolated tasks whose jobs are in PostgreSQL and in Redis: what comes back is recorded there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fastforge.lifecycle import current_container
from fastforge.tasks import JobQuery, JobRecord, JobState
from fastforge.tasks.backend import backend_of
from tests.contrib.arq.shop import ArqShop
from tests.contrib.jobs.shop import Shop
from tests.folder import ProjectFolder, isolated
from tests.processes import is_running, wait_until_async

from .test_isolation import ISOLATED, begun, gone

ONE_PROCESS = "isolated_processes=1"


def in_postgresql(request: pytest.FixtureRequest, folder: ProjectFolder) -> Shop:
    return Shop(folder, request.getfixturevalue("postgres_url"), tasks=ONE_PROCESS)


def in_redis(request: pytest.FixtureRequest, folder: ProjectFolder) -> Shop:
    urls = (request.getfixturevalue(name) for name in ("sqlite_url", "redis_url"))
    return ArqShop(folder, *urls, tasks=ONE_PROCESS)


@pytest.fixture(params=[in_postgresql, in_redis])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    with isolated(tmp_path) as folder:
        shop = request.param(request, folder)
        file = folder.path / "shop/tasks.py"
        file.write_text(file.read_text() + ISOLATED)
        await shop.create_table()
        yield shop


async def records() -> dict[str, JobRecord]:
    """Every job, by the last part of its task's name."""
    found = await backend_of(current_container()).desk.find(JobQuery())
    return {job.task.rpartition(".")[2]: job for job in found}


async def ended(count: int) -> bool:
    return sum(job.state >= JobState.DONE for job in (await records()).values()) == count


async def test_results_crashes_and_time_limits_are_recorded(shop: Shop) -> None:
    async with shop.enqueueing() as tasks:
        for name in ("pid_of", "kill_me", "refuse", "hang"):
            await getattr(tasks, name).enqueue(number=1)
        with shop.worker() as worker:
            await wait_until_async(lambda: ended(4), describe=worker)
            jobs = await records()
            done, *dead = (jobs[name] for name in ("pid_of", "kill_me", "refuse", "hang"))
            assert (done.state, done.attempt) == (JobState.DONE, 1)
            assert isinstance(done.result, int)
            assert done.result != worker.pid
            assert [(job.state, job.attempt) for job in dead] == [(JobState.DEAD, 1)] * 3
            killed, refused, late = (job.errors[-1].message for job in dead)
            assert "the process of the job was killed by SIGKILL" in killed
            assert (refused, late) == (
                "not 1",
                "it ran longer than timeout_s=1; its process was ended",
            )
            worker.terminate()
            assert worker.wait() == 0
            assert not is_running(done.result)


async def test_progress_is_seen_and_cancelling_ends_the_process(shop: Shop) -> None:
    async with shop.enqueueing() as tasks:
        half = await tasks.half.enqueue(number=1)
        with shop.worker() as worker:
            await wait_until_async(half.progress, describe=worker)
            block = await tasks.block.enqueue(number=2)
            await half.cancel()
            pid = begun(shop, worker)
            await block.cancel()
            await wait_until_async(lambda: ended(2), describe=worker)
            states = {name: job.state for name, job in (await records()).items()}
            assert states == {"half": JobState.CANCELLED, "block": JobState.CANCELLED}
            gone(pid, worker)
            worker.terminate()
            assert worker.wait() == 0
