"""`offload` from the side of whoever calls it."""

from __future__ import annotations

import asyncio
import functools
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

import anyio.from_thread
import pytest
from starlette.testclient import TestClient

from fastforge import ForgeError, Project, Role, get_asgi_application, offload
from fastforge.exceptions import ContainerMissing
from fastforge.offloading import OffloadError, OffloadTimeout, offload_gauges
from tests.folder import isolated
from tests.processes import run, wait_until_async

from .conftest import Door

word: ContextVar[str] = ContextVar("word", default="none")


async def test_the_function_runs_elsewhere_and_its_result_comes_back(project: Project) -> None:
    def where(number: int) -> tuple[int, int]:
        return number, threading.get_ident()

    async with project.running(Role.COMMAND):
        number, thread = await offload(where, 7)
    assert number == 7
    assert thread != threading.get_ident()


async def test_what_has_been_called_already_is_told(project: Project) -> None:
    async with project.running(Role.COMMAND):
        with pytest.raises(OffloadError, match=r"E001\] offload is given a str, which"):
            await offload(str(7))  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout_s", [-1, float("inf"), float("nan"), "20", True])
async def test_what_is_no_length_of_time_is_refused(project: Project, timeout_s: object) -> None:
    async with project.running(Role.COMMAND):
        with pytest.raises(OffloadError, match=r"E008\] timeout_s=.* is no time limit"):
            await offload(str, timeout_s=timeout_s)  # type: ignore[arg-type]


async def test_the_event_loop_goes_on_meanwhile(project: Project, door: Door) -> None:
    async with project.running(Role.COMMAND):
        waiting = asyncio.create_task(offload(door.enter))
        await wait_until_async(lambda: door.inside)
        door.open()
        assert await waiting == 1


async def test_context_variables_are_carried_over_and_not_back(project: Project) -> None:
    def read_and_set() -> str:
        before = word.get()
        word.set("from the thread")
        return before

    word.set("from the caller")
    async with project.running(Role.COMMAND):
        assert await offload(read_and_set) == "from the caller"
    assert word.get() == "from the caller"


@pytest.mark.parametrize("kind", [ValueError, TimeoutError, SystemExit, asyncio.CancelledError])
async def test_an_exception_arrives_as_it_is_with_its_traceback(
    project: Project, kind: type[BaseException]
) -> None:
    """Also one that would end the event loop, and a TimeoutError that is not ours."""
    raised: list[BaseException] = []

    def fail() -> None:
        raised.append(kind("no paper"))
        raise raised[0]

    async with project.running(Role.COMMAND):
        with pytest.raises(kind) as caught:
            await offload(fail, timeout_s=60)
        assert caught.value is raised[0]
        assert not isinstance(caught.value, OffloadTimeout)
        assert "raise raised[0]" in "".join(traceback.format_exception(caught.value))
        assert offload_gauges().threads.borrowed == 0


async def test_an_async_function_is_refused_with_its_place(project: Project) -> None:
    async def render() -> None: ...

    async with project.running(Role.COMMAND):
        functions: tuple[Callable[[], object], ...] = (render, functools.partial(render))
        for function in functions:
            with pytest.raises(OffloadError, match=r"E001.*test_calling.py:\d+: .*render is an as"):
                await offload(function)


async def test_without_a_project_it_says_so() -> None:
    with pytest.raises(ContainerMissing, match=r"lifecycle\.E012"):
        await offload(print)
    with pytest.raises(ContainerMissing, match=r"lifecycle\.E012"):
        offload_gauges()


async def test_after_the_stop_it_says_so(project: Project) -> None:
    late = asyncio.Event()

    async def call_late() -> None:
        await late.wait()
        await offload(print)

    async with project.running(Role.COMMAND):
        task = asyncio.create_task(call_late())
    late.set()
    with pytest.raises(OffloadError, match=r"E006.*the project has stopped"):
        await task


