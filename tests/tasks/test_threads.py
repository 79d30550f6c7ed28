"""Threads of plain tasks: bounded, left behind when nobody waits, and never more than that."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from fastforge.tasks.threads import Threads
from tests.processes import wait_until_async


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What functions of a test wait for; set at its end whatever happens."""
    event = threading.Event()
    yield event
    event.set()


async def test_they_are_bounded() -> None:
    threads = Threads(3)
    running: list[int] = []
    most: list[int] = []

    def work() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()

    await asyncio.gather(*(threads.run(work) for _ in range(20)))
    assert max(most) <= 3


async def test_a_function_that_was_left_keeps_its_place_until_it_returns(
    release: threading.Event,
) -> None:
    returned: list[int] = []
    threads = Threads(1, lambda: returned.append(1))
    caller = asyncio.create_task(threads.run(lambda: release.wait(60), label="mail"))
    await wait_until_async(lambda: len(threads.at_work) == 1)
    assert threads.left == {}
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert threads.left == {"mail": 1}
    release.set()
    await wait_until_async(lambda: returned == [1])
    assert threads.left == {}
    assert await threads.run(lambda: 7) == 7
    assert returned == [1]


async def test_a_function_whose_caller_left_before_it_began_is_not_run(
    release: threading.Event,
) -> None:
    threads = Threads(1)
    first = asyncio.create_task(threads.run(lambda: release.wait(60)))
    await wait_until_async(lambda: len(threads.at_work) == 1)
    ran: list[int] = []
    second = asyncio.create_task(threads.run(lambda: ran.append(2)))
    await asyncio.sleep(0)  # it waits for the thread
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    release.set()
    assert await first is True
    assert await threads.run(lambda: 3) == 3
    assert ran == []
    assert threads.left == {}
