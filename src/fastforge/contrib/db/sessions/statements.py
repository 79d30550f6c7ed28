"""Statements: which SQL reads only, told from its text, the one form that all of it has."""

from __future__ import annotations

import functools
import re
from typing import Final

__all__ = ["first_words", "is_read"]

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_READ = re.compile(
    r"[\s(]*(?:select|with|values|table|explain|show)\b"
    # A pragma that is given a value sets it, and some without a value do work.
    r"|\s*pragma\s+(?:\w+\s*\.\s*)?(?:"
    r"(?:table_x?info|table_list|index_x?info|index_list|foreign_key_list|foreign_key_check"
    r"|integrity_check|quick_check)\s*(?:\([^()]*\))?"
    r"|(?!(?:optimize|incremental_vacuum|wal_checkpoint)\b)\w+"
    r")\s*;?\s*$",
    re.IGNORECASE,
)
_WRITE_INSIDE = re.compile(
    # INTO is a reserved word, so it stands in no other read; `%(into)s` is a parameter.
    r"(?<![.(:])\binto\b|\b(?:delete\s+from"
    r"|update\s+(?:only\s+)?\S+\s+(?:(?:as\s+)?\w+\s+)?set"
    r"|for\s+(?:no\s+key\s+)?update|for\s+(?:key\s+)?share)\b",
    re.IGNORECASE,
)
SHOWN_CHARACTERS: Final = 60


@functools.lru_cache(maxsize=1024)
def is_read(sql: str) -> bool:
    """Return whether SQL neither writes nor locks rows, as far as its text tells.

    A function called by a SELECT may still write; nobody can see that from here.

    >>> is_read("WITH gone AS (DELETE FROM orders RETURNING id) SELECT count(*) FROM gone")
    False
    """
    bare = _QUOTED.sub(_replacement, sql)
    return bool(_READ.match(bare)) and not _WRITE_INSIDE.search(bare)


def _replacement(found: re.Match[str]) -> str:
    # A name stays a name, so that `UPDATE "order" SET` keeps its shape; a comment is space.
    return "x" if found.group()[0] in "'\"" else " "


def first_words(sql: str) -> str:
    """Return the beginning of a statement on one line, for messages; never its parameters."""
    line = " ".join(sql.split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 3]}..."
