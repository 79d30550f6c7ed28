"""The example, imported once for all tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from fastforge import Project
from tests.example import copy_example, imported_example

from .people import manage


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Project]]:
    """Gives a copy of the example on a database that is not migrated yet."""
    folder = copy_example(tmp_path_factory.mktemp("conduit") / "example")
    with imported_example(folder) as load:
        yield load


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: SQLite unless the test says otherwise."""
    url: str = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url")
    return url


@pytest.fixture
def project(load: Callable[[str], Project], database_url: str) -> Project:
    """The example on a migrated database."""
    project = load(database_url)
    manage(project, "migrate")
    return project


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What requests send to a database while the test runs.

    Once a second a process looks at who is known no more, for all of its requests.
    """
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM auth_forgotten" not in statement:
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
"""A test that runs on both databases."""
