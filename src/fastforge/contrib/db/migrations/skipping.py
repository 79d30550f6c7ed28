"""Skipping: a connection that reads nothing and writes nothing, for data steps in a replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..internals import TakesNoDdl

__all__ = ["SkippedConnection"]


class SkippedConnection(TakesNoDdl):
    """Stands in for the connection of `op.get_bind()` while files are replayed.

    Every statement is skipped; a query gives no rows. A migration that cannot go on without
    rows asks `op.get_context().as_sql` first, as it has to for `sqlmigrate`.
    """

    def __init__(
        self, dialect: Any, observe: Callable[[object], None] = lambda statement: None
    ) -> None:
        self.dialect = dialect
        self._observe = observe

    def execute(self, statement: Any, *_parameters: Any, **_options: Any) -> SkippedResult:
        """Skip a statement."""
        self._observe(statement)
        return SkippedResult()

    exec_driver_sql = scalars = execute

    def scalar(self, statement: Any, *_parameters: Any, **_options: Any) -> None:
        """Skip a query."""
        self._observe(statement)


class SkippedResult:
    """The result of a skipped statement: no rows."""

    rowcount = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def all(self) -> list[Any]:
        """Return no rows."""
        return []

    fetchall = all

    def first(self) -> None:
        """Return no row."""
        return

    fetchone = scalar = scalar_one_or_none = one_or_none = first

    def scalars(self, *_index: Any) -> SkippedResult:
        """Return no values."""
        return self

    mappings = partitions = scalars
