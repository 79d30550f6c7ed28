"""Faults: what databases and validation quote, in their messages, of what they were given."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from .names import MASK
from .quoting import end_of_value

__all__ = ["masked", "may_be_in"]

QUOTED_KEY: Final = ")=("
"""Of PostgreSQL, in any language: `Key (email)=(ada@example.org) already exists.`"""
DETAIL: Final = "DETAIL:"
INPUT_VALUE: Final = "input_value="
INPUT_TYPE: Final = ", input_type="
PARAMETERS: Final = "[parameters: "
ARGUMENT: Final = " argument $"
PARAMETER: Final = "parameter $"
INVALID: Final = (" syntax for ", " value for enum", "out of range", "syntax error at or near")
LOCATED: Final = ("'loc':", '"loc":')

_GIVEN: Final = re.compile(r"(?:argument|parameter) \$\d{1,6}(?:: | = )")
_INVALID: Final = re.compile(
    r"(?:invalid input (?:syntax|value) for [^\n\"]{1,80}+"
    r"|(?:out of range|syntax error at or near)[: ]{1,2}|\bvalue )(?=\")"
)
_INPUT: Final = re.compile(r"(?<=[\"'])input[\"']:[ ]?")


def may_be_in(text: str) -> bool:
    """Return whether a text has a hint of such a message."""
    return (
        QUOTED_KEY in text
        or DETAIL in text
        or INPUT_VALUE in text
        or PARAMETERS in text
        or " $" in text
        or "nvalid input" in text
        or "out of range" in text
        or "at or near" in text
        or "loc" in text
    )


def masked(text: str) -> str:
    """Mask the values that such a message quotes."""
    if QUOTED_KEY in text or DETAIL in text:
        text = "".join(map(_masked_line, text.splitlines(keepends=True)))
    if INPUT_VALUE in text:
        text = _between(text, INPUT_VALUE, INPUT_TYPE)
    if PARAMETERS in text:
        text = _between(text, PARAMETERS, "]\n")
    if " $" in text:
        text = _values_after(_GIVEN, text)
    if any(hint in text for hint in LOCATED):  # FastAPI's errors, as a list of objects
        text = _values_after(_INPUT, text)
    return _values_after(_INVALID, text)


def _masked_line(line: str) -> str:
    start = line.find(QUOTED_KEY)
    start = start + len(QUOTED_KEY) if start >= 0 else _first_bracket(line)
    end = max(start, line.rfind(")")) if ")" in line[start:] else len(line.rstrip())
    return f"{line[:start]}{MASK}{line[end:]}" if 0 < start < end else line


def _first_bracket(line: str) -> int:
    detail = line.find(DETAIL)
    return line.find("(", detail) + 1 if detail >= 0 else 0


def _between(text: str, start: str, end: str) -> str:
    """Mask what stands after each `start`, up to the next `end` or to the end of the line."""
    first, *parts = text.split(start)
    return start.join([first, *(f"{MASK}{part[_end_of(part, end) :]}" for part in parts)])


def _end_of(part: str, end: str) -> int:
    found = part.find(end)
    if found >= 0:
        return found
    line = part.find("\n")
    return line if line >= 0 else len(part.rstrip("]"))


def _values_after(pattern: re.Pattern[str], text: str) -> str:
    return masked_values(text, pattern, lambda match: True)


def masked_values(
    text: str, pattern: re.Pattern[str], is_secret: Callable[[re.Match[str]], bool]
) -> str:
    """Mask the value that follows each match that is one of a secret."""
    pieces: list[str] = []
    done = 0
    for found in pattern.finditer(text):
        if found.start() >= done and is_secret(found):
            start, end = end_of_value(text, found.end())
            pieces += (text[done:start], MASK if end > start else "")
            done = end
    return "".join([*pieces, text[done:]])
