"""Workers as real processes, on real databases: killed, stopped, and side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from fastforge import Role
from fastforge.tasks import Envelope
from fastforge.tasks.backend import backend_of
from fastforge.tasks.outcome import JobState
from tests.folder import isolated
from tests.processes import wait_until, wait_until_async

from .shop import Shop
from .wire import Wire

MakeShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[MakeShop]:
    with isolated(tmp_path) as folder:

        async def make(url: str, tasks: str = "") -> Shop:
            shop = Shop(folder, url, tasks=tasks)
            await shop.create_table()
            return shop

        yield make


def once(numbers: range) -> Counter[int]:
    return Counter(dict.fromkeys(numbers, 1))


async def test_after_kill_9_every_job_is_done_and_none_ends_twice(
    make_shop: MakeShop, each_database_url: str
) -> None:
    shop = await make_shop(each_database_url, "lease_s=2, concurrency=40")
    async with shop.enqueueing() as tasks:
        for number in range(40):
            await tasks.slow.enqueue(number=number, seconds=1.5)
    with shop.worker() as first:
        wait_until(lambda: len(shop.logged("begin")) == 40, describe=first)
        first.kill()
        first.wait()
    assert shop.logged("end") == {}
    with shop.worker() as second:
        wait_until(lambda: len(shop.logged("end")) == 40, describe=second)
        await wait_until_async(lambda: shop_done(shop, 40), describe=second)
        second.terminate()
        assert second.wait() == 0
    assert shop.logged("begin") == Counter(dict.fromkeys(range(40), 2))
    assert shop.logged("end") == once(range(40))
    assert {job.attempt for job in await shop.jobs()} == {2}
    assert {job.errors[0]["type"] for job in await shop.jobs()} == {"WorkerVanished"}


async def shop_done(shop: Shop, count: int) -> bool:
    return await shop.count(JobState.DONE) == count


async def test_two_workers_run_each_job_once(make_shop: MakeShop, each_database_url: str) -> None:
    shop = await make_shop(each_database_url, "concurrency=7")
    with shop.worker() as one, shop.worker() as two:
        one.wait_for("takes jobs from")
        two.wait_for("takes jobs from")
        async with shop.enqueueing() as tasks:
            for number in range(200):
                await tasks.work.enqueue(number=number)
            for number in range(200, 210):  # more than one of them may run at the same time
                await tasks.slow.enqueue(number=number, seconds=1)
        await wait_until_async(lambda: shop_done(shop, 210), describe=f"{one}\n{two}")
        one.terminate()
        two.terminate()
        assert (one.wait(), two.wait()) == (0, 0)
    assert shop.logged("end") == shop.logged("begin") == once(range(210))
    assert len({job.worker_id for job in await shop.jobs()}) == 2


async def test_sigterm_lets_short_jobs_end_and_hands_back_the_others_uncounted(
    make_shop: MakeShop, each_database_url: str
) -> None:
    shop = await make_shop(each_database_url, "drain_s=2")
    async with shop.enqueueing() as tasks:
        await tasks.slow.enqueue(number=1, seconds=1)
        await tasks.slow.enqueue(number=2, seconds=3600)
    with shop.worker() as worker:
        wait_until(lambda: len(shop.logged("begin")) == 2, describe=worker)
        worker.terminate()
        assert worker.wait() == 0
    ended, handed_back = await shop.jobs()
    assert (ended.state, ended.attempt) == (JobState.DONE, 1)
    assert (handed_back.state, handed_back.attempt) == (JobState.READY, 0)
    assert handed_back.worker_id is None
    with shop.worker() as other:
        wait_until(lambda: shop.logged("begin")[2] == 2, describe=other)


@pytest.mark.parametrize("task", ["slow", "block"])
async def test_a_second_signal_does_not_wait(
    make_shop: MakeShop, sqlite_url: str, task: str
) -> None:
    """Neither for a coroutine nor for a thread, which cannot be ended but by ending the process."""
    shop = await make_shop(sqlite_url, "drain_s=3600")
    async with shop.enqueueing() as tasks:
        await getattr(tasks, task).enqueue(number=1, seconds=3600)
    with shop.worker() as worker:
        wait_until(lambda: shop.logged("begin")[1] == 1, describe=worker)
        worker.terminate()
        worker.wait_for("1 job may end within 3600 s")
        assert worker.alive
        worker.terminate()
        assert worker.wait() == 0
    (job,) = await shop.jobs()
    assert (job.state, job.attempt) == (JobState.READY, 0)


async def test_a_signal_that_whoever_started_it_ignores_is_no_end(
    make_shop: MakeShop, sqlite_url: str
) -> None:
    """A shell ignores Ctrl-C for what it starts with `&`: the terminal's is not for the worker."""
    shop = await make_shop(sqlite_url)
    with shop.worker(ignoring="INT") as worker:
        worker.wait_for("takes jobs from")
        worker.interrupt()
        async with shop.enqueueing() as tasks:
            await tasks.work.enqueue(number=1)
        wait_until(lambda: shop.logged("end")[1] == 1, describe=worker)
        worker.terminate()
        assert worker.wait() == 0


