"""Loops: running something asynchronous on the event loop of a test, whoever runs that test."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import pytest

__all__ = ["Loop", "is_async", "loop_of", "loop_of_test"]

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]

LASTING_ANYIO = "fastforge_anyio_loop"
LASTING_ASYNCIO = "fastforge_asyncio_loop"
"""The fixtures that keep a loop for the whole session."""
END_LIMIT_S: Final = 1.0


class Loop:
    """An event loop that tests run on, and what is closed before it is.

    Attributes:
        run: Runs a coroutine function to its end on it.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._at_end: list[Callable[[], Coroutine[Any, Any, Any]]] = []

    def at_end(self, close: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Call a coroutine function on the loop before it ends; the last one comes first."""
        self._at_end.append(close)

    @contextmanager
    def closing(self) -> Iterator[Loop]:
        """Call what was given to `at_end` at the end of a block."""
        try:
            yield self
        finally:
            while self._at_end:
                self.run(self._at_end.pop())


@contextmanager
def loop_of(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Give what runs a coroutine function to its end on the loop that the test will run on.

    An async fixture would run on the loop of the plugin that finds it first, which with two
    plugins need not be the one that runs the test.
    """
    if _is_run_by_pytest_asyncio(request):
        yield asyncio_runner(request, _loop_scope(request))
    elif "anyio_backend" in request.fixturenames:
        with anyio_runner(request.getfixturevalue("anyio_backend")) as run:
            yield run
    else:
        pytest.fail(
            f"the fixture {request.fixturename!r} is for tests written with `async def` that"
            ' anyio or pytest-asyncio runs: set anyio_mode = "auto" in the pytest settings;'
            " other tests use live_server",
            pytrace=False,
        )


@contextmanager
def loop_of_test(request: pytest.FixtureRequest) -> Iterator[Loop | None]:
    """Give the loop that a test will run on; None where it is no coroutine function.

    Tests share one loop for the session where whoever runs them says so: with anyio, where the
    fixture `anyio_backend` is one for the session; with pytest-asyncio, by the scope `session`.
    """
    lasting = _lasting_loop(request) if is_async(request) else None
    if lasting is not None:
        yield request.getfixturevalue(lasting)
    elif is_async(request) and (_is_run_by_pytest_asyncio(request) or _is_run_by_anyio(request)):
        with loop_of(request) as run, Loop(run).closing() as loop:
            yield loop
    else:
        yield None


def _lasting_loop(request: pytest.FixtureRequest) -> str | None:
    if _is_run_by_pytest_asyncio(request):
        return LASTING_ASYNCIO if _loop_scope(request) == "session" else None
    return LASTING_ANYIO if _is_run_by_anyio(request) and _anyio_lasts(request) else None


def is_async(request: pytest.FixtureRequest) -> bool:
    """Return whether a test is a coroutine function."""
    function = getattr(request, "function", None)
    # What hypothesis gives pytest is a plain function around the test.
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    return inspect.iscoroutinefunction(inner)


def _is_run_by_anyio(request: pytest.FixtureRequest) -> bool:
    if "anyio_backend" not in request.fixturenames:
        return False
    name, _ = _backend(request.getfixturevalue("anyio_backend"))
    return name == "asyncio"


def _anyio_lasts(request: pytest.FixtureRequest) -> bool:
    manager = request.session._fixturemanager
    found = manager.getfixturedefs("anyio_backend", request.node)
    return found is not None and found[-1].scope == "session"


def _is_run_by_pytest_asyncio(request: pytest.FixtureRequest) -> bool:
    # In its automatic mode it marks the tests itself.
    is_marked = request.node.get_closest_marker("asyncio") is not None
    return is_marked and request.config.pluginmanager.has_plugin("asyncio")


def _loop_scope(request: pytest.FixtureRequest) -> str:
    marker = request.node.get_closest_marker("asyncio")
    given = marker.kwargs.get("loop_scope") or marker.kwargs.get("scope")
    return str(given or request.config.getini("asyncio_default_test_loop_scope"))


def asyncio_runner(request: pytest.FixtureRequest, scope: str) -> Run:
    """Return what runs a coroutine function on the loop that pytest-asyncio keeps for a scope."""
    runner = request.getfixturevalue(f"_{scope}_scoped_runner")
    return lambda function: runner.run(function())


@contextmanager
def anyio_runner(backend: Any) -> Iterator[Run]:
    """Give what runs a coroutine function on anyio's loop, which lasts as long at least."""
    from anyio.pytest_plugin import get_runner

    name, options = _backend(backend)
    if name != "asyncio":
        pytest.fail(
            f"a project runs on asyncio, and this test on {name}: define a fixture anyio_backend"
            ' that returns "asyncio"',
            pytrace=False,
        )
    # In a context of its own: where it begins the loop it also notes that a library runs, and in a
    # plain test between two others none does.
    context, manager = contextvars.copy_context(), get_runner(name, options)
    runner = context.run(manager.__enter__)
    try:
        yield lambda function: _run_anew(runner, function)
    finally:
        context.run(manager.__exit__, None, None, None)


def _run_anew(runner: Any, function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine function by anyio's runner, also after Ctrl-C in the code of a test."""
    task = getattr(runner, "_runner_task", None)
    if task is not None and task.done():
        _forget_interrupt(runner.get_loop(), task)
        runner._runner_task = None  # it begins another one
    return runner.run_fixture(function, {})


def _forget_interrupt(loop: asyncio.AbstractEventLoop, ended: asyncio.Task[Any]) -> None:
    """Let the tasks end that wait for a test which was interrupted.

    They raise its KeyboardInterrupt once more, and pytest would end with that traceback in place of
    its summary, and without closing anything.
    """
    waiting = asyncio.all_tasks(loop)
    while not all(task.done() for task in waiting):
        with suppress(KeyboardInterrupt):
            loop.run_until_complete(asyncio.wait(waiting, timeout=END_LIMIT_S))
            break
    for task in (ended, *waiting):
        if task.done() and not task.cancelled():
            task.exception()  # asyncio complains of one that nobody has looked at


def _backend(backend: Any) -> tuple[str, dict[str, Any]]:
    from anyio.pytest_plugin import extract_backend_and_options

    return extract_backend_and_options(backend)
