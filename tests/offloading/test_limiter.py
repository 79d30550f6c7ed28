"""Limits of their own: a value, and what lives of it in each running project."""

from __future__ import annotations

import asyncio

import pytest

from fastforge import Limiter, Project, Role, offload
from fastforge.offloading import OffloadBusy, OffloadError, PoolGauges, offload_gauges
from tests.processes import wait_until_async

from .conftest import Door, MakeProject


def waiting() -> int:
    """How many wait for the printer."""
    found = offload_gauges().limiters.get("printer")
    return found.waiting if found else 0


def test_it_is_a_value() -> None:
    assert Limiter("printer", 2) == Limiter("printer", 2)
    assert hash(Limiter("printer", 2)) == hash(Limiter("printer", 2))


@pytest.mark.parametrize(("limit", "max_waiting"), [(0, None), (-1, 3), (1, -1)])
def test_a_limit_that_lets_nothing_run_is_refused(limit: int, max_waiting: int | None) -> None:
    with pytest.raises(OffloadError, match=rf"E002.*'printer' has limit={limit} and max_waiting"):
        Limiter("printer", limit, max_waiting)


def test_a_limit_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(OffloadError, match="E002.*'printer' has limit='2' and"):
        Limiter("printer", "2")  # type: ignore[arg-type]
    with pytest.raises(OffloadError, match=r"E002.* max_waiting=1\.5"):
        Limiter("printer", 2, 1.5)  # type: ignore[arg-type]


async def test_a_name_is_no_limiter(project: Project) -> None:
    async with project.running(Role.COMMAND):
        with pytest.raises(
            OffloadError, match=r"E002.*'printer' is no limiter; write limiter=PRINTER"
        ):
            await offload(len, "", limiter="printer")  # type: ignore[arg-type]


async def test_no_more_run_than_it_allows_and_who_waits_takes_no_thread(
    project: Project, door: Door
) -> None:
    printer = Limiter("printer", 2)
    async with project.running(Role.COMMAND):
        calls = [asyncio.create_task(offload(door.enter, limiter=printer)) for _ in range(6)]
        await wait_until_async(lambda: door.inside == 2)
        gauges = offload_gauges()
        assert gauges.limiters == {
            "printer": PoolGauges(limit=2, borrowed=2, waiting=4, abandoned=0)
        }
        assert gauges.threads == PoolGauges(limit=3, borrowed=2, waiting=0, abandoned=0)
        door.open()
        assert await asyncio.gather(*calls) == [2] * 6


async def test_more_than_may_wait_are_refused_and_nothing_of_them_stays(
    project: Project, door: Door
) -> None:
    printer = Limiter("printer", 1, max_waiting=1)
    async with project.running(Role.COMMAND):
        runs, waits = (asyncio.create_task(offload(door.enter, limiter=printer)) for _ in "ab")
        await wait_until_async(waiting)
        with pytest.raises(OffloadBusy, match="E010.*1 caller waits for the limiter 'printer'"):
            await offload(door.enter, limiter=printer)
        waits.cancel()
        await asyncio.wait({waits})
        again = asyncio.create_task(offload(door.enter, limiter=printer))
        await wait_until_async(waiting)
        door.open()
        await asyncio.gather(runs, again)
        assert door.passed == 2


async def test_two_of_one_name_have_to_be_equal(project: Project) -> None:
    async with project.running(Role.COMMAND):
        await offload(abs, 1, limiter=Limiter("printer", 2))
        await offload(abs, 1, limiter=Limiter("printer", 2))
        with pytest.raises(OffloadError, match="E003.*two limiters are called 'printer'"):
            await offload(abs, 1, limiter=Limiter("printer", 3))


async def test_two_running_projects_do_not_share_it(make_project: MakeProject, door: Door) -> None:
    printer = Limiter("printer", 1)
    async with make_project(threads=4).running(Role.COMMAND):
        call = asyncio.create_task(offload(door.enter, limiter=printer))
        await wait_until_async(lambda: door.inside)
        async with make_project(threads=4).running(Role.COMMAND):
            assert await offload(abs, -1, limiter=printer) == 1
        door.open()
        await call
