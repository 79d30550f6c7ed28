"""Pairs: what a login gives, and each refresh; and how it is written."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from math import floor
from typing import Final

from ....signing import Keys, now_s
from ..model import AbstractUser
from ..models import TokenFamily
from .families import moment
from .jwts import written
from .keys import TokenKeys
from .people import allowed
from .texts import ACCESS, REFRESH, encoded

__all__ = ["AccessToken", "RefreshToken", "TokenPair", "hashes_of", "pair_of", "renew"]

HANDLE_BYTES: Final = 16
TIME_BYTES: Final = 5
COUNT_BYTES: Final = 4
_HANDLE: Final = b"handle\0"
_SECRET: Final = b"secret\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What a client is given.

    Args:
        access_token: For the Authorization header of each request.
        refresh_token: For the next pair, once.
        expires_in_s: How long the access token is good, in seconds.
        token_type: The word before it in the header: AUTH.scheme.
        scopes: What it allows; a superuser's without scopes of its own allows everything.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: int
    token_type: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """What is in an opaque access token.

    Args:
        handle: By which its login is found.
        expires_at: When it ends, in whole seconds of the epoch.
    """

    handle: bytes = field(repr=False)
    expires_at: int

    @classmethod
    def read(cls, keys: TokenKeys, text: str) -> AccessToken | None:
        """Return what is in a text; None if it is no access token of ours."""
        body = ACCESS.read(keys.access, text)
        if body is None:
            return None
        handle, rest = body[:HANDLE_BYTES], body[HANDLE_BYTES:]
        return cls(handle=handle, expires_at=int.from_bytes(rest[:TIME_BYTES]))

    def write(self, keys: TokenKeys) -> str:
        """Return a text; another one each time."""
        rest = self.expires_at.to_bytes(TIME_BYTES) + secrets.token_bytes(7)
        return ACCESS.write(keys.access, self.handle + rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """What is in a refresh token.

    Args:
        handle: By which its login is found.
        generation: How often that was refreshed before it.
        secret: What proves it.
    """

    handle: bytes = field(repr=False)
    generation: int
    secret: bytes = field(repr=False)

    @classmethod
    def first(cls) -> RefreshToken:
        """Return the one that a login begins with."""
        return cls(
            handle=secrets.token_bytes(HANDLE_BYTES), generation=0, secret=secrets.token_bytes(32)
        )

    @classmethod
    def read(cls, keys: TokenKeys, text: str) -> RefreshToken | None:
        """Return what is in a text; None if it is no refresh token of ours."""
        body = REFRESH.read(keys.refresh, text)
        if body is None:
            return None
        handle, rest = body[:HANDLE_BYTES], body[HANDLE_BYTES:]
        count, secret = rest[:COUNT_BYTES], rest[COUNT_BYTES:]
        return cls(handle=handle, generation=int.from_bytes(count), secret=secret)

    def write(self, keys: TokenKeys) -> str:
        """Return its text."""
        return REFRESH.write(
            keys.refresh, self.handle + self.generation.to_bytes(COUNT_BYTES) + self.secret
        )

    def is_newest_of(self, keys: TokenKeys, family: TokenFamily) -> bool:
        """Return whether it is the one that a login is refreshed by."""
        is_known = family.secret_hash in keys.hashes(_SECRET + self.secret)
        return is_known and family.generation == self.generation

    def followers(self, keys: TokenKeys) -> list[RefreshToken]:
        """Return the one that takes its place: by the newest key first, then by older ones.

        It follows from this one alone: a client that asks again, because it heard no answer, is
        given the same. Nobody works it out without our keys.
        """
        generation = self.generation + 1
        about = generation.to_bytes(COUNT_BYTES) + self.secret
        return [
            RefreshToken(handle=self.handle, generation=generation, secret=Keys((key,)).sign(about))
            for key in keys.next_secret.all
        ]


def hashes_of(keys: TokenKeys, handle: bytes) -> list[bytes]:
    """Return what the database may have in place of a handle."""
    return keys.hashes(_HANDLE + handle)


def renew(keys: TokenKeys, family: TokenFamily, token: RefreshToken) -> None:
    """Let a login be refreshed by this token from now on, and by no other."""
    now = now_s()
    ends_at = family.created_at.timestamp() + keys.config.login_ttl_s
    family.generation = token.generation
    family.handle_hash = keys.hashed(_HANDLE + token.handle)
    family.secret_hash = keys.hashed(_SECRET + token.secret)
    family.refreshed_at = moment(now)
    family.expires_at = moment(min(now + keys.config.refresh_ttl_s, ends_at))


def pair_of(
    keys: TokenKeys, family: TokenFamily, token: RefreshToken, user: AbstractUser
) -> TokenPair:
    """Return what the client of a login is given: a new access token beside a refresh token."""
    now = floor(now_s())
    expires_at = min(now + keys.config.access_ttl_s, floor(family.expires_at.timestamp()))
    access = AccessToken(handle=token.handle, expires_at=expires_at)
    is_jwt = keys.config.access_tokens == "jwt"
    return TokenPair(
        access_token=_jwt(keys, access, family, now) if is_jwt else access.write(keys),
        refresh_token=token.write(keys),
        expires_in_s=expires_at - now,
        token_type=keys.config.scheme,
        scopes=allowed(user, family.scopes),
    )


def _jwt(keys: TokenKeys, access: AccessToken, family: TokenFamily, now: int) -> str:
    claims = {
        "iss": keys.issuer,
        "aud": keys.audience,
        "sub": family.user_id,
        "iat": now,
        "exp": access.expires_at,
        "jti": secrets.token_urlsafe(12),
        "sid": encoded(access.handle),
    }
    if family.scopes is not None:
        claims["scope"] = " ".join(family.scopes)
    return written(keys.jwt, claims)
