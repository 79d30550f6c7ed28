"""Time limits, callers that leave, what is counted meanwhile, and the stop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time

import pytest

from fastforge import Limiter, Project, Role, offload
from fastforge.offloading import OffloadGauges, OffloadTimeout, PoolGauges, offload_gauges
from fastforge.offloading.running import offloading_of
from tests.processes import wait_until_async

from .conftest import Door, MakeProject

FREE = PoolGauges(limit=3, borrowed=0, waiting=0, abandoned=0)


def threads() -> PoolGauges:
    return offload_gauges().threads


async def test_gauges_are_a_value_of_a_moment(project: Project, door: Door) -> None:
    async with project.running(Role.COMMAND):
        before = offload_gauges()
        assert before == OffloadGauges(
            threads=FREE,
            processes=PoolGauges(limit=2, borrowed=0, waiting=0, abandoned=0),
            live_processes=0,
            limiters={},
        )
        calls = [asyncio.create_task(offload(door.enter)) for _ in range(5)]
        await wait_until_async(lambda: door.inside == 3)
        assert threads() == PoolGauges(limit=3, borrowed=3, waiting=2, abandoned=0)
        assert before.threads == FREE
        door.open()
        await asyncio.gather(*calls)
        assert offload_gauges() == before


async def test_a_function_out_of_time_keeps_its_thread_and_is_counted_until_it_ends(
    project: Project, door: Door
) -> None:
    async with project.running(Role.COMMAND):
        with pytest.raises(OffloadTimeout, match=r"E011.*Door\.enter did not end within 0\.05 s"):
            await offload(door.enter, timeout_s=0.05)
        assert threads() == PoolGauges(limit=3, borrowed=1, waiting=0, abandoned=1)
        door.open()
        await wait_until_async(lambda: threads() == FREE)
        assert door.passed == 1


async def test_a_caller_that_is_cancelled_is_free_at_once(project: Project, door: Door) -> None:
    async with project.running(Role.COMMAND):
        call = asyncio.create_task(offload(door.enter))
        await wait_until_async(lambda: door.inside)
        call.cancel()
        await asyncio.wait({call})
        assert call.cancelled()
        assert threads().abandoned == 1
        door.open()
        await wait_until_async(lambda: threads() == FREE)


async def test_a_function_that_did_not_begin_in_time_never_runs(
    make_project: MakeProject, door: Door
) -> None:
    ran: list[int] = []
    async with make_project(threads=1).running(Role.COMMAND):
        call = asyncio.create_task(offload(door.enter))
        await wait_until_async(lambda: door.inside)
        with pytest.raises(OffloadTimeout, match="append was not begun within 0.01 s"):
            await offload(ran.append, 1, timeout_s=0.01)
        assert threads().waiting == 0
        door.open()
        await call
        assert await offload(len, ran) == 0


async def test_a_storm_of_cancellations_leaves_every_place_free(project: Project) -> None:
    """Callers that leave while they wait, as they begin, while they run, and as they end."""
    chance = random.Random(5)
    one = Limiter("one", 1)

    async def call(number: int) -> None:
        limiter = one if number % 3 == 0 else None
        timeout_s = chance.choice((None, 0, 0.001, 0.01))
        seconds = chance.choice((0.0, 0.0, 0.001, 0.005))
        with contextlib.suppress(OffloadTimeout):
            await offload(time.sleep, seconds, limiter=limiter, timeout_s=timeout_s)

    async with project.running(Role.COMMAND):
        for _ in range(5):
            calls = [asyncio.create_task(call(number)) for number in range(80)]
            for each in chance.sample(calls, 40):
                await asyncio.sleep(chance.choice((0, 0, 0.0005)))
                each.cancel()
            ended = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(each) for each in ended} <= {type(None), asyncio.CancelledError}
        await wait_until_async(lambda: threads() == FREE)
        assert offload_gauges().limiters["one"].borrowed == 0
        assert await asyncio.gather(*(offload(abs, -1, limiter=one) for _ in range(9))) == [1] * 9


async def test_the_stop_waits_for_functions_before_resources_close(
    make_project: MakeProject, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_project().running(Role.COMMAND) as container:
        call = asyncio.create_task(offload(door.enter))
        await wait_until_async(lambda: door.inside)
        call.cancel()
        threading.Timer(0.1, door.open).start()
        assert container.resources
    assert door.passed == 1
    assert caplog.messages == []


async def test_functions_that_do_not_end_are_left_with_one_line(
    project: Project, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with project.running(Role.COMMAND) as container:
        offloader = offloading_of(container).offloader
        calls = [asyncio.create_task(offload(door.enter)) for _ in range(2)]
        await wait_until_async(lambda: door.inside == 2)
    assert caplog.messages == [
        "offloaded functions did not end and are left behind: tests.offloading.conftest.Door.enter"
        " (2)"
    ]
    # Their callers may still wait: they have the result when it comes.
    door.open()
    await asyncio.gather(*calls)
    assert offloader.gauges().threads.borrowed == 0


async def test_a_project_that_was_stopped_starts_again(project: Project) -> None:
    for _ in range(2):
        async with project.running(Role.WEB):
            assert await offload(abs, -2) == 2
            assert await offload(abs, -3, process=True) == 3
