"""The fixtures that the pytest plugin brings to the tests of a project.

Each may be redefined in a `conftest.py`; the others then use the new one.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..exceptions import ComponentError, ForgeError
from .case import Case
from .loops import Loop, anyio_runner, asyncio_runner, loop_of, loop_of_test
from .strict import code_of_tests, is_strict

if TYPE_CHECKING:
    import httpx  # noqa: TID251 - for annotations alone
    from fastapi import FastAPI

    from ..cache import CacheSpace
    from ..project import Project
    from .channels import ChannelsUnderTest
    from .commands import Result
    from .jobs import Jobs
    from .lifespan import RunningApplication
    from .session import Session

__all__ = [
    "anyio_backend",
    "application",
    "cache",
    "channels",
    "client",
    "fastforge_anyio_loop",
    "fastforge_asyncio_loop",
    "fastforge_running",
    "fastforge_session",
    "fastforge_strict",
    "jobs",
    "live_server",
    "project",
    "pytest_configure",
    "run_command",
]


def pytest_configure(config: pytest.Config) -> None:
    """Put the process into the environment `test`, and make the marker known."""
    from ..conf import make_importable

    # `.env` is not read then: the tests see what the settings say and what the environment says.
    os.environ["FASTFORGE_ENV"] = "test"
    if "SECRET_KEY" not in os.environ and "SECRET_KEY_FILE" not in os.environ:
        os.environ["SECRET_KEY"] = secrets.token_urlsafe(32)
    make_importable(config.rootpath)
    config.addinivalue_line(
        "markers", "settings(**values): other settings for one test, as in Project.overriding."
    )
    config.addinivalue_line(
        "markers",
        "fastforge_db(transaction=False): whether the commits of a test are real; by themselves"
        " they are where it is no async test, or uses live_server or run_command.",
    )
    config.addinivalue_line(
        "markers", "allow_blocking: what the code does may block the event loop in this test."
    )


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What anyio runs the tests on: a project runs on asyncio, and all tests on one loop."""
    return "asyncio"


@pytest.fixture(scope="session")
def fastforge_anyio_loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """Keep the loop of anyio's tests to the end of the session."""
    with anyio_runner(request.getfixturevalue("anyio_backend")) as run, Loop(run).closing() as loop:
        yield loop


@pytest.fixture(scope="session")
def fastforge_asyncio_loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """Be told of the end of the loop that pytest-asyncio keeps for the session."""
    with Loop(asyncio_runner(request, "session")).closing() as loop:
        yield loop


@pytest.fixture(scope="session")
def fastforge_session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """The project as the settings say it, loaded once, and the set-ups of its apps."""
    from ..project import Project
    from .session import Session

    with ExitStack() as stack:
        with _told_in_one_line():
            project = Project.load(start=request.config.rootpath)
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        yield Session(project, worker=worker, stack=stack)


@pytest.fixture(autouse=True)
def fastforge_strict(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let calls that block an event loop raise, as WATCHDOG.strict says, in the project's code."""
    if is_strict(request):
        from ..observability.strict.mode import strict_mode

        with strict_mode(code_of_tests(request.config)):
            yield
    else:
        yield


@pytest.fixture
def project(request: pytest.FixtureRequest, fastforge_session: Session) -> Iterator[Project]:
    """The project of one test: in the environment `test`, with a database of its own."""
    with ExitStack() as stack:
        with _told_in_one_line():
            loop = stack.enter_context(loop_of_test(request))
            project = fastforge_session.for_test(stack, _case(request, loop))
            for marker in reversed(list(request.node.iter_markers("settings"))):
                project = project.overriding(settings=marker.kwargs)
        yield project


def _case(request: pytest.FixtureRequest, loop: Loop | None) -> Case:
    config = request.config
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()} {time.time_ns()}"
    return Case(
        name=request.node.name,
        loop=loop,
        commits=_commits(request, loop),
        cache=_cache(config),
        anew=run if config.getoption("rebuild_databases", default=False) else "",
    )


def _cache(config: pytest.Config) -> Path | None:
    cache: pytest.Cache | None = getattr(config, "cache", None)
    with suppress(OSError):  # a project that may only be read is tested too
        return cache.mkdir("fastforge") if cache is not None else None
    return None


