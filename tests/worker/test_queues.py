"""Queues on the command line: names, and limits of how many jobs run at the same time."""

from __future__ import annotations

import pytest

from fastforge.exceptions import TaskError
from fastforge.tasks.outcome import JobState
from fastforge.worker.queues import parse_queues
from tests.contrib.jobs.shop import Shop
from tests.processes import wait_until, wait_until_async

from .conftest import MakeShop

REPORT = """
@task(queue="reports")
async def report(number: int) -> None:
    note("begin", number)
    await asyncio.sleep(0.3)
    note("end", number)
"""


@pytest.mark.parametrize(
    ("texts", "limits"),
    [
        ([], {}),
        (["mail"], {"mail": None}),
        (["mail", "reports:2"], {"mail": None, "reports": 2}),
        (["reports: 12 "], {"reports": 12}),
    ],
)
def test_names_and_limits(texts: list[str], limits: dict[str, int | None]) -> None:
    assert parse_queues(texts) == limits


@pytest.mark.parametrize("text", ["mail:0", "mail:", "mail:-1", "mail:x", ":2", "mail:1:2", "m:²"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(TaskError, match=r"tasks\.E065.* is neither NAME nor NAME:LIMIT"):
        parse_queues([text])


async def test_no_more_jobs_of_a_queue_than_its_limit_run_in_a_process(
    make_shop: MakeShop,
) -> None:
    shop = await make_shop("concurrency=10", more=REPORT)
    async with shop.enqueueing() as tasks:
        for number in range(6):
            await tasks.report.enqueue(number=number)
        await tasks.work.enqueue(number=100)
    with shop.worker("--queues", "default,reports:2") as worker:
        wait_until(lambda: shop.logged("end")[100] == 1, describe=worker)
        await wait_until_async(lambda: all_done(shop), describe=worker)
        worker.terminate()
        assert worker.wait() == 0
    assert most_at_once((shop.folder.path / "log").read_text()) == 2


async def all_done(shop: Shop) -> bool:
    return await shop.count(JobState.DONE) == 7


def most_at_once(log: str) -> int:
    """The most jobs below 100 that had begun and not ended."""
    running = most = 0
    for line in log.splitlines():
        word, number = line.split()
        if int(number) < 100:
            running += 1 if word == "begin" else -1
            most = max(most, running)
    return most
