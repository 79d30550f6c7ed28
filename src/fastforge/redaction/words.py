"""Words: what a name consists of, however it is written together."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["words_of"]

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, in lower case.

    >>> words_of("X-Api-Key"), words_of("accessToken")
    (('x', 'api', 'key'), ('access', 'token'))
    """
    return tuple(word.lower() for word in _WORD.findall(name))
