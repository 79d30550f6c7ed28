"""Shown: a statement as people are to see it, on one line and without what may be secret."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_control", "shown"]

SHOWN_CHARACTERS: Final = 300
_LITERAL: Final = re.compile(
    r"\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL
)
_CONTROL: Final = re.compile(
    r"\s*(?:begin|start\s+transaction|commit|end|rollback|savepoint|release)\b", re.IGNORECASE
)


def shown(sql: str) -> str:
    """Return the beginning of a statement on one line; what it quotes as text is left out.

    Parameters are not in it in the first place.

    >>> shown("SELECT id\\nFROM users WHERE token = 'abc' AND id = $1")
    "SELECT id FROM users WHERE token = '...' AND id = $1"
    """
    line = " ".join(_LITERAL.sub("'...'", sql).split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 3]}..."


def is_control(sql: str) -> bool:
    """Return whether a statement only begins or ends a transaction or a savepoint.

    >>> is_control("SAVEPOINT sa_savepoint_1")
    True
    """
    return _CONTROL.match(sql) is not None
