"""Table: rows that fit the width of a terminal, whatever stands in them."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import click

from ..reporting import colour

__all__ = ["Column", "cut", "output_width", "padded", "printable", "styled", "table", "width_of"]

GAP: Final = 2
ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Args:
        header: What stands above it.
        least: To how many places it may be cut where the terminal is narrow; None: never. The
            last column gives way first.
        keeps_end: The end of what is cut is kept, of others the beginning.
        is_number: It is set to the right.
    """

    header: str
    least: int | None = None
    keeps_end: bool = False
    is_number: bool = False


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None,
    style: Callable[[int, str], str] = lambda _, line: line,
) -> list[str]:
    """Return the lines of a table, the headers first.

    Args:
        columns: What its columns are.
        rows: A cell for each column; what a terminal would obey in them is replaced.
        width: How many places a line may take; None: as many as it needs.
        style: Gives a row its colour, by its number and its line.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    every = [[column.header for column in columns], *cells]
    widths = [max(width_of(row[at]) for row in every) for at in range(len(columns))]
    if width is not None:
        widths = _narrowed(columns, widths, width)
    lines = [_line(columns, row, widths) for row in every]
    if width is not None:
        lines = [cut(line, width) for line in lines]
    return [lines[0], *(style(number, line) for number, line in enumerate(lines[1:]))]


def _narrowed(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    found = list(widths)
    too_much = sum(found) + GAP * (len(found) - 1) - width
    for at in reversed(range(len(columns))):
        least = columns[at].least
        if least is not None and too_much > 0:
            given = min(too_much, max(found[at] - least, 0))
            found[at] -= given
            too_much -= given
    return found


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    return (
        (" " * GAP)
        .join(
            padded(cut(cell, width, keeps_end=column.keeps_end), width, right=column.is_number)
            for column, cell, width in zip(columns, cells, widths, strict=True)
        )
        .rstrip()
    )


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with spaces up to a width in places."""
    space = " " * (width - width_of(text))
    return space + text if right else text + space


def cut(text: str, width: int, *, keeps_end: bool = False) -> str:
    """Return a text in at most so many places, with an ellipsis where something is cut off."""
    if width_of(text) <= width:
        return text
    kept, left = "", width - 1
    for character in reversed(text) if keeps_end else text:
        left -= width_of(character)
        if left < 0:
            break
        kept += character
    if width < 1:
        return ""
    return ELLIPSIS + kept[::-1] if keeps_end else kept + ELLIPSIS


def width_of(text: str) -> int:
    """Return how many places of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_places, text))


def _places(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def printable(text: str) -> str:
    """Return a text in one line, without what a terminal would obey."""
    return "".join(
        character if character.isprintable() else "�" for character in " ".join(text.split())
    )


def output_width() -> int | None:
    """Return how wide the terminal is; None where something else reads."""
    if not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None


def styled(text: str, **style: object) -> str:
    """Return a text in a style, where the output shows colours."""
    shows = colour()
    is_shown = sys.stdout.isatty() if shows is None else shows
    return click.style(text, **style) if is_shown else text  # type: ignore[arg-type]