async def test_what_a_job_enqueues_belongs_to_its_transaction(
    make_shop: MakeShop, sqlite_url: str
) -> None:
    shop = await make_shop(sqlite_url)
    async with shop.enqueueing() as tasks:
        await tasks.chain.enqueue(number=1, rollback=False)
        await tasks.chain.enqueue(number=2, rollback=True)
    with shop.worker("--burst") as worker:
        assert worker.wait() == 0, worker.output
    assert shop.log() == {"begin 1": 2, "end 1": 2, "begin 2": 1, "end 2": 1}
    assert [job.task for job in await shop.jobs()] == [
        "shop.tasks.chain",
        "shop.tasks.chain",
        "shop.tasks.work",
    ]


async def test_a_failing_job_is_tried_to_the_end_and_dead_with_every_exception(
    make_shop: MakeShop, sqlite_url: str
) -> None:
    shop = await make_shop(sqlite_url)
    async with shop.enqueueing() as tasks:
        await tasks.fail.enqueue(number=7)
    with shop.worker() as worker:
        worker.wait_for("is dead after attempt 3 of 3: ValueError: number 7")
        worker.terminate()
        worker.wait()
    (job,) = await shop.jobs()
    assert (job.state, job.attempt) == (JobState.DEAD, 3)
    assert [error["attempt"] for error in job.errors] == [1, 2, 3]
    assert all("ValueError: number 7" in error["trace"] for error in job.errors)


async def test_a_job_that_ends_its_worker_is_dead_after_its_attempts(
    make_shop: MakeShop, sqlite_url: str
) -> None:
    shop = await make_shop(sqlite_url, "lease_s=1")
    async with shop.enqueueing() as tasks:
        await tasks.crash.enqueue(number=1)
    for attempt in (1, 2):
        with shop.worker() as worker:
            assert worker.wait() == 9
        assert shop.logged("begin") == {1: attempt}
    with shop.worker() as healthy:
        healthy.wait_for("takes jobs from")
        await wait_until_async(lambda: dead(shop), describe=healthy)
        assert healthy.alive
    (job,) = await shop.jobs()
    assert [error["type"] for error in job.errors] == ["WorkerVanished"] * 2


async def dead(shop: Shop) -> bool:
    return await shop.count(JobState.DEAD) == 1


async def test_a_job_of_tomorrow_waits_and_runs_once_its_code_is_there(
    make_shop: MakeShop, sqlite_url: str
) -> None:
    shop = await make_shop(sqlite_url)
    async with shop.folder.load().running(Role.COMMAND) as container:
        envelope = Envelope(task="shop.tasks.tomorrow", payload={"number": 5})
        await backend_of(container).enqueue([envelope])
    with shop.worker() as today:
        today.wait_for("is put back 30 s: no installed app declares the task")
        today.terminate()
        assert today.wait() == 0
    (job,) = await shop.jobs()
    assert (job.state, job.attempt, job.errors) == (JobState.READY, 0, None)
    assert (job.run_at - job.enqueued_at).total_seconds() > 25


