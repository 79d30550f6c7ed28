"""Reading: what is in a token that we wrote, whichever form it has, before anybody is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidToken
from .claims import Claims, Expected, parsed
from .jwts import opened
from .keys import TokenKeys
from .pairs import AccessToken, RefreshToken
from .texts import decoded

__all__ = ["claims_of", "handle_in", "handle_of"]

_REQUIRED = ("exp", "iat", "sub", "jti", "iss", "aud", "sid")


def claims_of(keys: TokenKeys, token: str) -> Claims | None:
    """Return what a JSON web token of ours says; None if we have not written it.

    Raises:
        InvalidToken: It is not good at this moment, or was written for somebody else.
    """
    payload = opened(keys.jwt, token)
    if payload is None:
        return None
    expected = Expected(issuer=keys.issuer, audiences=(keys.audience,), required=_REQUIRED)
    return expected.read(payload)


def handle_in(claims: Mapping[str, Any]) -> bytes | None:
    """Return the handle of the login that a JSON web token of ours belongs to."""
    sid = claims.get("sid")
    return decoded(sid) if isinstance(sid, str) else None


def handle_of(keys: TokenKeys, token: str) -> bytes | None:
    """Return the handle of the login that a token belongs to, also when its time is over."""
    if not keys.are_there:
        return None
    found = AccessToken.read(keys, token) or RefreshToken.read(keys, token)
    if found is not None:
        return found.handle
    payload = opened(keys.jwt, token)
    try:
        return None if payload is None else handle_in(parsed(payload))
    except InvalidToken:
        return None
