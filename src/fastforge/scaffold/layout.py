"""Layout: generated source, one statement a line, broken into lines as `ruff format` would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

__all__ = ["fitted"]

INDENT: Final = 4

_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_DEFINITION: Final = re.compile(r"\s*(async )?def ")
_IMPORT: Final = re.compile(r"from \S+ import ")
_NEVER_BROKEN: Final = ('"""', "#")


def fitted(source: str, *, width: int) -> str:
    """Return source text whose lines fit, if they can.

    It knows the statements that the templates of this room have, and is no formatter.

    Args:
        source: The text.
        width: The most characters that a line may have.
    """
    lines = (part for line in source.splitlines() for part in _fit(line, width))
    return "\n".join(lines) + ("\n" if source.endswith("\n") else "")


def _fit(line: str, width: int) -> list[str]:
    indent = len(line) - len(line.lstrip())
    if len(line) <= width or line.lstrip().startswith(_NEVER_BROKEN):
        return [line]
    if _IMPORT.match(line) and "(" not in line:
        start = line.index(" import ") + len(" import ")
        return [f"{line[:start]}(", *_items(line[start:], INDENT, width), ")"]
    assigned, equals, value = line.partition(" = ")
    if equals and (links := _links(value)):
        return [
            f"{assigned} = (",
            *_chain(value, links, indent + INDENT, width),
            " " * indent + ")",
        ]
    found = _brackets(line)
    if found is None:
        return [line]
    start, end = found
    head, inner, tail = line[: start + 1], line[start + 1 : end], line[end:]
    return [head, *_inside(inner, indent + INDENT, width, head), " " * indent + tail]


def _inside(inner: str, indent: int, width: int, head: str) -> list[str]:
    """Return what stands between brackets on lines of its own."""
    pad = " " * indent
    if len(pad + inner) <= width and not (_DEFINITION.match(head) and "," not in inner):
        return [pad + inner]
    if links := _links(inner):
        return _chain(inner, links, indent, width)
    loop = _top_level(inner, " for ")
    if loop:
        element, rest = inner[: loop[0]], inner[loop[0] + 1 :]
        return [*_fit(pad + element, width), pad + rest]
    return _items(inner, indent, width)


def _items(inner: str, indent: int, width: int) -> list[str]:
    commas = [-2, *_top_level(inner, ", "), len(inner)]
    parts = [inner[a + 2 : b] for a, b in pairwise(commas)]
    return [line for part in parts for line in _fit(f"{' ' * indent}{part},", width)]


def _chain(value: str, links: list[int], indent: int, width: int) -> list[str]:
    pad = " " * indent
    if len(pad + value) <= width:
        return [pad + value]
    places = [0, *links, len(value)]
    return [pad + value[a:b] for a, b in pairwise(places)]


def _links(value: str) -> list[int]:
    """Return where the calls of a chain begin, if it is one: `select(x).limit(y)`."""
    if not re.match(r"\w+\(", value):
        return []
    return [place for place in _top_level(value, ".") if value[place - 1] == ")"]


def _brackets(line: str) -> tuple[int, int] | None:
    """Return the pair that is broken first: a function's parameters, else the last pair."""
    pairs = [(start, end) for start, end, depth in _pairs(line) if depth == 0]
    if not pairs:
        return None
    return min(pairs) if _DEFINITION.match(line) else max(pairs)


def _top_level(text: str, wanted: str) -> list[int]:
    """Return where something stands outside all brackets and strings."""
    inside = [(start, end) for start, end, _ in _pairs(text)] + list(_strings(text))
    places = (match.start() for match in re.finditer(re.escape(wanted), text))
    return [place for place in places if not any(a < place < b for a, b in inside)]


def _pairs(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield each pair of brackets outside strings: its two places and its depth."""
    strings = list(_strings(text))
    open_: list[int] = []
    for place, character in enumerate(text):
        if any(a < place < b for a, b in strings):
            continue
        if character in _CLOSING:
            open_.append(place)
        elif open_ and character == _CLOSING[text[open_[-1]]]:
            start = open_.pop()
            yield start, place, len(open_)


def _strings(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"', text):
        yield match.start(), match.end() - 1
