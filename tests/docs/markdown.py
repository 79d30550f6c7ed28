"""The Markdown of the documentation, read as far as its tests need it.

The conventions of our pages:

* `<!-- project: shop -->` on the first line gives a page a new project, and `<!-- project: shop,
  with postgres and redis -->` services as well.
* A fence with a title (```` ```python title="shop/settings.py" ````) is a file.
* `console` holds commands after `$ ` and, below each, what it writes; `...` stands for anything.
* `python` without a title is a script.
* Whatever is not run has `<!-- not run: the reason -->` above it, and `text` may have
  `<!-- output -->`: it is what the script before it writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.source import ROOT

__all__ = ["DOCS", "Block", "Heading", "Page", "pages"]

DOCS = ROOT / "docs"

_FENCE = re.compile(r"^(?P<marks>`{3,}) *(?P<language>\w*) *(?P<info>.*)$")
_TITLE = re.compile(r'title="(?P<title>[^"]+)"')
_MARKER = re.compile(r"^<!-- (?P<text>.+) -->$")
_HEADING = re.compile(r"^(?P<level>#{1,6}) (?P<text>.+)$")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_CODE_SPAN = re.compile(r"(`+).*?\1")
NOT_RUN = "not run: "
OUTPUT = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fence: its language, the title that makes it a file, its text and the marker above it."""

    line: int
    language: str
    title: str
    text: str
    marker: str

    @property
    def reason(self) -> str:
        """Why it is not run; empty for one that is."""
        return self.marker.removeprefix(NOT_RUN) if self.marker.startswith(NOT_RUN) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading and the lines up to the next one of its own level or above it."""

    level: int
    text: str
    line: int
    body: tuple[str, ...]

    @property
    def name(self) -> str:
        """The first code span, without its backticks, else the first word."""
        span = re.search(r"`([^`]+)`", self.text)
        return span[1] if span else self.text.split()[0]

    @property
    def anchor(self) -> str:
        """What a link to it ends in, as Python-Markdown and GitHub both make it."""
        plain = re.sub(r"[^\w\s-]", "", self.text.replace("`", "")).strip().lower()
        return re.sub(r"\s+", "-", plain)

    def rows(self) -> Iterator[list[str]]:
        """The rows of the tables below it, up to the next heading of any level."""
        previous: list[str] = []
        for line in self.body:
            if _HEADING.match(line):
                return
            cells = _cells(line)
            is_rule = bool(cells) and all(re.fullmatch(r":?-+:?", cell) for cell in cells)
            if previous and not is_rule:
                yield previous  # a row above a rule is the header
            previous = [] if is_rule else cells
        if previous:
            yield previous


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def lines(self) -> tuple[str, ...]:
        return _lines(self.path.read_text(encoding="utf-8"))

    def place(self, line: int) -> str:
        """`docs/jobs.md:12`, which terminals turn into a link."""
        return f"{self.name}:{line}"

    @property
    def marker(self) -> str:
        """A marker on the first line: how the page's project begins."""
        found = _MARKER.match(self.lines[0]) if self.lines else None
        return found["text"] if found else ""

    def blocks(self) -> Iterator[Block]:
        """The fences, in order."""
        marker, opened = "", None
        text: list[str] = []
        start = 0
        for number, line in enumerate(self.lines, 1):
            if opened is not None:
                if line.strip() == opened["marks"]:
                    yield _block(opened, start, text, marker)
                    opened, marker = None, ""
                else:
                    text.append(line)
            elif found := _FENCE.match(line):
                opened, text, start = found, [], number
            elif line.strip():
                comment = _MARKER.match(line)
                marker = comment["text"] if comment else ""

    def prose(self) -> Iterator[tuple[int, str]]:
        """The lines outside of fences, with their numbers."""
        fenced = ""
        for number, line in enumerate(self.lines, 1):
            found = _FENCE.match(line)
            if fenced:
                fenced = "" if line.strip() == fenced else fenced
            elif found:
                fenced = found["marks"]
            else:
                yield number, line

    def headings(self) -> Iterator[Heading]:
        """The headings, each with what stands below it."""
        found = [(n, m) for n, line in self.prose() if (m := _HEADING.match(line))]
        for index, (number, match) in enumerate(found):
            level = len(match["level"])
            after = (n for n, m in found[index + 1 :] if len(m["level"]) <= level)
            end = next(after, len(self.lines) + 1)
            yield Heading(
                level=level, text=match["text"], line=number, body=self.lines[number : end - 1]
            )

    def heading(self, name: str) -> Heading:
        """The heading with that name."""
        for heading in self.headings():
            if heading.name == name:
                return heading
        raise AssertionError(f"{self.name} has no heading for {name}")

    def links(self) -> Iterator[tuple[int, str]]:
        """The targets of links, with the number of their line."""
        for number, line in self.prose():
            for found in _LINK.finditer(_CODE_SPAN.sub("`code`", line)):
                yield number, found["target"]


@cache
def _lines(text: str) -> tuple[str, ...]:
    """A text's lines, found once: each heading of a page asks for them."""
    return tuple(text.splitlines())


@cache
def pages() -> tuple[Page, ...]:
    """README.md and every page of the documentation."""
    return tuple(Page(path) for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))))


def _block(opened: re.Match[str], line: int, text: list[str], marker: str) -> Block:
    title = _TITLE.search(opened["info"])
    return Block(
        line=line,
        language=opened["language"],
        title=title["title"] if title else "",
        text="".join(f"{each}\n" for each in text),
        marker=marker,
    )


def _cells(line: str) -> list[str]:
    if not line.startswith("|"):
        return []
    # A pipe inside of a cell is written \|, also in code spans: GitHub splits there otherwise.
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
