"""Whom: from what somebody else says of a token to who asks here."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from ..errors import InvalidToken
from ..identity.principal import Identity
from ..model import AbstractUser
from ..tokens.people import identity_of
from .errors import IssuerRefused

__all__ = ["Identify", "checked_name", "stranger_of", "user_of"]

OUR_KINDS: Final = ("api_key", "session", "token")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")

Identify: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[AbstractUser | None]]


def checked_name(name: str) -> None:
    """Refuse a name that says something else of whoever asks.

    Raises:
        IssuerRefused: It is one of our own kinds, or could be the beginning of another one.
    """
    if name in OUR_KINDS or not _NAME.fullmatch(name):
        raise IssuerRefused(
            f"a verifier of others' tokens is called {name!r}",
            code="auth.E037",
            hint=f"use small letters, digits, - and _, and none of {', '.join(OUR_KINDS)}",
        )


def named(issuer: str, token_id: str) -> str:
    """Return how a token of theirs is called here: nobody is to choose the name of one of ours."""
    return token_id and f"{issuer}:{token_id}"


def stranger_of(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    subject: str,
    scopes_claim: str,
    token_id: str,
    expires_at: float | None,
) -> Identity:
    """Return somebody who is known elsewhere, with the scopes that they have there."""
    return Identity(
        id=f"{issuer}:{subject}",  # "7" elsewhere is nobody's 7 here
        scopes=_scopes(claims.get(scopes_claim)),
        kind=issuer,
        token_id=named(issuer, token_id),
        expires_at=expires_at,
    )


async def user_of(
    claims: Mapping[str, Any],
    identify: Identify,
    *,
    issuer: str,
    token_id: str,
    expires_at: float | None,
) -> Identity:
    """Return a user of ours, with the scopes that they have here.

    Raises:
        InvalidToken: The project knows nobody by these claims, or they are not active.
    """
    user = await identify(claims)
    if user is None or not user.is_active:
        raise InvalidToken("its user is gone or not active")
    token_id = named(issuer, token_id)
    return identity_of(user, None, kind=issuer, token_id=token_id, expires_at=expires_at)


def _scopes(told: object) -> frozenset[str]:
    if isinstance(told, str):
        return frozenset(told.split())
    if isinstance(told, list):
        return frozenset(each for each in told if isinstance(each, str))
    return frozenset()
