"""The README promises what the documentation does, and no more."""

from __future__ import annotations

import re

from tests.source import ROOT

from .markdown import DOCS, Page

README = Page(ROOT / "README.md")
GUARANTEES = Page(DOCS / "guarantees.md")

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
MOST_LINES = 20


def rows_of(page: Page, heading: str) -> list[tuple[str, ...]]:
    """The first four cells of each row, without links."""
    found = next(each for each in page.headings() if each.text == heading)
    return [tuple(_LINK.sub(r"\1", cell) for cell in row[:4]) for row in found.rows()]


def test_what_holds_is_as_the_page_on_guarantees_has_it() -> None:
    rows = rows_of(README, "What holds, and what may be lost")
    assert len(rows) >= 8
    assert set(rows) <= set(rows_of(GUARANTEES, "What may be lost, and when"))


def test_the_first_application_has_twenty_lines() -> None:
    files = [block.text for block in README.blocks() if block.title.endswith(".py")]
    lines = [line for text in files for line in text.splitlines() if line]
    assert 0 < len(lines) <= MOST_LINES
