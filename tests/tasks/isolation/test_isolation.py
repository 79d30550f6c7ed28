"""Isolated tasks: in processes that are killed, crash, and are used again."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge.conf import Settings
from fastforge.tasks import task
from fastforge.tasks.outcome import JobState
from fastforge.tasks.working import options_of
from tests.contrib.jobs.shop import Shop
from tests.folder import isolated
from tests.processes import Process, is_running, wait_until, wait_until_async
from tests.tasks.conftest import registry_of

MakeShop = Callable[..., Awaitable[Shop]]

ISOLATED = """

import logging, signal, time
from fastforge.tasks import report_progress
from fastforge.contrib.db import session

logger = logging.getLogger("shop.isolated")

class Noting(logging.Handler):
    def emit(self, record):
        from fastforge.observability.context import running_job
        note(f"at work in {running_job.get().task}", os.getpid())

logger.addHandler(Noting())

@task(isolate=True)
async def pid_of(number: int, *, db: DbSession = injected) -> int:
    assert await db.scalar(text("SELECT 1")) == 1
    logger.info("number %d is at work", number)
    return os.getpid()

@task(isolate=True)
def plain_pid(number: int) -> int:
    return os.getpid()

@task(isolate=True)
def half(number: int) -> None:
    report_progress(1, 2, "in a thread")
    time.sleep(3600)

@task(isolate=True, timeout_s=1, retry=Retry(max_attempts=1))
def hang(number: int) -> None:
    note("begin", os.getpid())
    while True:
        time.sleep(0.1)

@task(isolate=True, retry=Retry(max_attempts=2, base_s=0.05))
async def block(number: int) -> None:
    note("begin", os.getpid())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)

