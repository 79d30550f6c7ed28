"""JSON web tokens that we write ourselves: HS256, with a header that is ours to the letter.

Nothing in a header decides how a token is checked: its first part has to be exactly what one of
our keys would have written. There is no algorithm to confuse, and no `jku`, `jwk` or `x5u` to
follow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ....signing import Keys
from .texts import decoded, encoded

__all__ = ["LONGEST_JWT", "opened", "written"]

LONGEST_JWT: Final = 8192


def written(keys: Keys, claims: Mapping[str, Any]) -> str:
    """Return a token that says so, signed with the newest key."""
    body = json.dumps(claims, separators=(",", ":"), allow_nan=False).encode()
    signed = f"{_header(keys.newest)}.{encoded(body)}"
    return f"{signed}.{encoded(keys.sign(signed.encode()))}"


def opened(keys: Keys, token: str) -> bytes | None:
    """Return what a token says; None if none of our keys has written it."""
    if len(token) > LONGEST_JWT or not token.isascii():
        return None
    signed, _, signature = token.rpartition(".")
    header, _, body = signed.partition(".")
    mac = decoded(signature)
    for key in keys.all:
        if header == _header(key):
            is_ours = mac is not None and Keys((key,)).verify(signed.encode(), mac)
            return decoded(body) if is_ours else None
    return None


def _header(key: bytes) -> str:
    kid = encoded(Keys((key,)).sign(b"kid")[:9])
    return encoded(json.dumps({"alg": "HS256", "kid": kid, "typ": "at+jwt"}).encode())
