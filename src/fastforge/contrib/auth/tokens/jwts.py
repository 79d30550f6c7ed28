"""JSON web tokens that we write ourselves: HS256, with a header that is ours and no other.

PyJWT writes and checks them. Nothing in a header decides how a token is checked: it has to say
exactly what one of our keys would have said. There is no algorithm to confuse, and no `jku`, `jwk`
or `x5u` to follow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ....signing import Keys
from ..jwt_library import PyJWS, PyJWTError
from .texts import decoded, encoded

__all__ = ["LONGEST_JWT", "opened", "written"]

LONGEST_JWT: Final = 8192
ALGORITHM: Final = "HS256"
_jws: Final = PyJWS(algorithms=[ALGORITHM])


def written(keys: Keys, claims: Mapping[str, Any]) -> str:
    """Return a token that says so, signed with the newest key."""
    body = json.dumps(claims, separators=(",", ":"), allow_nan=False).encode()
    header = _header(keys.newest)
    return _jws.encode(body, keys.newest, algorithm=ALGORITHM, headers=header)


def opened(keys: Keys, token: str) -> bytes | None:
    """Return what a token says; None if none of our keys has written it."""
    if len(token) > LONGEST_JWT or not token.isascii() or not _is_spelt_as_written(token):
        return None
    try:
        header = _jws.get_unverified_header(token)
        for key in keys.all:
            if header == _header(key):
                said: bytes = _jws.decode(token, key, algorithms=[ALGORITHM])
                return said
    except PyJWTError:
        return None
    return None


def _is_spelt_as_written(token: str) -> bool:
    """Return whether each part has the one spelling of its bytes: PyJWT takes several."""
    parts = token.split(".")
    return len(parts) == 3 and all(decoded(part) is not None for part in parts)


def _header(key: bytes) -> dict[str, str]:
    kid = encoded(Keys((key,)).sign(b"kid")[:9])
    return {"alg": ALGORITHM, "kid": kid, "typ": "at+jwt"}
