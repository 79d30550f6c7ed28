"""Slow: the line about a statement that took longer than it should."""

from __future__ import annotations

import logging
from typing import Any, Final

from .origin import Origin, is_in_atomic
from .shown import shown

__all__ = ["SLOW_QUERY", "log_slow_query"]

logger = logging.getLogger("fastforge.contrib.db.queries")

SLOW_QUERY: Final = "slow_query"
"""The event of the line, among its fields."""


def log_slow_query(
    duration_s: float, sql: str, cursor: Any, _context: Any, error: BaseException | None
) -> None:
    """Write the line of one statement.

    Args:
        duration_s: How long it took, in seconds, with the way to the server and back.
        sql: Its text.
        cursor: The driver's cursor; it may know how many rows there were. A COMMIT has none.
        error: What it failed with.
    """
    origin = Origin.here()
    fields = {
        "event": SLOW_QUERY,
        "duration_ms": round(duration_s * 1000, 1),
        "rows": None if error is not None else _rows(cursor),
        "in_atomic": is_in_atomic(),
        "route": origin.route,
        "request_id": origin.request_id,
        "task": origin.job.task if origin.job else None,
        "job": origin.job.uid if origin.job else None,
        "failure": None if error is None else type(error).__name__,
        "sql": shown(sql),
    }
    logger.warning("%s", _text(fields, origin), extra=fields)


def _text(fields: dict[str, Any], origin: Origin) -> str:
    rows, failure = fields["rows"], fields["failure"]
    parts = [
        f"slow query: {fields['duration_ms']:g} ms",
        *([] if rows is None else [f"{rows} row{'s' * (rows != 1)}"]),
        *([] if failure is None else [f"failed with {failure}"]),
        "in atomic" if fields["in_atomic"] else "not in atomic",
        str(origin),
    ]
    return f"{', '.join(parts)}: {fields['sql']}"


def _rows(cursor: Any) -> int | None:
    """Return how many rows came or changed; SQLite does not tell of a SELECT."""
    count: int = -1 if cursor is None else cursor.rowcount
    return count if count >= 0 else None
