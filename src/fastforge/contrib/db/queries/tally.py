"""Tally: the statements of one request or job, counted while somebody develops."""

from __future__ import annotations

from collections import Counter
from collections.abc import MutableMapping
from typing import Any, Final

from .shown import is_control

__all__ = ["TALLY", "Tally", "server_timing"]

TALLY: Final = "fastforge.queries"
"""The key of a unit's scope under which its tally stands, once a statement has run."""


MOST_KEPT: Final = 500
"""Statements of one request or job of which the text is kept."""


class Tally:
    """What has run so far.

    Args:
        is_shown: Whether the answer tells it.

    Attributes:
        statements: What has run, if the answer tells it: the text, how long it took in seconds,
            and the class of what it failed with.
        count: How many statements, without those that begin and end transactions.
        duration_s: How long all of them took, beginning and ending included.
    """

    __slots__ = ("_times", "count", "duration_s", "is_shown", "statements")

    def __init__(self, *, is_shown: bool) -> None:
        self.is_shown = is_shown
        self.count = 0
        self.duration_s = 0.0
        self.statements: list[tuple[str, float, str]] = []
        self._times: Counter[str] = Counter()

    def add(self, sql: str, duration_s: float, failure: str = "") -> int:
        """Count a statement; return how often this one has run, 0 for one that does not count."""
        self.duration_s += duration_s
        if self.is_shown and len(self.statements) < MOST_KEPT:
            self.statements.append((sql, duration_s, failure))
        if is_control(sql):
            return 0
        self.count += 1
        self._times[sql] += 1
        return self._times[sql]


def server_timing(scope: MutableMapping[str, Any]) -> tuple[bytes, bytes] | None:
    """Return the header that tells a browser what a request asked of the database.

    None where nothing has run, and where nobody is to know.
    """
    tally: Tally | None = scope.get(TALLY)
    if tally is None or not tally.is_shown:
        return None
    queries = "1 query" if tally.count == 1 else f"{tally.count} queries"
    value = f'db;desc="{queries}";dur={tally.duration_s * 1000:.1f}'
    return b"server-timing", value.encode()