async def test_burst_leaves_what_is_due_later(make_shop: MakeShop, sqlite_url: str) -> None:
    shop = await make_shop(sqlite_url)
    async with shop.enqueueing() as tasks:
        for number in range(120):
            await tasks.work.enqueue(number=number)
    with shop.worker("--burst", "--concurrency", "8") as worker:
        assert worker.wait() == 0, worker.output
    assert shop.logged("end") == once(range(120))


async def test_a_database_without_the_table_is_one_line_and_exit_code_3(
    make_shop: MakeShop, sqlite_url: str, tmp_path: Path
) -> None:
    shop = await make_shop(sqlite_url)
    (tmp_path / "test.sqlite3").unlink()
    with shop.worker() as worker:
        assert worker.wait() == 3
        lines = worker.output.strip().splitlines()
    assert len(lines) == 1, lines
    assert "[jobs.E002]" in lines[0]
    assert "manage migrate" in lines[0]


async def test_an_unknown_queue_is_one_line_with_the_nearest_name(
    make_shop: MakeShop, sqlite_url: str
) -> None:
    shop = await make_shop(sqlite_url)
    with shop.worker("--queues", "defualt") as worker:
        assert worker.wait() == 2
        lines = worker.output.strip().splitlines()
    assert len(lines) == 1, lines
    assert "did you mean 'default'?" in lines[0]


SLOW_START = """
    import asyncio
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastforge import resource

    @resource
    async def opened() -> AsyncIterator[int]:
        yield 1
        Path("closed").touch()

    @resource(start_timeout_s=3600)
    async def reluctant() -> AsyncIterator[int]:
        Path("opening").touch()
        await asyncio.sleep(3600)
        yield 1
"""


async def test_sigterm_during_the_start_closes_what_is_open(
    make_shop: MakeShop, sqlite_url: str, tmp_path: Path
) -> None:
    shop = await make_shop(sqlite_url)
    shop.folder.write({"shop/resources.py": SLOW_START})
    with shop.worker() as worker:
        wait_until((tmp_path / "opening").exists, describe=worker)
        worker.terminate()
        assert worker.wait() == 0
    assert (tmp_path / "closed").exists()


async def test_a_database_that_goes_away_is_waited_for(
    make_shop: MakeShop, each_postgres_url: str
) -> None:
    """Jobs end meanwhile; when it is back they are recorded, none runs again, new ones run."""
    address = urlsplit(each_postgres_url)
    with Wire("127.0.0.1", address.port or 5432) as wire:
        through = address._replace(netloc=address.netloc.replace(str(address.port), str(wire.port)))
        shop = await make_shop(urlunsplit(through), "lease_s=120")
        async with shop.enqueueing() as tasks:
            for number in range(10):
                await tasks.slow.enqueue(number=number, seconds=2)
        with shop.worker() as worker:
            wait_until(lambda: len(shop.logged("begin")) == 10, describe=worker)
            wire.cut()
            wait_until(lambda: len(shop.logged("end")) == 10, describe=worker)
            worker.wait_for("the task backend fails")
            wire.mend()
            worker.wait_for("the task backend works again")
            await wait_until_async(lambda: shop_done(shop, 10), describe=worker)
            async with shop.enqueueing() as tasks:
                await tasks.work.enqueue(number=10)
            wait_until(lambda: shop.logged("end")[10] == 1, describe=worker)
            worker.terminate()
            assert worker.wait() == 0
            assert worker.output.count("the task backend fails") == 1
            assert worker.output.count("Traceback") == 0, worker.output
        assert {job.attempt for job in await shop.jobs()} == {1}
    assert shop.logged("end") == shop.logged("begin") == once(range(11))
