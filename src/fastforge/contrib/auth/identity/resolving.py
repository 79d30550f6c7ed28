"""Resolving: from a request to whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.types import Scope

from ....observability.context import user_id
from ..errors import InvalidToken
from .principal import Identity
from .sources import CredentialSource
from .verifier import TokenVerifier

__all__ = ["FOUND", "Identities"]

FOUND: Final = "fastforge.identity"
"""Where the scope of a request has what was found, so that it is looked for once."""


class Identities:
    """Knows whoever asks, in one process.

    Args:
        sources: Where a credential may stand.
        verifiers: What knows whose it is.
        key_type: The type of the user model's key, which verifiers give as text.
        tells_user: Whether lines of the log name the user.
    """

    def __init__(
        self,
        *,
        sources: Iterable[CredentialSource],
        verifiers: Iterable[TokenVerifier],
        key_type: Callable[[Any], object] = str,
        tells_user: bool,
    ) -> None:
        self._key_type: Final = key_type
        self._sources: Final = sorted(sources, key=attrgetter("order"))
        self._verifiers: Final = tuple(verifiers)
        self._tells_user: Final = tells_user

    async def of(self, scope: Scope) -> Identity | None:
        """Return who sends a request or has opened a socket; None without a credential.

        Raises:
            InvalidToken: There is a credential, and it is not good.
        """
        if FOUND in scope:
            found: Identity | None = scope[FOUND]
            return found
        token = self._token(HTTPConnection(scope))
        identity = None if token is None else await self.of_token(token)
        scope[FOUND] = identity
        if self._tells_user and identity is not None:
            user_id.set(str(identity.id))
        return identity

    async def of_token(self, token: str) -> Identity:
        """Return whose token it is.

        Raises:
            InvalidToken: It is nobody's, has ended or was revoked.
        """
        identity = await self._verifier(token).verify(token)
        if identity.expires_at is not None and identity.expires_at <= time.time():
            raise InvalidToken("it has ended")
        return self._keyed(identity)

    def _keyed(self, identity: Identity) -> Identity:
        """Return an identity whose id is the user's key, of the type that their model has.

        A text in the place of a number would be right on SQLite and an error on PostgreSQL.
        """
        if not identity.version:
            return identity  # of somebody who is known elsewhere: "7" there is nobody's 7 here
        try:
            key = self._key_type(identity.id)
        except (TypeError, ValueError):
            raise InvalidToken("it names no user") from None
        if str(key) != str(identity.id):  # int() takes "1_0" for 10
            raise InvalidToken("it names no user")
        return replace(identity, id=key)

    def _token(self, connection: HTTPConnection) -> str | None:
        for source in self._sources:
            token = source.read(connection)
            if token is not None:
                return token
        return None

    def _verifier(self, token: str) -> TokenVerifier:
        for verifier in self._verifiers:
            if verifier.accepts(token):
                return verifier
        raise InvalidToken("no verifier knows tokens like it")
