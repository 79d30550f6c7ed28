"""Tables: rows as aligned columns for people, or as JSON for programs."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

__all__ = ["as_json", "listing"]


def listing(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, json: bool) -> str:
    """Return rows as one JSON array, or as a table of their columns below headers.

    Args:
        rows: The rows; for a table each has all columns.
        columns: The keys of the rows, in the order of the table.
        json: Whether a program reads it.
    """
    if json:
        return as_json(list(rows))
    headers = [column.upper() for column in columns]
    return _table([headers, *([str(row[column]) for column in columns] for row in rows)])


def as_json(value: Any, *, indent: int | None = 2) -> str:
    """Return a value as JSON; whatever JSON does not know becomes text."""
    return json_format.dumps(value, indent=indent, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _table(lines: Sequence[Sequence[str]]) -> str:
    """Return lines with each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
