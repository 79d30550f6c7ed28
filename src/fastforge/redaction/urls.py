"""URLs: the passwords in them, also where the scheme is misspelt or missing."""

from __future__ import annotations

import re
from typing import Final

from .names import MASK

__all__ = ["masked"]

LONGEST_USER: Final = 20
"""A user's name from here on, with a digit in it, is a token: `https://ghp_...@host/`."""
LONGEST_PORT: Final = 5

_TOKEN: Final = re.compile(r'[^\s"<>]+')


def masked(text: str) -> str:
    """Mask the passwords of a text with an @."""
    return _TOKEN.sub(_masked_token, text)


def _masked_token(match: re.Match[str]) -> str:
    token = match[0]
    if "@" not in token:
        return token
    first, *addresses = token.split("://")
    if not addresses:
        return _masked_without_scheme(token)
    return "://".join([first, *map(_masked_address, addresses)])


def _masked_address(address: str) -> str:
    """Mask the password in what follows `://`."""
    end = _end_of_authority(address)
    authority, rest = address[:end], address[end:]
    if "@" in authority:
        user, _, host = authority.rpartition("@")
        name, colon, password = user.partition(":")
        if colon:
            return f"{name}:{MASK if password else ''}@{host}{rest}"
        return f"{MASK if _is_token(name) else name}@{host}{rest}"
    if "@" not in rest or ":" not in authority or _ends_in_port(authority):
        return address
    # A slash, a question mark or a hash in a password ends the address for whoever reads it.
    before_query, mark, query = rest.partition("?")
    if "@" not in before_query:
        before_query, mark, query = rest, "", ""
    name = authority.partition(":")[0]
    return f"{name}:{MASK}@{before_query.rpartition('@')[2]}{mark}{query}"


def _masked_without_scheme(token: str) -> str:
    """Mask the password of `user:password@host` and `//user:password@host`."""
    start = token.find(":") + 1
    end = token.find("/", start)
    at = token.rfind("@", start, end if end >= 0 else len(token))
    return f"{token[:start]}{MASK}{token[at:]}" if start and at > start else token


def _end_of_authority(address: str) -> int:
    ends = [found for mark in "/?#" if (found := address.find(mark)) >= 0]
    return min(ends, default=len(address))


def _ends_in_port(authority: str) -> bool:
    port = authority.rpartition(":")[2]
    return port.isdigit() and len(port) <= LONGEST_PORT


def _is_token(name: str) -> bool:
    return len(name) >= LONGEST_USER and any(map(str.isdigit, name))
