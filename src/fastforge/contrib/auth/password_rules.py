"""The rules that hold for every new password, unless AUTH.skipped_rules says otherwise."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from .common_passwords import is_common
from .model import folded
from .rules import About, password_rule

__all__ = [
    "password_common",
    "password_like_login",
    "password_numeric",
    "password_too_short",
]

TOO_LIKE: Final = 0.7
SHORTEST_WORD: Final = 3
COMPARED: Final = 128
"""Of a very long password the beginning is compared, since it takes the square of the length."""


@password_rule
def password_too_short(password: str, about: About) -> str | None:
    """Ask for a number of characters."""
    least = about.config.password_min_length
    return f"it has fewer than {least} characters" if len(password) < least else None


@password_rule
def password_numeric(password: str, about: About) -> str | None:
    """Refuse digits alone: birthdays and telephone numbers."""
    return "it has digits alone" if password.isdecimal() else None


@password_rule
def password_common(password: str, about: About) -> str | None:
    """Refuse what is tried first."""
    return "it is one of those that are tried first" if is_common(password) else None


@password_rule
def password_like_login(password: str, about: About) -> str | None:
    """Refuse what others know: the login, the address, and parts of them."""
    text = folded(password)[:COMPARED]
    for word in about.words:
        parts = [word, *re.split(r"[\W_]+", word)]
        if any(_is_like(text, folded(part)) for part in parts if len(part) >= SHORTEST_WORD):
            return "it is too much like the login or the e-mail address"
    return None


def _is_like(text: str, part: str) -> bool:
    if part in text and len(part) >= TOO_LIKE * len(text):
        return True
    return SequenceMatcher(None, text, part[:COMPARED]).ratio() >= TOO_LIKE
