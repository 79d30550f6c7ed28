"""Filling: a template whose placeholders stand for words, or for any number of lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template
from textwrap import indent
from typing import Final

__all__ = ["fill"]

_WHOLE_LINE: Final = re.compile(r"^( *)\$(\w+)\n", re.MULTILINE)
_SEVERAL_EMPTY: Final = re.compile(r"\n{3,}")


def fill(template: str, values: Mapping[str, str]) -> str:
    r"""Return a template with its values.

    A placeholder that is alone on its line stands for lines: they are indented as it is, and where
    there are none the line is left out. Several empty lines are one.

    >>> fill("a: $word\nb:\n  $lines\n", {"word": "x", "lines": "- y\n- z"})
    'a: x\nb:\n  - y\n  - z\n'

    Args:
        template: A text for `string.Template`.
        values: By the names that it uses.
    """

    def lines(found: re.Match[str]) -> str:
        text = values[found[2]].strip("\n").replace("$", "$$")
        return indent(text, found[1]) + "\n" if text else ""

    filled = Template(_WHOLE_LINE.sub(lines, template)).substitute(values)
    return _SEVERAL_EMPTY.sub("\n\n", filled)
