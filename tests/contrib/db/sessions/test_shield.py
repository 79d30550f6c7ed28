"""Shielded work is carried to its end; the cancellation that came meanwhile goes on after it."""

from __future__ import annotations

import asyncio

import anyio
import anyio.lowlevel
import pytest

from fastforge.contrib.db.sessions.shield import shielded


async def turns(count: int, done: list[str]) -> str:
    for _ in range(count):
        await asyncio.sleep(0)
    done.append("done")
    return "result"


async def test_a_result_and_an_error_come_through() -> None:
    assert await shielded(turns(3, [])) == "result"

    async def fail() -> None:
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        await shielded(fail())


async def test_a_cancelled_task_finishes_the_work_first() -> None:
    done: list[str] = []
    task = asyncio.create_task(shielded(turns(20, done)))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["done"]


async def test_the_error_of_the_work_is_kept_beside_the_cancellation() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise ValueError("inside")

    task = asyncio.create_task(shielded(fail()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await task
    assert isinstance(raised.value.__context__, ValueError)
    assert str(raised.value.__context__) == "inside"


async def test_a_cancelled_scope_does_not_knock_while_the_work_goes_on() -> None:
    """Anyio cancels again at every turn of the loop until the task has left the scope."""
    done: list[str] = []
    knocks: list[int] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        await shielded(turns(50, done))
        task = asyncio.current_task()
        assert task is not None
        knocks.append(task.cancelling())
        await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert (done, knocks) == (["done"], [0])