def _commits(request: pytest.FixtureRequest, loop: Loop | None) -> bool:
    """Return whether the commits of a test are real: others than its own loop look for them."""
    asked = _asked_for_commits(request)
    seen = sorted({"live_server", "run_command"} & {*request.fixturenames})
    if asked is False and (seen or loop is None):
        raise ComponentError(
            f"the test wants no real commits, and {seen[0] if seen else 'no event loop'} sees"
            " nothing else",
            code="test.E008",
            hint="take transaction=False out of @pytest.mark.fastforge_db",
        )
    return loop is None or bool(seen) if asked is None else asked


def _asked_for_commits(request: pytest.FixtureRequest) -> bool | None:
    marker = request.node.get_closest_marker("fastforge_db")
    if marker is None:
        return None
    wrong = [*marker.args, *(name for name in marker.kwargs if name != "transaction")]
    asked = marker.kwargs.get("transaction")
    if wrong or not (asked is None or isinstance(asked, bool)):
        raise ComponentError(
            f"@pytest.mark.fastforge_db does not know {wrong[0] if wrong else asked!r}",
            code="test.E007",
            hint="write @pytest.mark.fastforge_db(transaction=True)",
        )
    return asked


@pytest.fixture
def application(project: Project) -> FastAPI:
    """The application that `client` and `live_server` start."""
    from ..asgi import get_asgi_application

    with _told_in_one_line():
        return get_asgi_application(project)


@pytest.fixture
def fastforge_running(
    request: pytest.FixtureRequest, application: FastAPI
) -> Iterator[RunningApplication]:
    """The running application, one for `client` and `channels`; started when one needs it."""
    from .lifespan import RunningApplication

    running = RunningApplication(lambda: application)
    with loop_of_test(request) as loop:
        yield running
        if loop is not None:
            loop.run(running.stop)


@pytest.fixture
def client(
    request: pytest.FixtureRequest, fastforge_running: RunningApplication
) -> Iterator[httpx.AsyncClient]:
    """An HTTP client of the running application, on the event loop of the test."""
    from .http import client_of

    with loop_of(request) as run:
        with _told_in_one_line():
            http = client_of(run(fastforge_running.application))
        yield http
        run(http.aclose)


@pytest.fixture
def channels(
    request: pytest.FixtureRequest,
    fastforge_running: RunningApplication,
    fastforge_session: Session,
) -> Iterator[ChannelsUnderTest]:
    """The channels of the test: clients, what was published, a clock, and faults of the backend."""
    from .channels import ChannelsUnderTest

    channels = ChannelsUnderTest(fastforge_running, fastforge_session.brokers)
    with loop_of_test(request) as loop:
        yield channels
        if loop is not None:
            loop.run(channels.close)


@pytest.fixture
def jobs(
    request: pytest.FixtureRequest, project: Project, fastforge_session: Session
) -> Iterator[Jobs]:
    """The jobs of the test: what was enqueued, running it here and now, and their clock."""
    from .jobs import Jobs

    with loop_of(request) as run:
        jobs = Jobs(project, fastforge_session.backends)
        yield jobs
        run(jobs.close)


@pytest.fixture
def cache(request: pytest.FixtureRequest, project: Project) -> Iterator[CacheSpace]:
    """The cache of the test, empty when it begins; in memory unless its settings say otherwise."""
    from ..cache import cache_of
    from .jobs.life import Life

    with loop_of(request) as run:
        life = Life(project)
        yield cache_of(run(life.container))
        run(life.close)


@pytest.fixture
def live_server(application: FastAPI) -> Iterator[str]:
    """The address of a real server of the application: `http://127.0.0.1:PORT`."""
    from .server import live_server as served

    with ExitStack() as stack:
        with _told_in_one_line():
            url = stack.enter_context(served(application))
        yield url


@pytest.fixture
def run_command(project: Project) -> Callable[..., Result]:
    """Run a command of the project: `run_command("migrate", "--check").exit_code`."""
    from .commands import run_command as run

    return lambda *arguments: run(project, *arguments)


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    try:
        yield
    except ForgeError as error:
        message = str(error)
    else:
        return
    raise pytest.fail.Exception(message, pytrace=False) from None
