"""Source: lines of a file, and what of them is a word of the language, a text or a comment."""

from __future__ import annotations

import io
import keyword
import linecache
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...redaction import MASK, is_sensitive, redacted_text

__all__ = ["Line", "Span", "lines_around"]

_NAME_BEFORE: Final = re.compile(r"""(\w+)["'\]]*\s*(?::[^=]*)?[:=]\s*\(?[a-zA-Z]{0,2}$""")
AROUND: Final = 5
LONGEST_LINE: Final = 240
LARGEST_FILE: Final = 1_000_000
SHOWN_SUFFIXES: Final = frozenset(
    {".py", ".html", ".htm", ".jinja", ".jinja2", ".j2", ".txt", ".xml", ".css", ".js", ".md"}
)
"""Of other files, such as a `.env`, nothing is quoted."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line, by its columns, and the class that it is shown with."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a file.

    Args:
        number: From 1 on.
        text: What it says, without what looks like a secret.
        spans: Its colours, in their order.
    """

    number: int
    text: str
    spans: tuple[Span, ...] = ()


def lines_around(file: str, number: int, *, around: int = AROUND) -> tuple[Line, ...]:
    """Return a line of a file and those around it; none where nothing may be quoted."""
    if Path(file).suffix.lower() not in SHOWN_SUFFIXES:
        return ()
    linecache.checkcache(file)
    texts = linecache.getlines(file)
    if not 0 < number <= len(texts):
        return ()
    first = max(1, number - around)
    numbers = range(first, min(number + around, len(texts)) + 1)
    colours = _colours(texts, numbers) if file.endswith(".py") else {}
    return tuple(_line(each, texts[each - 1], colours.get(each, [])) for each in numbers)


def _line(number: int, text: str, spans: list[Span]) -> Line:
    text = text.rstrip("\r\n")
    shown = (_redacted(text, spans) if spans else redacted_text(text))[:LONGEST_LINE]
    # Where something is masked, the columns are others.
    return Line(number=number, text=shown, spans=tuple(spans) if shown == text else ())


def _redacted(text: str, spans: list[Span]) -> str:
    """Mask what texts and comments say; `token: str` and `password = ask()` keep no secret."""
    parts: list[str] = []
    last = 0
    for span in spans:
        if span.kind in ("s", "c"):
            before, said = text[last : span.start], text[span.start : span.end]
            name = _NAME_BEFORE.search(text[: span.start])
            is_named = span.kind == "s" and name is not None and is_sensitive(name[1])
            is_secret = is_named and said.strip("\"'") != ""
            parts += [before, f'"{MASK}"' if is_secret else redacted_text(said)]
            last = span.end
    return "".join([*parts, text[last:]])


def _colours(texts: list[str], numbers: range) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = {}
    source = "".join(texts)
    if len(source) > LARGEST_FILE:
        return found
    for token, kind in _tokens(source):
        (first, start), (last, end) = token.start, token.end
        for number in range(max(first, numbers.start), min(last, numbers.stop - 1) + 1):
            begins = start if number == first else 0
            ends = end if number == last else len(texts[number - 1].rstrip("\r\n"))
            if ends > begins:
                found.setdefault(number, []).append(Span(begins, ends, kind))
    return found


def _tokens(source: str) -> Iterator[tuple[tokenize.TokenInfo, str]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if kind := _kind(token):
                yield token, kind
    except (tokenize.TokenError, SyntaxError):
        return  # what has been found until then has its colours


def _kind(token: tokenize.TokenInfo) -> str:
    name = tokenize.tok_name[token.type]
    if name == "NAME":
        return "k" if keyword.iskeyword(token.string) else ""
    if name == "STRING" or name.startswith("FSTRING"):
        return "s"
    return {"COMMENT": "c", "NUMBER": "n"}.get(name, "")
