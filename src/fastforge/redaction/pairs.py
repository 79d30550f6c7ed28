"""Pairs: a name and a value in a text, as code, JSON, headers, cookies and queries write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .names import LONGEST_NAME, MASK, is_sensitive
from .quoting import end_of_value
from .words import words_of

__all__ = ["masked"]

_IN_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
# The rest of a name, and what stands between it and its value.
_REST: Final = re.compile(
    r"(?P<rest>[\w.\-]*+)"
    r"(?:(?P<separator>(?:\\*+[\"'])?+(?:\]|%5[dD])?[ \t]*+(?:=>|==?|:(?!//)|%3[dD])[ \t]*+)"
    r"|(?P<tuple>[\"'],[ ]?)(?=b?[\"'])|(?P<element>>)|(?P<option>[ ])(?=[^\s-]))?+"
)
_TUPLE: Final = re.compile(r"[(\[]b?[\"']\Z")
NOTHING: Final = frozenset({"None", "null", "true", "false", "True", "False", MASK})
IN_QUERIES: Final = frozenset(
    {
        "assertion",
        "code",
        "key",
        "nonce",
        "session",
        "sid",
        "sig",
        "signature",
        "state",
        "ticket",
    }
)
"""Last words of names that mean a secret in a query, if the value is as long as one."""
COOKIES: Final = frozenset({"session", "sid"})
"""Names that do so anywhere."""
SHORTEST_IN_QUERIES: Final = 12
WHOLE_LINES: Final = (("authorization",), ("cookie",))
"""Last words of headers whose values have spaces in them."""


def masked(text: str, lowered: str, hints: re.Pattern[str]) -> str:
    """Mask what follows the names of secrets.

    Args:
        text: Any text.
        lowered: The same in lower case, of the same length.
        hints: Finds, in lower case, a part of each name that may be one of a secret.
    """
    pieces: list[str] = []
    done = 0
    for start, found in _names(text, lowered, hints):
        if start >= done:  # and not in a value that is masked already
            first, last = _secret_after(text, start, found)
            if first < last:
                pieces += (text[done:first], MASK)
                done = last
    return "".join([*pieces, text[done:]]) if done else text


def _names(text: str, lowered: str, hints: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield where each name begins that has a hint in it, and what follows the hint."""
    looked_at = 0
    for hint in hints.finditer(lowered):
        start = hint.start()
        if start < looked_at:
            continue
        earliest = max(looked_at, start - LONGEST_NAME)
        while start > earliest and text[start - 1] in _IN_NAME:
            start -= 1
        found = _REST.match(text, hint.end())
        if found is not None:
            looked_at = found.end("rest")
            yield start, found


def _secret_after(text: str, start: int, found: re.Match[str]) -> tuple[int, int]:
    """Return where the secret stands that a name announces; the same place twice for none."""
    name, at = text[start : found.end("rest")][-LONGEST_NAME:], found.end()
    if found["separator"] is None:
        return _secret_in_markup(text, start, found) if is_sensitive(name) else (at, at)
    if not is_sensitive(name):
        return _secret_in_query(text, start, found, words_of(name))
    if ":" in found["separator"] and words_of(name)[-1:] in WHOLE_LINES:
        return _rest_of_line(text, start, at)
    return _unless_nothing(text, name, *end_of_value(text, at))


def _secret_in_markup(text: str, start: int, found: re.Match[str]) -> tuple[int, int]:
    """Return the secret of `('token', '...')`, `<token>...</token>` and `--token ...`."""
    at = found.end()
    if found["tuple"] is not None and _TUPLE.search(text, max(0, start - 3), start):
        first, last = end_of_value(text, at)
        return (first, last) if text[last + 1 : last + 2] in (")", "]") else (at, at)
    if found["element"] is not None and text[start - 1 : start] == "<":
        return at, max(at, text.find("<", at))
    if found["option"] is not None and text.startswith("--", start):
        return end_of_value(text, at)
    return at, at


def _secret_in_query(
    text: str, start: int, found: re.Match[str], words: tuple[str, ...]
) -> tuple[int, int]:
    at = found.end()
    if found["separator"] != "=" or IN_QUERIES.isdisjoint(words[-1:]):
        return at, at
    is_query = text[start - 1 : start] in ("?", "&")
    if not is_query and not (len(words) == 1 and words[0] in COOKIES):
        return at, at
    first, last = end_of_value(text, at)
    return (first, last) if last - first >= SHORTEST_IN_QUERIES else (at, at)


def _rest_of_line(text: str, name_at: int, at: int) -> tuple[int, int]:
    """Return the place of a header's value, which ends with the line or the quotes around it."""
    start, end = end_of_value(text, at)
    if start != at or text[start : start + 1] in ("{", "[", "("):
        return start, end
    line = text.find("\n", start)
    end = line if line >= 0 else len(text)
    quote = text[name_at - 1 : name_at]
    if quote in ("'", '"'):
        closing = text.find(quote, start, end)
        end = closing if closing >= 0 else end
    return start, end - (text[end - 1 : end] == "\r")


def _unless_nothing(text: str, name: str, start: int, end: int) -> tuple[int, int]:
    value = text[start : min(end, start + LONGEST_NAME)]
    is_number = name[-1:] in "sS" and value.isdigit()  # so many tokens
    return (start, start) if value in NOTHING or is_number else (start, end)