async def test_another_event_loop_is_refused_and_the_way_back_works(project: Project) -> None:
    def call_back(way: Callable[[], int]) -> int:
        return way()

    async def offload_abs() -> int:
        return await offload(abs, -1)

    async with project.running(Role.COMMAND):
        with pytest.raises(OffloadError, match=r"E007.*abs was offloaded on another event loop"):
            await offload(call_back, lambda: asyncio.run(offload(abs, -1)))
        assert await offload(call_back, lambda: anyio.from_thread.run(offload_abs)) == 1


FILES = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": """
        INSTALLED_APPS = ["shop"]
        TASKS = {"backend": "memory"}
        ALLOWED_HOSTS = ["*"]
        """,
    "shop/work.py": """
        import threading

        def thread() -> str:
            return threading.current_thread().name
        """,
    "shop/resources.py": """
        from fastforge import offload, resource
        from .work import thread

        @resource
        async def printer():
            opened = await offload(thread)
            yield opened
            print("closed in", await offload(thread))
        """,
    "shop/services.py": """
        import asyncio
        from fastforge import offload, service
        from .work import thread

        seen = []

        @service
        async def look() -> None:
            seen.append(await offload(thread))
        """,
    "shop/routes.py": """
        import asyncio
        from typing import Annotated
        from fastapi import APIRouter
        from fastforge import offload, provide
        from .resources import printer
        from .services import seen
        from .work import thread

        router = APIRouter()

        @router.get("/thread")
        async def answer(opened: Annotated[str, provide(printer)]) -> list[str]:
            while not seen:
                await asyncio.sleep(0.01)
            return [opened, *seen, await offload(thread)]
        """,
    "shop/commands/where.py": '''
        """Print the thread."""
        from fastforge import offload
        from fastforge.commands import command
        from ..work import thread

        @command
        async def where() -> None:
            print("ran in", await offload(thread))
        ''',
}
THREAD = "AnyIO worker thread"


def test_it_works_in_resources_services_and_handlers(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
        with TestClient(get_asgi_application(folder.load())) as client:
            assert client.get("/thread").json() == [THREAD] * 3


def test_it_works_in_commands_and_in_the_shell(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
    code = "from fastforge import offload\nprint('ran in', await offload(work.thread))"
    for arguments in (["where"], ["shell", "-c", f"from shop import work\n{code}"]):
        done = run(["manage", *arguments], cwd=tmp_path, env={"FASTFORGE_ENV": "test"})
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"ran in {THREAD}\nclosed in {THREAD}\n"


def test_busy_and_late_answers_have_their_status(tmp_path: Path) -> None:
    routes = """
        import threading
        from fastapi import APIRouter
        from fastforge import Limiter, offload

        router = APIRouter()
        ONE = Limiter("one", 1, max_waiting=0)
        door = threading.Event()

        @router.get("/late")
        async def late() -> None:
            await offload(door.wait, timeout_s=0.3, limiter=ONE)  # it has begun by then

        @router.get("/busy")
        async def busy() -> None:
            await offload(print, limiter=ONE)

        @router.get("/open")
        async def open_door() -> None:
            door.set()
        """
    with isolated(tmp_path) as folder:
        folder.write(FILES | {"shop/routes.py": routes})
        with TestClient(get_asgi_application(folder.load())) as client:
            late, busy, _ = (client.get(path) for path in ("/late", "/busy", "/open"))
    assert (late.status_code, late.json()["code"]) == (504, "offloading.E011")
    assert (busy.status_code, busy.json()["code"]) == (503, "offloading.E010")


def test_an_error_is_one_of_ours(project: Project) -> None:
    assert issubclass(OffloadTimeout, ForgeError)
    assert issubclass(OffloadTimeout, TimeoutError)
    error = OffloadTimeout("late", code="offloading.E011", hint="wait")
    assert str(error) == "[offloading.E011] late; wait"
