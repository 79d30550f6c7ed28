"""Session: the project of a whole run of tests, and the one that each test is given."""

from __future__ import annotations

from contextlib import ExitStack

from ..components import discover
from ..project import Project
from .caches import CacheOfTests
from .case import Case, prepared_for
from .channels.brokers import BrokersOfTests
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
        project: The same, on task backends, a cache and channel backends that tests look into.
        backends: The first of those.
        brokers: The last.
    """

    def __init__(self, project: Project, *, worker: str, stack: ExitStack) -> None:
        self.backends = BackendsOfTests()
        self.brokers = BrokersOfTests()
        self._cache = CacheOfTests()
        for each in (self.backends, self.brokers, self._cache):
            project = each.used_by(project)
        self.project = project
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
        for stand_in in (self.backends, self.brokers, self._cache):
            stand_in.begin_test()
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
