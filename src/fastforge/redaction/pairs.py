"""Pairs: a name and a value in a text, as code, JSON, headers, cookies and queries write them."""

from __future__ import annotations

import re
from typing import Final

from .names import LONGEST_NAME, MASK, is_sensitive
from .quoting import end_of_value
from .words import words_of

__all__ = ["masked", "may_be_in"]

_NAME: Final = re.compile(
    r"(?<![\w.\-])(?P<name>[\w.\-]++)"
    r"(?:(?P<separator>(?:\\*+[\"'])?+(?:\]|%5[dD])?[ \t]*+(?:=>|==?|:(?!//)|%3[dD])[ \t]*+)"
    r"|(?P<tuple>[\"'],[ ]?)(?=b?[\"'])|(?P<element>>)|(?P<option>[ ])(?=[^\s-]))"
)
NOTHING: Final = frozenset({"None", "null", "true", "false", "True", "False", MASK})
IN_QUERIES: Final = frozenset(
    {"assertion", "code", "key", "nonce", "session", "sid", "sig", "signature", "state", "ticket"}
)
"""Names that mean a secret in a query or a cookie, if the value is as long as one."""
SHORTEST_IN_QUERIES: Final = 12
WHOLE_LINES: Final = frozenset({"authorization", "cookie"})
"""Headers whose values have spaces in them."""


def may_be_in(text: str) -> bool:
    """Return whether a text without equals signs and colons may have pairs."""
    return "--" in text or "</" in text or "', " in text or '", ' in text


def masked(text: str) -> str:
    """Mask the values of secrets in a text with names of secrets."""
    pieces: list[str] = []
    done = 0
    for found in _NAME.finditer(text):
        if found.start() < done:  # in a value that is masked already
            continue
        start, end = _secret_after(found, text)
        if start < end:
            pieces += (text[done:start], MASK)
            done = end
    return "".join([*pieces, text[done:]]) if done else text


def _secret_after(found: re.Match[str], text: str) -> tuple[int, int]:
    """Return where the secret stands that a name announces; the same place twice for none."""
    name, at = found["name"], found.end()
    nothing = (at, at)
    if not is_sensitive(name):
        return _secret_in_query(found, text)
    if found["separator"] is not None:
        if ":" in found["separator"] and words_of(name)[-1:] in {(each,) for each in WHOLE_LINES}:
            return _rest_of_line(found, text)
        return _unless_nothing(text, name, *end_of_value(text, at))
    before = text[max(0, found.start() - 3) : found.start()]
    if found["tuple"] is not None:
        start, end = end_of_value(text, at)
        closes = text[end + 1 : end + 2] in (")", "]")
        return (start, end) if closes and re.search(r"[(\[]b?[\"']$", before) else nothing
    if found["element"] is not None:
        end = text.find("<", at)
        return (at, end) if end >= 0 and before.endswith("<") else nothing
    return end_of_value(text, at) if name.startswith("--") else nothing


def _secret_in_query(found: re.Match[str], text: str) -> tuple[int, int]:
    at, last = found.end(), "".join(words_of(found["name"][-LONGEST_NAME:])[-1:])
    if found["separator"] != "=" or last not in IN_QUERIES:
        return at, at
    is_query = text[found.start() - 1 : found.start()] in ("?", "&")
    if not is_query and found["name"].lower() not in ("session", "sid"):
        return at, at
    start, end = end_of_value(text, at)
    return (start, end) if end - start >= SHORTEST_IN_QUERIES else (at, at)


def _rest_of_line(found: re.Match[str], text: str) -> tuple[int, int]:
    """Return the place of a header's value, which ends with the line or the quotes around it."""
    start, end = end_of_value(text, found.end())
    if start != found.end() or text[start : start + 1] in ("{", "[", "("):
        return start, end
    line = text.find("\n", start)
    end = line if line >= 0 else len(text)
    quote = text[found.start() - 1 : found.start()]
    if quote in ("'", '"'):
        closing = text.find(quote, start, end)
        end = closing if closing >= 0 else end
    return start, end - (text[end - 1 : end] == "\r")


def _unless_nothing(text: str, name: str, start: int, end: int) -> tuple[int, int]:
    value = text[start : min(end, start + LONGEST_NAME)]
    is_number = name[-1:] in "sS" and value.isdigit()  # so many tokens
    return (start, start) if value in NOTHING or is_number else (start, end)
