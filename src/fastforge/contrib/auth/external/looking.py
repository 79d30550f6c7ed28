"""Looking: what can be told of somebody's token before anybody has checked it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....lifecycle import current_container
from ..resources import token_keys
from ..tokens.jwts import LONGEST_JWT, opened
from ..tokens.texts import FORMS, decoded

__all__ = ["Head", "is_our_jwt", "is_ours", "is_token", "looked_at"]

LONGEST_KID = 255
OUR_PREFIXES = (*(form.prefix for form in FORMS), "fsu_", "fsg_")
"""The last two are those of the secrets in the cookies of fastforge.contrib.sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a JSON web token says of itself. None of it is true until its signature is.

    Attributes:
        algorithm: By which it says to be signed.
        kid: The name of the key; None: it names none.
        typ: What kind of token it is, in small letters and without `application/`.
        issuer: Who it says has written it.
    """

    algorithm: str
    kid: str | None
    typ: str
    issuer: str


def is_token(text: str) -> bool:
    """Return whether a text has letters that a token may have, and is not too long."""
    return len(text) <= LONGEST_JWT and text.isascii() and text.isprintable() and " " not in text


def is_ours(text: str) -> bool:
    """Return whether a text looks like a token of this project: others need not see those."""
    return text.startswith(OUR_PREFIXES)


def is_our_jwt(text: str) -> bool:
    """Return whether a text is a JSON web token that this project has written.

    The app of a verifier of others' tokens may stand before ours, and is asked first then.
    """
    keys = current_container()[token_keys] if text.count(".") == 2 else None
    return keys is not None and keys.are_there and opened(keys.jwt, text) is not None


def looked_at(token: str) -> Head | None:
    """Return what a token says of itself; None if it is no signed JSON web token."""
    parts = token.split(".")
    if not is_token(token) or len(parts) != 3:
        return None
    header, claims = _object(parts[0]), _object(parts[1])
    if header is None or claims is None:
        return None
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    issuer = claims.get("iss")
    if not (isinstance(algorithm, str) and isinstance(typ, str) and isinstance(issuer, str)):
        return None
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= LONGEST_KID):
        return None
    typ = typ.lower().removeprefix("application/")
    return Head(algorithm=algorithm, kid=kid, typ=typ, issuer=issuer)


def _object(part: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads((decoded(part) or b"").decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
