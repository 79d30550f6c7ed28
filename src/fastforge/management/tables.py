"""Tables: rows as aligned columns for people, or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["as_json", "table"]


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows below their headers, each column as wide as its widest cell."""
    lines = [list(headers), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as one JSON array."""
    return json.dumps(list(rows), indent=2, ensure_ascii=False, default=str)
