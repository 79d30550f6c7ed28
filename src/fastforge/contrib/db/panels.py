"""What a developer is shown of the statements of a request that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from starlette.types import Scope

from ...web.errorpage.panel import PanelRow, error_panel
from .queries.shown import is_control, shown
from .queries.tally import TALLY, Tally

__all__ = ["statements"]

MANY: Final = 5
"""So many times the same statement looks like one for each row of another."""


@error_panel(title="SQL")
def statements(scope: Scope) -> Iterator[PanelRow]:
    """Tell each statement of the request, in the order of the first runs, and how long it took."""
    tally: Tally | None = scope.get(TALLY)
    if tally is None:
        return
    found: dict[str, list[tuple[float, str]]] = {}
    for sql, duration_s, failure in tally.statements:
        found.setdefault(sql, []).append((duration_s, failure))
    for sql, runs in found.items():
        yield PanelRow(text=shown(sql), note=_note(runs), warning=_warning(sql, runs))


def _note(runs: Sequence[tuple[float, str]]) -> str:
    duration_ms = sum(duration_s for duration_s, _ in runs) * 1000
    return f"{duration_ms:.2f} ms" if len(runs) == 1 else f"{len(runs)} times, {duration_ms:.2f} ms"


def _warning(sql: str, runs: Sequence[tuple[float, str]]) -> str:
    failure = next((failure for _, failure in runs if failure), "")
    if failure:
        return f"failed with {failure}"
    if len(runs) < MANY or is_control(sql):
        return ""
    return "the same again and again: ask once for all rows, or load with selectinload()"
