"""TestSetup: what an app does before a project's tests, and before each of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

from ..components import Kind
from ..exceptions import ComponentError, Location
from ..project import Project

__all__ = ["TEST_SETUPS", "ForEachTest", "TestSetup", "setup_for_tests"]

ForEachTest = Callable[[Project], AbstractContextManager[Project]]
"""Gives the project that one test uses, made from the session's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSetup:
    """What an app brings for the tests of a project that installs it.

    Args:
        name: Unique in the project; the function's name.
        function: A generator function, called once in a test session with the project and the
            name of the parallel worker (`main` when there is one process). It yields what is done
            for each test; what follows the `yield` ends the session.
    """

    __test__ = False  # pytest: no class of tests

    name: str
    function: Callable[[Project, str], Iterator[ForEachTest]]

    def __call__(self, project: Project, worker: str) -> AbstractContextManager[ForEachTest]:
        """Begin a session of tests; whoever asks for the first test does."""
        return contextmanager(self.function)(project, worker)


def setup_for_tests(function: Callable[[Project, str], Iterator[ForEachTest]]) -> TestSetup:
    """Declare a set-up, in an app's `testing.py`.

    Surprises: nothing is registered here. The pytest plugin looks for it, a server never does.

    ```python
    @setup_for_tests
    def bucket_of_its_own(project: Project, worker: str) -> Iterator[ForEachTest]:
        with make_bucket(worker) as bucket:

            @contextmanager
            def for_each_test(project: Project) -> Iterator[Project]:
                yield project.overriding(settings={"FILES": {"bucket": bucket.name}})
                bucket.empty()

            yield for_each_test
    ```

    Raises:
        ComponentError: It does not decorate a generator function.
    """
    if not inspect.isgeneratorfunction(function):
        raise ComponentError(
            f"the test set-up {function.__name__!r} is not a function with a yield",
            code="test.E002",
            hint="write `def`, prepare, `yield` what is done for each test, then clean up",
            where=Location.of(function),
        )
    return TestSetup(name=function.__name__, function=function)


TEST_SETUPS: Final[Kind[TestSetup]] = Kind(
    name="test_setups",
    type=TestSetup,
    module="testing",
    key=lambda setup: setup.name,
    home=lambda setup: setup.function,
)
