"""The fixtures that the pytest plugin brings to the tests of a project.

Each may be redefined in a `conftest.py`; the others then use the new one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from ..exceptions import ForgeError
from .loops import loop_of

if TYPE_CHECKING:
    import httpx  # noqa: TID251 - for annotations alone
    from fastapi import FastAPI

    from ..project import Project
    from .commands import Result
    from .session import Session

__all__ = [
    "application",
    "client",
    "fastforge_session",
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


@pytest.fixture
def project(request: pytest.FixtureRequest, fastforge_session: Session) -> Iterator[Project]:
    """The project of one test: in the environment `test`, with a database of its own."""
    with ExitStack() as stack:
        with _told_in_one_line():
            project = fastforge_session.for_test(stack)
            for marker in reversed(list(request.node.iter_markers("settings"))):
                project = project.overriding(settings=marker.kwargs)
        yield project


@pytest.fixture
def application(project: Project) -> FastAPI:
    """The application that `client` and `live_server` start."""
    from ..asgi import get_asgi_application

    with _told_in_one_line():
        return get_asgi_application(project)


@pytest.fixture
def client(request: pytest.FixtureRequest, application: FastAPI) -> Iterator[httpx.AsyncClient]:
    """An HTTP client of the running application, on the event loop of the test."""
    from .http import client as opened

    with loop_of(request) as run:
        manager = opened(application)
        with _told_in_one_line():
            http: httpx.AsyncClient = run(manager.__aenter__)
        yield http

        async def close() -> None:
            await manager.__aexit__(None, None, None)

        run(close)


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
