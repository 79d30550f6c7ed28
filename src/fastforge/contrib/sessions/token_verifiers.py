"""The verifier of what the cookie of a session says."""

from __future__ import annotations

from typing import Final

from ..auth import Identity, InvalidToken, TokenVerifier
from ..auth.identity.reading import reading
from .owners import owner_of
from .resources import keeper_here, store_here
from .saving import token_id_of
from .secrets import USER

__all__ = ["SESSION_COOKIES", "SessionCookies"]


class SessionCookies(TokenVerifier):
    """Knows the secrets of sessions: a forged one is refused before anybody is asked."""

    name = "session"

    def accepts(self, token: str) -> bool:
        """Return whether a token is the secret of a session in which somebody has logged in."""
        return token.startswith(USER) and keeper_here().secrets.is_ours(token)

    async def verify(self, token: str) -> Identity:
        """Return whose session it is.

        Raises:
            InvalidToken: It is nobody's, has ended, or its user may not use it any more.
        """
        keeper = keeper_here()
        if not keeper.secrets.is_ours(token):
            raise InvalidToken("it is the cookie of another application")
        async with reading() as db:
            record = await store_here().load(db, keeper.secrets.hashes(token))
            if record is None:
                raise InvalidToken("its session has been ended")
            if not keeper.is_alive(record):
                raise InvalidToken("its session is too old")
            user = await owner_of(db, record)
        if user is None:
            raise InvalidToken("its user is gone, not active, or has changed since the login")
        return Identity(
            id=str(user.id),
            version=user.version,
            scopes=frozenset(user.scopes),
            is_superuser=user.is_superuser,
            kind="session",
            token_id=token_id_of(record.id),
            expires_at=keeper.lifetime.end_of(record),
        )


SESSION_COOKIES: Final = SessionCookies()
