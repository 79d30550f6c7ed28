"""Loops: running something asynchronous on the event loop of a test, whoever runs that test."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["loop_of"]

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


@contextmanager
def loop_of(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Give what runs a coroutine function to its end on the loop that the test will run on.

    An async fixture would run on the loop of the plugin that finds it first, which with two
    plugins need not be the one that runs the test.
    """
    if _is_run_by_pytest_asyncio(request):
        runner = request.getfixturevalue(f"_{_loop_scope(request)}_scoped_runner")
        yield lambda function: runner.run(function())
    elif "anyio_backend" in request.fixturenames:
        with _anyio_runner(request.getfixturevalue("anyio_backend")) as run:
            yield run
    else:
        pytest.fail(
            f"the fixture {request.fixturename!r} is for tests written with `async def` that"
            ' anyio or pytest-asyncio runs: set anyio_mode = "auto" in the pytest settings;'
            " other tests use live_server",
            pytrace=False,
        )


def _is_run_by_pytest_asyncio(request: pytest.FixtureRequest) -> bool:
    # In its automatic mode it marks the tests itself.
    is_marked = request.node.get_closest_marker("asyncio") is not None
    return is_marked and request.config.pluginmanager.has_plugin("asyncio")


def _loop_scope(request: pytest.FixtureRequest) -> str:
    marker = request.node.get_closest_marker("asyncio")
    given = marker.kwargs.get("loop_scope") or marker.kwargs.get("scope")
    return str(given or request.config.getini("asyncio_default_test_loop_scope"))


@contextmanager
def _anyio_runner(backend: Any) -> Iterator[Run]:
    from anyio.pytest_plugin import extract_backend_and_options, get_runner

    name, options = extract_backend_and_options(backend)
    if name != "asyncio":
        pytest.fail(
            f"a project runs on asyncio, and this test on {name}: define a fixture anyio_backend"
            ' that returns "asyncio"',
            pytrace=False,
        )
    with get_runner(name, options) as runner:
        yield lambda function: runner.run_fixture(function, {})
