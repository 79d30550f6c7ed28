"""Functions that call back into the event loop lend their places, so that nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading

import anyio.from_thread
import anyio.to_thread
import pytest

from fastforge import Limiter, Project, Role, offload
from fastforge.offloading import PoolGauges, offload_gauges
from fastforge.offloading.running import offloading_of
from tests.processes import wait_until_async

from .conftest import Door

FREE = PoolGauges(limit=3, borrowed=0, waiting=0, abandoned=0)


def back_and_again(depth: int) -> int:
    """Call back from the thread; what runs there offloads once more, at any depth."""
    if depth == 0:
        return 1
    return anyio.from_thread.run(_again, depth)


async def _again(depth: int) -> int:
    return sum(await asyncio.gather(*(offload(back_and_again, depth - 1) for _ in "ab")))


async def test_threads_that_call_back_do_not_lock_up(project: Project) -> None:
    """Twenty at once on three threads, each of which needs more of them."""
    async with project.running(Role.COMMAND):
        calls = (offload(back_and_again, 3) for _ in range(20))
        assert await asyncio.gather(*calls) == [8] * 20
        assert offload_gauges().threads == FREE


async def test_a_limiter_of_one_can_be_entered_again(project: Project) -> None:
    one = Limiter("one", 1)

    def outer() -> int:
        return anyio.from_thread.run(inner)

    async def inner() -> int:
        return sum(await asyncio.gather(*(offload(abs, -1, limiter=one) for _ in range(5))))

    async with project.running(Role.COMMAND):
        calls = (offload(outer, limiter=one) for _ in range(5))
        assert await asyncio.gather(*calls) == [5] * 5
        assert offload_gauges().limiters["one"].borrowed == 0


async def test_a_place_on_loan_is_one_place_also_when_its_lender_has_ended(
    project: Project, door: Door
) -> None:
    left: list[asyncio.Task[int]] = []

    def outer() -> None:
        anyio.from_thread.run(leave_a_task)

    async def leave_a_task() -> None:
        left.append(asyncio.create_task(offload(door.enter)))
        await wait_until_async(lambda: door.inside)

    async with project.running(Role.COMMAND):
        await offload(outer)
        assert offload_gauges().threads.borrowed == 1
        door.open()
        await asyncio.gather(*left)
        assert offload_gauges().threads == FREE
        late = asyncio.create_task(offload(abs, -1))
        assert await late == 1


async def test_a_wait_for_a_loan_that_is_cancelled_leaves_nothing(
    project: Project, door: Door
) -> None:
    async def two() -> None:
        first = asyncio.create_task(offload(door.enter))
        await wait_until_async(lambda: door.inside)
        second = asyncio.create_task(offload(door.enter))
        await wait_until_async(lambda: offload_gauges().threads.waiting)
        second.cancel()
        door.open()
        await asyncio.wait({first, second})

    async with project.running(Role.COMMAND):
        await offload(lambda: anyio.from_thread.run(two))
        assert door.passed == 1
        assert offload_gauges().threads == FREE


async def test_a_limit_where_nobody_leaves_is_told_once(
    project: Project, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with project.running(Role.COMMAND) as container:
        offloader = offloading_of(container).offloader
        calls = [asyncio.create_task(offload(door.enter)) for _ in range(4)]
        calls.append(asyncio.create_task(anyio.to_thread.run_sync(door.enter)))
        await wait_until_async(lambda: offload_gauges().threads.waiting == 2)
        for _ in range(4):
            offloader.look()
        [line] = caplog.messages
        assert line.startswith("the 3 places of SERVER.threads have been taken for seconds")
        assert "2 callers wait: tests.offloading.conftest.Door.enter (3)" in line
        door.open()
        await asyncio.gather(*calls)
        offloader.look()
        assert len(caplog.messages) == 1


async def test_a_busy_limit_that_moves_is_not_told(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    events = [threading.Event() for _ in range(8)]
    async with project.running(Role.COMMAND) as container:
        calls = {asyncio.create_task(offload(event.wait)) for event in events}
        for event in events:
            await wait_until_async(lambda: offload_gauges().threads.borrowed)
            offloading_of(container).offloader.look()
            event.set()
            done, calls = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            assert done
    assert caplog.messages == []
