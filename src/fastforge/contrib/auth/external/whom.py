"""Whom: from what somebody else says of a token to who asks here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from ..errors import InvalidToken
from ..identity.principal import Identity
from ..model import AbstractUser
from ..tokens.people import identity_of

__all__ = ["Identify", "stranger_of", "user_of"]

Identify: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[AbstractUser | None]]


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
        token_id=token_id,
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
    return identity_of(user, None, kind=issuer, token_id=token_id, expires_at=expires_at)


def _scopes(told: object) -> frozenset[str]:
    if isinstance(told, str):
        return frozenset(told.split())
    if isinstance(told, list):
        return frozenset(each for each in told if isinstance(each, str))
    return frozenset()
