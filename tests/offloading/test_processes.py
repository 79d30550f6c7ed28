"""Functions in other processes: real ones, and each of them gone at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from fastforge import Project, Role, offload
from fastforge.observability.context import request_id
from fastforge.offloading import (
    OffloadCrashed,
    OffloadError,
    OffloadTimeout,
    PoolGauges,
    offload_gauges,
)
from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import is_running, wait_until, wait_until_async

from . import functions
from .conftest import MakeProject


async def test_it_runs_in_another_process_which_is_used_again(project: Project) -> None:
    async with project.running(Role.COMMAND):
        first = await offload(functions.process_id, process=True)
        assert first != os.getpid()
        assert await offload(functions.process_id, process=True) == first
        assert offload_gauges().live_processes == 1
        content = bytes(3_000_000)
        assert await offload(functions.size_of, content, process=True) == len(content)
    wait_until(lambda: not is_running(first))


async def test_it_knows_the_request_and_forgets_it_for_the_next(project: Project) -> None:
    token = request_id.set("request-7")
    async with project.running(Role.COMMAND):
        assert await offload(functions.id_of_request, process=True) == "request-7"
        request_id.reset(token)
        assert await offload(functions.id_of_request, process=True) is None


async def test_what_it_prints_does_not_disturb(project: Project) -> None:
    async with project.running(Role.COMMAND):
        assert await offload(functions.write_to_the_terminal, process=True) == "done"


async def test_no_more_work_at_once_than_the_settings_say(
    make_project: MakeProject, tmp_path: Path
) -> None:
    names = [str(tmp_path / name) for name in "abc"]
    async with make_project(processes=2).running(Role.COMMAND):
        calls = [asyncio.create_task(offload(functions.spin, name, process=True)) for name in names]
        await wait_until_async(lambda: sum(map(os.path.exists, names)) == 2)
        gauges = offload_gauges()
        assert gauges.processes == PoolGauges(limit=2, borrowed=2, waiting=1, abandoned=0)
        assert gauges.live_processes == 2
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        await wait_until_async(lambda: not offload_gauges().processes.borrowed)
        assert offload_gauges().live_processes == 0


@pytest.mark.parametrize("ending", ["cancelled", "out of time"])
async def test_a_caller_that_leaves_takes_its_process_with_it(
    project: Project, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / "pid"
    async with project.running(Role.COMMAND):
        timeout_s = None if ending == "cancelled" else 3
        call = asyncio.create_task(
            offload(functions.spin, str(path), process=True, timeout_s=timeout_s)
        )
        await wait_until_async(path.exists)
        pid = int(path.read_text())
        if ending == "cancelled":
            call.cancel()
            await asyncio.wait({call})
            assert call.cancelled()
        else:
            with pytest.raises(OffloadTimeout, match="did not end within 3 s; its process was end"):
                await call
        await wait_until_async(lambda: not is_running(pid))
        assert await offload(functions.double, 4, process=True) == 8


async def test_an_exception_arrives_with_the_traceback_of_the_other_process(
    project: Project,
) -> None:
    async with project.running(Role.COMMAND):
        with pytest.raises(ValueError, match="no paper") as caught:
            await offload(functions.fail, "no paper", process=True)
    told = "".join(traceback.format_exception(caught.value))
    assert "in the process that ran it:" in told
    assert "raise ValueError(text)" in told


async def test_a_crash_is_one_error_and_the_next_call_has_a_new_process(project: Project) -> None:
    async with project.running(Role.COMMAND):
        with pytest.raises(OffloadCrashed, match=r"E012.*functions\.die was killed by SIGKILL"):
            await offload(functions.die, process=True)
        with pytest.raises(OffloadCrashed, match=r"functions\.leave ended with code 7"):
            await offload(functions.leave, process=True)
        assert offload_gauges().processes.borrowed == 0
        assert await offload(functions.double, 4, process=True) == 8


async def test_a_fork_that_outlives_its_process_does_not_hold_the_answer(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "pid"
    async with project.running(Role.COMMAND):
        try:
            with pytest.raises(OffloadCrashed, match=r"crash_with_a_fork ended with code 7"):
                await offload(functions.crash_with_a_fork, str(path), process=True)
        finally:
            os.kill(int(path.read_text()), 9)


async def test_what_a_process_has_started_is_ended_with_it(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "pid"
    async with project.running(Role.COMMAND):
        call = asyncio.create_task(offload(functions.fork_and_wait, str(path), process=True))
        await wait_until_async(path.exists)
        call.cancel()
        await wait_until_async(lambda: not is_running(int(path.read_text())))


async def test_a_storm_of_cancellations_ends_no_process_of_another_call(
    make_project: MakeProject,
) -> None:
    """Callers that leave before it starts, as it runs, and as it has just answered."""
    chance = random.Random(7)

    async def call(number: int) -> int:
        return await offload(functions.double, number, process=True)

    async with make_project(processes=2).running(Role.COMMAND):
        calls = [asyncio.create_task(call(number)) for number in range(60)]
        for each in chance.sample(calls, 30):
            await asyncio.sleep(chance.choice((0, 0.001, 0.03)))
            each.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        for number, end in enumerate(ended):
            assert end == 2 * number or isinstance(end, asyncio.CancelledError)
        await wait_until_async(lambda: not offload_gauges().processes.borrowed)
        assert offload_gauges().live_processes <= 2


async def test_a_function_in_a_process_that_does_not_end_is_ended_by_the_stop(
    project: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pid"
    async with project.running(Role.COMMAND):
        call = asyncio.create_task(offload(functions.spin, str(path), process=True))
        await wait_until_async(path.exists)
    assert not is_running(int(path.read_text()))
    with pytest.raises(OffloadError, match=r"E006.*the project has stopped"):
        await call
    assert caplog.messages == []


async def test_an_idle_process_that_somebody_ends_is_replaced(project: Project) -> None:
    async with project.running(Role.COMMAND):
        pid = await offload(functions.process_id, process=True)
        os.kill(pid, 9)

        another = pid
        while another == pid:
            with contextlib.suppress(OffloadCrashed):  # we have not heard of it yet
                another = await offload(functions.process_id, process=True)


async def test_what_cannot_be_sent_is_told_with_the_name(project: Project) -> None:
    def local() -> None: ...

    cases: list[tuple[Callable[..., object], tuple[object, ...], str]] = [
        (local, (), r"^\[offloading.E004\] .*test_what_cannot.*\.<locals>\.local cannot be sent"),
        (lambda: None, (), r"<lambda> cannot be sent to a process"),
        (len, (threading.Lock(),), r"an argument of builtins\.len cannot be sent to a process"),
    ]
    async with project.running(Role.COMMAND):
        for function, args, told in cases:
            with pytest.raises(OffloadError, match=told):
                await offload(function, *args, process=True)
        assert offload_gauges().live_processes == 0


async def test_what_cannot_be_sent_back_is_told_with_the_name(project: Project) -> None:
    async with project.running(Role.COMMAND):
        with pytest.raises(OffloadError, match=r"E005.*what it returned .*functions\.make_lambda"):
            await offload(functions.make_lambda, process=True)
        with pytest.raises(OffloadError, match=r"the exception Refused cannot be sent") as caught:
            await offload(functions.refuse, process=True)
        assert "card: expired" in "".join(caught.value.__notes__)
        assert offload_gauges().live_processes == 1


PROGRAM = """
import asyncio, sys
from fastforge import Project, Role, offload

def local_to_the_program():
    pass

async def main():
    async with Project.load().running(Role.COMMAND):
        try:
            await offload(local_to_the_program, process=True)
        except Exception as error:
            print(error, flush=True)
        from shop.work import spin
        await offload(spin, sys.argv[1], process=True)

asyncio.run(main())
"""
SPIN = """
import os, time

def spin(path):
    with open(path + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.replace(path + ".new", path)
    while True:
        time.sleep(0.01)
"""


def test_a_process_ends_with_a_program_that_is_killed(tmp_path: Path) -> None:
    ProjectFolder(tmp_path).write(
        {
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            "shop/settings.py": "",
            "shop/work.py": SPIN,
            "program.py": PROGRAM,
        }
    )
    path = tmp_path / "pid"
    argv = [sys.executable, "program.py", str(path)]
    with start(argv, cwd=tmp_path, env={"FASTFORGE_ENV": "test"}) as program:
        wait_until(path.exists, describe=program)
        pid = int(path.read_text())
        assert "__main__.local_to_the_program cannot be sent to a process: it is" in program.output
        program.kill()
        program.wait()
        wait_until(lambda: not is_running(pid))
