"""Quoting: where a value ends that stands in a text, as code, JSON, a header or a query has it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["end_of_value"]

_OPENING: Final = re.compile(r"[bBuUrR]{0,2}(?P<quote>\\*+(?:\"\"\"|'''|[\"']))")
_INSIDE: Final = {
    '"': re.compile(r'(?:[^"\\\n]|\\.)*+'),
    "'": re.compile(r"(?:[^'\\\n]|\\.)*+"),
}
# A quote ends it only where something follows that ends a value.
_BARE: Final = re.compile(
    r"(?:(?:bearer|basic|token|digest|negotiate)[ ]++)?"
    r"(?:[^\s,;&\"'<\\]|[\"'](?![,)\]}\s:;>]|\Z)|\\(?![\"'nrt]))++",
    re.IGNORECASE,
)
_MARK: Final = re.compile(r"\\.|[\[\](){}]|\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'")
_CLOSING: Final = ")]}>"


def end_of_value(text: str, start: int) -> tuple[int, int]:
    """Return where the value that begins here begins, without its quotes, and where it ends.

    Args:
        text: Any text.
        start: Where the value begins, behind the equals sign or the colon.
    """
    opening = _OPENING.match(text, start)
    if opening:
        return opening.end(), _end_of_quoted(text, opening.end(), opening["quote"])
    if text[start : start + 1] in ("{", "[", "("):
        return start, _end_of_container(text, start)
    bare = _BARE.match(text, start)
    if bare is None:
        return start, start
    value = bare[0]
    return start, start + (len(value.rstrip(_CLOSING)) or len(value))


def _end_of_quoted(text: str, start: int, quote: str) -> int:
    if len(quote) > 1:  # three of them, or one that is escaped
        end = text.find(quote, start)
        return end if end >= 0 else len(text)
    inside = _INSIDE[quote].match(text, start)
    return inside.end() if inside else start


def _end_of_container(text: str, start: int) -> int:
    depth = 0
    for found in _MARK.finditer(text, start):
        if found[0] in ("{", "[", "("):
            depth += 1
        elif found[0] in ("}", "]", ")"):
            depth -= 1
            if depth == 0:
                return found.end()
    return len(text)
