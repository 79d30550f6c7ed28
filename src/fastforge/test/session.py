"""Session: the project of a whole run of tests, and the one that each test is given."""

from __future__ import annotations

from contextlib import ExitStack

from ..components import discover
from ..project import Project
from .caches import CacheOfTests
from .case import Case, prepared_for
from .jobs.backends import BackendsOfTests
from .setups import TEST_SETUPS, ForEachTest

__all__ = ["Session"]


class Session:
    """A loaded project, and the set-ups of its apps, which begin with the first test.

    Args:
        project: The project as the settings say it.
        worker: The name of this process among parallel ones.
        stack: Ends the set-ups.

    Attributes:
        project: The same, on task backends and a cache that tests look into.
        backends: Those.
    """

    def __init__(self, project: Project, *, worker: str, stack: ExitStack) -> None:
        self.backends = BackendsOfTests()
        self._cache = CacheOfTests()
        self.project = self._cache.used_by(self.backends.used_by(project))
        self._worker = worker
        self._stack = stack
        self._for_each_test: list[ForEachTest] | Exception | None = None

    def for_test(self, stack: ExitStack, case: Case | None = None) -> Project:
        """Return the project of one test; leaving the stack takes back what was made for it.

        Args:
            stack: Ends the test.
            case: What the set-ups are told about it.

        Raises:
            ForgeError: A set-up failed.
        """
        if self._for_each_test is None:
            try:
                with prepared_for(case):
                    self._for_each_test = self._begun()
            except Exception as error:  # no server that is away is waited for at each test
                self._for_each_test = error
        if isinstance(self._for_each_test, Exception):
            raise self._for_each_test
        self.backends.begin_test()
        self._cache.begin_test()
        project = self.project
        with prepared_for(case):
            for each in self._for_each_test:
                project = stack.enter_context(each(project))
        return project

    def _begun(self) -> list[ForEachTest]:
        setups = [
            found.value
            for app in self.project.apps
            for found in discover(TEST_SETUPS, app.name, app.label)
        ]
        return [self._stack.enter_context(each(self.project, self._worker)) for each in setups]
