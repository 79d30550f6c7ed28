"""Verifiers: whose our own tokens are. What no key of ours has signed is refused unasked."""

from __future__ import annotations

from sqlalchemy import select

from ....lifecycle import current_container
from ....signing import now_s
from ..errors import InvalidToken
from ..identity.principal import Identity
from ..identity.reading import reading
from ..identity.verifier import TokenVerifier
from ..models import ApiKey
from ..resources import token_keys
from .api_keys import hashes_of_key, read_key
from .families import family_of_handle, now
from .jwts import opened
from .keys import TokenKeys
from .pairs import AccessToken, hashes_of
from .people import active_user, identity_of
from .reading import claims_of, handle_in

__all__ = ["ApiKeys", "JwtTokens", "OpaqueTokens"]

_NOT_OURS = "we have not written it"


class OpaqueTokens(TokenVerifier):
    """Access tokens that only this project can read."""

    name = "tokens"

    def accepts(self, token: str) -> bool:
        """Return whether it is one that we have written."""
        keys = current_container()[token_keys]
        return keys.are_there and AccessToken.read(keys, token) is not None

    async def verify(self, token: str) -> Identity:
        """Return whose it is.

        Raises:
            InvalidToken: It has ended, or its login or user is over.
        """
        keys = current_container()[token_keys]
        found = AccessToken.read(keys, token)
        if found is None:
            raise InvalidToken(_NOT_OURS)
        if found.expires_at <= now_s():
            raise InvalidToken("it has ended")
        return await _identity(keys, found.handle, found.expires_at)


class JwtTokens(TokenVerifier):
    """JSON web tokens that this project has written."""

    name = "jwt"

    def accepts(self, token: str) -> bool:
        """Return whether it is one that we have written."""
        keys = current_container()[token_keys]
        return keys.are_there and token.count(".") == 2 and opened(keys.jwt, token) is not None

    async def verify(self, token: str) -> Identity:
        """Return whose it is.

        Raises:
            InvalidToken: It is not good at this moment, or its login or user is over.
        """
        keys = current_container()[token_keys]
        claims = claims_of(keys, token)
        handle = None if claims is None else handle_in(claims.all)
        if claims is None or handle is None:
            raise InvalidToken(_NOT_OURS)
        identity = await _identity(keys, handle, claims.expires_at)
        if identity.id != claims.subject:
            raise InvalidToken("its login is somebody else's")
        return identity


class ApiKeys(TokenVerifier):
    """Keys that programs have."""

    name = "api_keys"

    def accepts(self, token: str) -> bool:
        """Return whether it is one that we have written."""
        keys = current_container()[token_keys]
        return keys.are_there and read_key(keys, token) is not None

    async def verify(self, token: str) -> Identity:
        """Return for whom its program acts.

        Raises:
            InvalidToken: It was revoked, has ended, or its user is gone.
        """
        keys = current_container()[token_keys]
        secret = read_key(keys, token)
        if secret is None:
            raise InvalidToken(_NOT_OURS)
        async with reading() as db:
            hashes = hashes_of_key(keys, secret)
            found = await db.scalars(select(ApiKey).where(ApiKey.key_hash.in_(hashes)))
            key = found.one_or_none()
            if key is None or key.revoked_at is not None:
                raise InvalidToken("it was revoked")
            if key.expires_at is not None and key.expires_at <= now():
                raise InvalidToken("it has ended")
            user = await active_user(db, key)
            ends_at = None if key.expires_at is None else key.expires_at.timestamp()
            return identity_of(
                user, key.scopes, kind="api_key", token_id=key.id, expires_at=ends_at
            )


async def _identity(keys: TokenKeys, handle: bytes, expires_at: float | None) -> Identity:
    """Return who an access token of a login makes somebody, by what the database says now."""
    async with reading() as db:
        family = await family_of_handle(db, hashes_of(keys, handle))
        user = await active_user(db, family)
        return identity_of(
            user, family.scopes, kind="token", token_id=family.id, expires_at=expires_at
        )
