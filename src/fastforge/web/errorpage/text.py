"""Text: the facts as somebody sends them to somebody else: without variables and settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..._utils import counted
from .chain import Link
from .facts import Facts
from .frames import Run

__all__ = ["as_text"]

MOST_ROWS: Final = 50


def as_text(facts: Facts) -> str:
    """Return what an issue should have of a failure; secrets are masked as on the page."""
    return facts.hide("\n".join(_lines(facts)))


def _lines(facts: Facts) -> Iterator[str]:
    asked = facts.asked
    for link in facts.chain:
        yield from _link(link)
    yield f"Request: {asked.method} {asked.route or asked.path}, answered with {facts.status}"
    if asked.endpoint:
        yield f"Handler: {asked.endpoint}"
    yield f"Request id: {facts.request_id}"
    if facts.trace_id:
        yield f"Trace id: {facts.trace_id}"
    for panel in facts.panels:
        yield f"\n{panel.title}:"
        for row in panel.rows[:MOST_ROWS]:
            yield "  " + "; ".join(filter(None, (row.text, row.note, row.warning)))
    if facts.lines:
        yield "\nLog:"
        yield from (f"  {level} {logger}: {text}" for _, level, logger, text in facts.lines)
    yield f"\n{', '.join(f'{name} {found}' for name, found in facts.versions)}"


def _link(link: Link) -> Iterator[str]:
    if link.relation:
        yield f"{link.relation}:"
    code = f"[{link.code}] " if link.code else ""
    yield f"{code}{link.type}: {link.message}" if link.message else f"{code}{link.type}"
    if link.hint:
        yield f"  hint: {link.hint}"
    for wrong in link.wrong:
        yield f"  {wrong.location or '(whole)'}: {wrong.message}"
    if link.quote:
        yield f"  {link.quote.place}"
    for run in link.runs:
        yield from _run(run)
    yield ""


def _run(run: Run) -> Iterator[str]:
    if run.missing:
        yield f"  ({counted(run.missing, 'more call', 'more calls')} like this)"
        return
    if not run.is_users:
        yield f"  ({counted(len(run.frames), 'frame')} of {', '.join(run.libraries)})"
        return
    for frame in run.frames:
        yield f"  {frame.place}, in {frame.function}"
        yield from (
            f"      {line.text.strip()}" for line in frame.source if line.number == frame.line
        )
