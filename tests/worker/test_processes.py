"""Several processes: restarted when they die, drained side by side, never left behind."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from fastforge.tasks.outcome import JobState
from tests.contrib.jobs.shop import Shop
from tests.processes import Process, is_running, wait_until, wait_until_async

from .conftest import MakeShop, pids

BROKEN = "raise RuntimeError('no tasks today')\n"


def runs(pid: int) -> bool:
    """Whether a process runs; what is ended and not reaped yet does not."""
    if not is_running(pid):
        return False
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return os.path.isdir("/proc/self") is False


async def enqueue(shop: Shop, task: str, numbers: range, **arguments: object) -> None:
    async with shop.enqueueing() as tasks:
        for number in numbers:
            await getattr(tasks, task).enqueue(number=number, **arguments)


async def test_two_processes_share_the_jobs_and_the_rule_is_told_once(make_shop: MakeShop) -> None:
    shop = await make_shop("concurrency=3")
    with shop.worker("--processes", "2") as worker:
        both = pids(worker, 2)
        await enqueue(shop, "slow", range(6), seconds=0.5)
        await wait_until_async(lambda: done(shop, 6), describe=worker)
        worker.terminate()
        assert worker.wait() == 0
        assert told(worker, "2 processes x 3 jobs = 6 at the same time") == 1
        assert told(worker, "jobs that compute: raise the processes") == 1
    assert {int(job.worker_id.split(":")[1]) for job in await shop.jobs()} == set(both)
    assert not any(runs(pid) for pid in both)


def told(worker: Process, text: str) -> int:
    """How many lines say that."""
    return sum(text in line for line in worker.output.splitlines())


async def done(shop: Shop, count: int) -> bool:
    return await shop.count(JobState.DONE) == count


async def test_a_process_that_is_killed_is_started_again(make_shop: MakeShop) -> None:
    shop = await make_shop()
    with shop.worker("--processes", "2") as worker:
        first, second = pids(worker, 2)
        os.kill(first, signal.SIGKILL)
        worker.wait_for(f"(pid {first}) was killed by SIGKILL: starting again\n")
        third = pids(worker, 3)[2]
        os.kill(third, signal.SIGKILL)
        worker.wait_for(f"(pid {third}) was killed by SIGKILL: starting again in 0.5 s\n")
        pids(worker, 4)
        assert runs(second)
        worker.terminate()
        assert worker.wait() == 0


async def test_sigterm_drains_all_side_by_side(make_shop: MakeShop) -> None:
    shop = await make_shop("concurrency=1, drain_s=30")
    await enqueue(shop, "slow", range(2), seconds=2)
    with shop.worker("--processes", "2") as worker:
        wait_until(lambda: len(shop.logged("begin")) == 2, describe=worker)
        worker.terminate()
        assert worker.wait() == 0
    assert await shop.count(JobState.DONE) == 2
    assert shop.logged("end") == Counter({0: 1, 1: 1})


async def test_the_second_signal_does_not_wait(make_shop: MakeShop) -> None:
    shop = await make_shop("concurrency=1, drain_s=3600")
    await enqueue(shop, "slow", range(2), seconds=3600)
    with shop.worker("--processes", "2") as worker:
        wait_until(lambda: len(shop.logged("begin")) == 2, describe=worker)
        worker.interrupt()
        wait_until(lambda: worker.output.count("1 job may end within") == 2, describe=worker)
        assert worker.alive
        worker.interrupt()
        assert worker.wait() == 0
    assert {(job.state, job.attempt) for job in await shop.jobs()} == {(JobState.READY, 0)}


async def test_when_the_supervisor_is_killed_its_processes_drain_and_leave(
    make_shop: MakeShop,
) -> None:
    shop = await make_shop("concurrency=1, drain_s=30")
    await enqueue(shop, "slow", range(2), seconds=1)
    with shop.worker("--processes", "2") as worker:
        both = pids(worker, 2)
        wait_until(lambda: len(shop.logged("begin")) == 2, describe=worker)
        worker.kill()
        wait_until(lambda: not any(runs(pid) for pid in both), describe=worker)
    assert await shop.count(JobState.DONE) == 2


async def test_a_signal_that_whoever_started_it_ignores_is_no_end(make_shop: MakeShop) -> None:
    shop = await make_shop()
    with shop.worker("--processes", "2", ignoring="INT") as worker:
        pids(worker, 2)
        worker.interrupt()
        await enqueue(shop, "work", range(2))
        await wait_until_async(lambda: done(shop, 2), describe=worker)
        worker.terminate()
        assert worker.wait() == 0


async def test_a_burst_ends_when_all_have_ended(make_shop: MakeShop) -> None:
    shop = await make_shop()
    await enqueue(shop, "work", range(20))
    with shop.worker("--processes", "2", "--burst") as worker:
        assert worker.wait() == 0, worker.output
        assert told(worker, "at the same time") == 0
    assert shop.logged("end") == Counter(dict.fromkeys(range(20), 1))


async def test_what_cannot_start_ends_all_and_is_told_once(make_shop: MakeShop) -> None:
    shop = await make_shop()
    shop.folder.write({"shop/models.py": BROKEN})
    with shop.worker("--processes", "2") as worker:
        assert worker.wait() == 2
        assert told(worker, "no tasks today") == 1
        assert told(worker, "it cannot start") >= 1


async def test_a_resource_that_cannot_be_opened_is_exit_code_3(make_shop: MakeShop) -> None:
    shop = await make_shop()
    shop.folder.write(
        {
            "shop/resources.py": """
                from fastforge import resource
                from fastforge.exceptions import ResourceUnavailable

                @resource
                async def search():
                    raise ResourceUnavailable("nobody is there", code="shop.E001")
                    yield
                """
        }
    )
    with shop.worker("--processes", "2") as worker:
        assert worker.wait() == 3, worker.output
        assert told(worker, "error: ") == 1, worker.output


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--processes", "0"), "[management.E013] --processes is 0"),
        (("--queues", "default:0"), "[tasks.E065] --queues: 'default:0' is neither NAME nor"),
        (("--queues", " , "), "[tasks.E065] --queues: '' is neither NAME nor"),
        (("--queues", "default:x"), "[tasks.E065] --queues: 'default:x' is neither NAME nor"),
        (("--queues", "default,default:2"), "[tasks.E065] --queues: the queue 'default' is given"),
        (("--queues", "defualt:2"), "[tasks.E015] "),
        (("--queues", "defualt:2", "--processes", "2"), "[tasks.E015] "),
    ],
)
async def test_wrong_options_are_told_and_refused(
    make_shop: MakeShop, arguments: tuple[str, ...], error: str
) -> None:
    shop = await make_shop()
    with shop.worker(*arguments) as worker:
        assert worker.wait() == 2, worker.output
        assert told(worker, error) == 1, worker.output
