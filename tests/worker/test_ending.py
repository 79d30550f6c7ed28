"""A worker that was told to stop ends, whatever its jobs have left running."""

from __future__ import annotations

from tests.processes import wait_until

from .conftest import MakeShop

STUCK = """
import time

@task
async def leave_running(number: int) -> None:
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)
    note("end", number)
"""


async def test_a_thread_that_a_job_has_left_running_does_not_keep_the_process(
    make_shop: MakeShop,
) -> None:
    shop = await make_shop(more=STUCK)
    async with shop.enqueueing() as tasks:
        await tasks.leave_running.enqueue(number=1)
    with shop.worker() as worker:
        wait_until(lambda: shop.logged("end")[1] == 1, describe=worker)
        worker.terminate()
        assert worker.wait() == 0
        assert "the process ends although a thread or a task of it goes on" in worker.output