@task(isolate=True, retry=Retry(max_attempts=1))
def kill_me(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

@task(isolate=True, retry=Retry(max_attempts=1))
def refuse(number: int) -> None:
    raise ValueError(f"not {number}")
"""

GUARD = """
    from pathlib import Path

    from fastforge import Role, resource
    from fastforge.exceptions import ResourceUnavailable

    @resource(roles={Role.WORKER})
    async def guard():
        if (Path(__file__).parent.parent / "closed").exists():
            raise ResourceUnavailable("closed today", code="shop.E001")
        yield
"""


@pytest.fixture
def make_shop(tmp_path: Path, sqlite_url: str) -> Iterator[MakeShop]:
    with isolated(tmp_path) as folder:

        async def make(tasks: str = "") -> Shop:
            shop = Shop(folder, sqlite_url, tasks=tasks)
            file = folder.path / "shop/tasks.py"
            file.write_text(file.read_text() + ISOLATED)
            await shop.create_table()
            return shop

        yield make


async def enqueue(shop: Shop, *calls: tuple[str, int]) -> None:
    async with shop.enqueueing() as tasks:
        for name, number in calls:
            await getattr(tasks, name).enqueue(number=number)


async def ended(shop: Shop, count: int) -> bool:
    return sum(job.state >= JobState.DONE for job in await shop.jobs()) == count


async def outcome(shop: Shop, worker: Process, count: int = 1) -> list[Any]:
    await wait_until_async(lambda: ended(shop, count), describe=worker)
    return await shop.jobs()


def begun(shop: Shop, worker: Process) -> int:
    """The id of the process of the job that has begun."""
    return wait_until(lambda: next(iter(shop.logged("begin")), None), describe=worker)


def gone(pid: int, worker: Process) -> None:
    wait_until(lambda: not is_running(pid), describe=worker)


async def test_results_resources_and_log_lines_come_back_and_a_process_is_used_again(
    make_shop: MakeShop,
) -> None:
    shop = await make_shop("isolated_processes=1")
    await enqueue(shop, ("pid_of", 1), ("pid_of", 2), ("plain_pid", 3))
    with shop.worker() as worker:
        jobs = await outcome(shop, worker, 3)
        assert {job.state for job in jobs} == {JobState.DONE}, worker.output
        (pid,) = {job.result for job in jobs}
        assert pid != worker.pid
        assert worker.output.count("number 1 is at work") == 1
        worker.terminate()
        assert worker.wait() == 0
    assert not is_running(pid)
    assert shop.log()[f"at work in shop.tasks.pid_of {worker.pid}"] == 2


async def test_its_progress_is_seen_while_it_runs(make_shop: MakeShop) -> None:
    shop = await make_shop()
    await enqueue(shop, ("half", 1))
    with shop.worker() as worker:
        await wait_until_async(lambda: progress(shop), describe=worker)
        (job,) = await shop.jobs()
        assert (job.state, job.progress["done"]) == (JobState.RUNNING, 1)
        worker.terminate()
        worker.wait_for("1 job may end within")
        worker.terminate()
        assert worker.wait() == 0


async def progress(shop: Shop) -> bool:
    (job,) = await shop.jobs()
    return bool(job.progress)


async def test_a_crash_is_one_failed_attempt_and_hurts_no_other_job(make_shop: MakeShop) -> None:
    shop = await make_shop()
    await enqueue(shop, ("kill_me", 1), ("refuse", 2), ("work", 3))
    with shop.worker() as worker:
        crashed, refused, other = await outcome(shop, worker, 3)
        assert (crashed.state, crashed.attempt) == (JobState.DEAD, 1)
        assert "the process of the job was killed by SIGKILL" in crashed.errors[0]["message"]
        assert refused.errors[0]["message"] == "not 2"
        assert refused.errors[0]["type"] == "ValueError"
        assert other.state == JobState.DONE
        worker.terminate()
        assert worker.wait() == 0


async def test_its_time_limit_ends_code_that_nobody_can_cancel(make_shop: MakeShop) -> None:
    shop = await make_shop()
    await enqueue(shop, ("hang", 1))
    with shop.worker() as worker:
        pid = begun(shop, worker)
        (job,) = await outcome(shop, worker)
        assert job.state == JobState.DEAD
        assert job.errors[0]["message"] == ("it ran longer than timeout_s=1; its process was ended")
        gone(pid, worker)
        worker.terminate()
        assert worker.wait() == 0


async def test_cancelling_ends_a_process_that_does_not_listen(make_shop: MakeShop) -> None:
    shop = await make_shop()
    async with shop.enqueueing() as tasks:
        handle = await tasks.block.enqueue(number=1)
        with shop.worker() as worker:
            pid = begun(shop, worker)
            await handle.cancel()
            (job,) = await outcome(shop, worker)
            assert job.state == JobState.CANCELLED
            gone(pid, worker)
            worker.terminate()
            assert worker.wait() == 0


async def test_a_process_that_is_killed_fails_its_attempt_alone(make_shop: MakeShop) -> None:
    shop = await make_shop()
    await enqueue(shop, ("block", 1))
    with shop.worker() as worker:
        os.kill(begun(shop, worker), signal.SIGKILL)
        wait_until(lambda: len(shop.logged("begin")) == 2, describe=worker)
        (job,) = await shop.jobs()
        assert (job.state, job.attempt) == (JobState.RUNNING, 2)
        assert "was killed by SIGKILL" in job.errors[0]["message"]
        worker.terminate()
        worker.wait_for("1 job may end within")
        worker.terminate()
        assert worker.wait() == 0
    (job,) = await shop.jobs()
    assert (job.state, job.attempt) == (JobState.READY, 1)


async def test_its_process_ends_when_the_worker_is_killed(make_shop: MakeShop) -> None:
    shop = await make_shop()
    await enqueue(shop, ("block", 1))
    with shop.worker() as worker:
        pid = begun(shop, worker)
        worker.kill()
        worker.wait()
        gone(pid, worker)


async def test_a_process_that_cannot_start_is_a_failed_attempt(make_shop: MakeShop) -> None:
    shop = await make_shop()
    shop.folder.write({"shop/resources.py": GUARD})
    with shop.worker() as worker:
        worker.wait_for("takes jobs from")
        (shop.folder.path / "closed").touch()
        await enqueue(shop, ("kill_me", 1))
        (job,) = await outcome(shop, worker)
        assert job.state == JobState.DEAD
        assert "the process of the job could not start: [shop.E001]" in job.errors[0]["message"]
        worker.terminate()
        assert worker.wait() == 0


def test_a_queue_of_isolated_tasks_alone_is_limited_by_their_processes(settings: Settings) -> None:
    @task(queue="reports", isolate=True)
    def report() -> None: ...

    @task(queue="mixed", isolate=True)
    def one() -> None: ...

    @task(queue="mixed")
    def other() -> None: ...

    registry = registry_of(report, one, other)
    assert options_of(registry, settings).limits == {"reports": 2}
    assert options_of(registry, settings, limits={"reports": 5}).limits == {"reports": 5}


async def test_one_that_is_killed_while_it_waits_is_replaced(make_shop: MakeShop) -> None:
    shop = await make_shop("isolated_processes=1")
    await enqueue(shop, ("plain_pid", 1))
    with shop.worker() as worker:
        (first,) = await outcome(shop, worker)
        os.kill(first.result, signal.SIGKILL)
        gone(first.result, worker)
        await enqueue(shop, ("plain_pid", 2))
        _, second = await outcome(shop, worker, 2)
        assert (second.state, second.attempt) == (JobState.DONE, 1)
        assert second.result != first.result
        worker.terminate()
        assert worker.wait() == 0
