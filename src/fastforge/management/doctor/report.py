"""Report: what was found, as aligned rows for people and as one document for programs."""

from __future__ import annotations

import platform
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from ... import __version__
from ..._utils import counted, redact
from ...checks import Diagnosis
from ...conf import Settings
from .running import Examined, worst_first

__all__ = ["as_document", "as_text", "exit_code"]

COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}
MARK_WIDTH: Final = 4
LEAST_WIDTH: Final = 60
MOST_WIDTH: Final = 110


def exit_code(examined: Sequence[Examined]) -> int:
    """Return 3 where no process can start, 1 where something fails, 0 otherwise."""
    rows = [row for each in examined for row in each.rows if row.verdict == "fail"]
    if any(row.stops for row in rows):
        return 3
    return 1 if rows else 0


def as_document(examined: Sequence[Examined], settings: Settings) -> dict[str, Any]:
    """Return the report for programs."""
    return {
        "fastforge": __version__,
        "python": platform.python_version(),
        "settings": settings.module,
        "environment": settings.environment,
        "ok": exit_code(examined) == 0,
        "examinations": [
            {
                "name": each.name,
                "app": each.app,
                "title": each.title,
                "rows": [_as_dict(row) for row in each.rows],
            }
            for each in examined
        ],
    }


def _as_dict(row: Diagnosis) -> dict[str, Any]:
    return {
        "of": row.of,
        "what": row.what,
        "verdict": row.verdict,
        "text": redact(row.text),
        "hint": redact(row.hint) if row.verdict != "ok" else "",
        "stops": row.stops,
    }


def as_text(examined: Sequence[Examined], settings: Settings) -> str:
    """Return the report for people, with colours, which whoever writes it takes out again."""
    width = max((len(row.what) for each in examined for row in each.rows), default=0)
    head = click.style(f"fastforge {__version__}", bold=True)
    lines = [f"{head}  {settings.module}, {settings.environment}"]
    for title, rows in _groups(examined):
        lines += ["", click.style(title, bold=True)]
        lines += (line for row in rows for line in _lines(row, width))
    lines += ["", *_to_do(examined)]
    return "\n".join(lines)


def _groups(examined: Sequence[Examined]) -> Iterator[tuple[str, list[Diagnosis]]]:
    """Yield titles with their rows: those of an examination, and those of each thing it has."""
    for each in examined:
        groups: dict[str, list[Diagnosis]] = {}
        for row in each.rows:
            groups.setdefault(row.of, []).append(row)
        for of, rows in groups.items():
            yield of[:1].upper() + of[1:] or each.title, rows


def _lines(row: Diagnosis, width: int) -> Iterator[str]:
    mark = click.style(f"{row.verdict:<{MARK_WIDTH}}", fg=COLOURS[row.verdict])
    first, *more = _wrapped(redact(row.text), MARK_WIDTH + width + 6)
    yield f"  {mark}  {row.what:<{width}}  {first}"
    yield from (f"{'':{MARK_WIDTH + width + 6}}{line}" for line in more)


def _to_do(examined: Sequence[Examined]) -> Iterator[str]:
    """Yield what to do, the worst first, and the sum."""
    asking = worst_first(examined)
    if asking:
        yield click.style("What to do", bold=True)
    for number, (each, row) in enumerate(asking, 1):
        subject = " ".join(filter(None, (row.of or each.title.lower(), row.what)))
        first, *more = _wrapped(f"{subject}: {redact(row.hint or row.text)}", 10)
        mark = click.style(f"{row.verdict:<{MARK_WIDTH}}", fg=COLOURS[row.verdict])
        yield f"{number:>3} {mark}  {first}"
        yield from (f"{'':10}{line}" for line in more)
    if asking:
        yield ""
    yield _sum(examined)


def _sum(examined: Sequence[Examined]) -> str:
    verdicts = [row.verdict for each in examined for row in each.rows]
    failed, warned = verdicts.count("fail"), verdicts.count("warn")
    if not failed and not warned:
        return f"all {len(verdicts)} are well"
    parts = [counted(failed, "failure")] if failed else []
    parts += [counted(warned, "warning")] if warned else []
    more = "; no process can start" if exit_code(examined) > 1 else ""
    return f"{', '.join(parts)}, {verdicts.count('ok')} well{more}"


def _wrapped(text: str, indent: int) -> list[str]:
    """Return a text in lines for a terminal; a file or a pipe has it in one."""
    if not sys.stdout.isatty():
        return [text]
    columns = min(max(shutil.get_terminal_size().columns, LEAST_WIDTH), MOST_WIDTH)
    width = columns - indent
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
