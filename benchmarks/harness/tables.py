"""Tables: what a run of the peers has found, as Markdown between two marks of a page."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from .results import Results
from .rounds import Cost
from .rows import interval

__all__ = ["CASES", "SUBJECTS", "page", "put", "summary"]

OURS: Final = "fastforge"
SUBJECTS: Final = {
    "fastforge": "fastforge",
    "hand-written": "FastAPI, the usual way",
    "hand-written-careful": "FastAPI, the careful way",
    "litestar": "Litestar",
    "django": "Django, coroutines",
    "django-wsgi": "Django, threads",
}
CASES: Final = {
    "ping": "ping",
    "identity": "identity",
    "read": "one row",
    "create": "POST",
    "read-sqlite": "one row, SQLite",
    "create-sqlite": "POST, SQLite",
    "routing-200": "last of 200 routes",
}
BEGIN: Final = "<!-- measured: written by `python -m benchmarks.peers` -->"
END: Final = "<!-- /measured -->"
Cell = Callable[[str, str], str]


def page(results: Results) -> str:
    """Return what the page on benchmarks shows: each figure, how sure it is, and of what."""
    names = ", ".join(f"{name} {number}" for name, number in results.versions.items())
    return "\n\n".join(
        (
            "CPU microseconds of the server's processes for one request:",
            _table(results, lambda case, name: _us(results.costs[case][name])),
            "What fastforge takes of that, with 95% confidence (below 1: fastforge takes less):",
            _table(results, lambda case, name: _ratio(results, case, name), without=OURS),
            "Requests per second of one process, asked over 16 connections:",
            _table(results, lambda case, name: _rate(results.costs[case][name])),
            f"Measured on {results.day}: {results.machine}, {_rounds(results)} rounds. {names}.",
        )
    )


def summary(results: Results) -> str:
    """Return the few lines of the README."""
    return _table(results, lambda case, name: _us(results.costs[case][name]))


def put(text: str, file: Path) -> None:
    """Write text between the two marks of a page.

    Raises:
        ValueError: The page has no such marks.
    """
    old = file.read_text(encoding="utf-8")
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{file} has no place for what was measured: {BEGIN} ... {END}")
    file.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _table(results: Results, cell: Cell, *, without: str = "") -> str:
    cases = [case for case in CASES if case in results.costs]
    named = _subjects(results.costs)
    lines = [_line(["", *(CASES[case] for case in cases)]), _line(["---", *["---:"] * len(cases)])]
    for name in named:
        if name != without:
            shown = f"**{SUBJECTS[name]}**" if name == OURS else SUBJECTS[name]
            lines.append(_line([shown, *(cell(case, name) for case in cases)]))
    return "\n".join(lines)


def _subjects(costs: Mapping[str, Mapping[str, Cost]]) -> list[str]:
    return [name for name in SUBJECTS if any(name in subjects for subjects in costs.values())]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _us(cost: Cost) -> str:
    return f"{statistics.median(cost.cpu_us):,.0f}"


def _rate(cost: Cost) -> str:
    return f"{1e6 / statistics.median(cost.wall_us):,.0f}"


def _ratio(results: Results, case: str, name: str) -> str:
    ours, theirs = results.costs[case][OURS].cpu_us, results.costs[case][name].cpu_us
    low, high = interval(ours, theirs)
    if math.isinf(high):
        return f"{statistics.median(ours) / statistics.median(theirs):.2f}"
    return f"{low:.2f} to {high:.2f}"


def _rounds(results: Results) -> int:
    return min(len(subjects[OURS].cpu_us) for subjects in results.costs.values())
