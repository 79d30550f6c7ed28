"""In development a worker starts anew, as a new process, when the code changes."""

from __future__ import annotations

import os
import sys

import pytest

from fastforge.tasks.outcome import JobState
from tests.commanding import start
from tests.contrib.jobs.shop import Shop
from tests.processes import Process, wait_until

from .conftest import MakeShop, append, pids

NEW_NOTE = """
def note(word: str, number: int) -> None:
    with allow_blocking(), LOG.open("a") as file:
        file.write(f"new {word} {number}\\n")
"""


def develop(shop: Shop, *arguments: str, environment: str = "development") -> Process:
    argv = [sys.executable, "-m", "fastforge", "runworker", *arguments]
    return start(argv, cwd=shop.folder.path, env={"FASTFORGE_ENV": environment})


async def test_an_edit_starts_a_new_process_with_the_new_code(make_shop: MakeShop) -> None:
    shop = await make_shop()
    with develop(shop) as worker:
        (first,) = pids(worker, 1)
        append(shop, NEW_NOTE)
        worker.wait_for("shop/tasks.py changed: restarting")
        second = pids(worker, 2)[1]
        async with shop.enqueueing() as tasks:
            await tasks.work.enqueue(number=1)
        wait_until(lambda: shop.log()["new end 1"] == 1, describe=worker)
        assert first != second
        worker.interrupt()
        assert worker.wait() == 0


async def test_a_running_job_has_2_seconds_and_is_handed_back(make_shop: MakeShop) -> None:
    shop = await make_shop("drain_s=3600")
    async with shop.enqueueing() as tasks:
        await tasks.slow.enqueue(number=1, seconds=3600)
    with develop(shop) as worker:
        wait_until(lambda: shop.logged("begin")[1] == 1, describe=worker)
        append(shop, "\n")
        worker.wait_for("1 job may end within 2 s")
        wait_until(lambda: shop.logged("begin")[1] == 2, describe=worker)
        (job,) = await shop.jobs()
        assert (job.state, job.attempt) == (JobState.RUNNING, 1)
        worker.terminate()
        assert worker.wait() == 0


async def test_a_syntax_error_is_told_and_the_next_edit_cures_it(make_shop: MakeShop) -> None:
    shop = await make_shop()
    with develop(shop, "--processes", "2") as worker:
        pids(worker, 2)
        append(shop, "def broken(:\n")
        output = worker.wait_for("waiting for an edit")
        assert "SyntaxError" in output
        file = shop.folder.path / "shop/tasks.py"
        file.write_text(file.read_text().replace("def broken(:\n", ""))
        pids(worker, 4)
        worker.terminate()
        assert worker.wait() == 0


async def test_a_misspelt_queue_is_wrong_usage_and_waits_for_no_edit(make_shop: MakeShop) -> None:
    shop = await make_shop()
    with develop(shop, "--queues", "defualt") as worker:
        assert worker.wait() == 2
        (line,) = worker.output.splitlines()
    assert line.startswith("error: [tasks.E015] ")
    assert line.endswith("did you mean 'default'?")


async def test_an_edit_that_takes_the_queue_away_can_be_cured_by_the_next_one(
    make_shop: MakeShop,
) -> None:
    queue = '@task(queue="letters")\nasync def write() -> None: ...\n'
    shop = await make_shop(more=queue)
    file = shop.folder.path / "shop/tasks.py"
    with develop(shop, "--queues", "letters") as worker:
        pids(worker, 1)
        code = file.read_text()
        file.write_text(code.replace("letters", "lettres"))
        assert "[tasks.E015]" in worker.wait_for("waiting for an edit")
        file.write_text(code)
        pids(worker, 2)
        worker.terminate()
        assert worker.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "environment", "children"),
    [
        ((), "development", 1),
        (("--no-reload",), "development", 0),
        (("--reload",), "production", 1),
        ((), "production", 0),
    ],
)
async def test_who_reloads(
    make_shop: MakeShop, arguments: tuple[str, ...], environment: str, children: int
) -> None:
    shop = await make_shop()
    with start(
        [sys.executable, "-m", "fastforge", "runworker", *arguments],
        cwd=shop.folder.path,
        env={"FASTFORGE_ENV": environment, "SECRET_KEY": os.urandom(32).hex()},
    ) as worker:
        (pid,) = pids(worker, 1)
        assert (pid != worker.pid) == bool(children)
        worker.terminate()
        assert worker.wait() == 0
