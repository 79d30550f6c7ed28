"""Resolving: from a request to whoever asks, by the shortest way that is right.

1. What this process remembers of the token, for a second at most.
2. What the shared cache has of it, signed.
3. The real check, once for all who ask at the same time.

On every way the same is asked: has it ended, and is anything known that makes it void?
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.types import Scope

from ....cache.flights import Flight, Flights
from ....observability.context import user_id
from ..errors import InvalidToken
from ..events import CREDENTIAL_REFUSED
from .checking import Checking, left_s_of
from .entries import Checked
from .log import ForgottenLog, Line
from .near import Near
from .principal import Identity
from .shared import SharedEntries
from .sources import CredentialSource
from .verifier import TokenVerifier

__all__ = ["FOUND", "NEAR_S", "Identities"]

FOUND: Final = "fastforge.identity"
"""Where the scope of a request has what was found, so that it is looked for once."""
NEAR_S: Final = 1.0
REFUSED_S: Final = 5.0


class Identities:
    """Knows whoever asks, in one process.

    Args:
        sources: Where a credential may stand.
        checking: The real check.
        log: What was forgotten.
        shared: The cache that all processes have in common.
        key_type: The type of the user model's key, which verifiers give as text.
        tells_user: Whether lines of the log name the user.

    Attributes:
        checking: The real check.
        log: What was forgotten.
        counts: How often it was told who asks, by which way.
        near: What is remembered of good credentials, by the token.
        refused: Why others were refused, by the key of the token.
    """

    def __init__(
        self,
        *,
        sources: Iterable[CredentialSource],
        checking: Checking,
        log: ForgottenLog,
        shared: SharedEntries,
        key_type: Callable[[Any], object] = str,
        tells_user: bool,
    ) -> None:
        self._key_type: Final = key_type
        self._sources: Final = sorted(sources, key=attrgetter("order"))
        self.checking: Final = checking
        self._shared: Final = shared
        self._tells_user: Final = tells_user
        self._flights: Final[Flights[Checked]] = Flights()
        self.log: Final = log
        self.counts: Final = dict.fromkeys(("near", "shared", "checked", "refused"), 0)
        self.near: Final[Near[Checked]] = Near(ttl_s=NEAR_S)
        self.refused: Final[Near[str]] = Near(ttl_s=REFUSED_S)
        log.on_forgotten(self._forget)

    async def of(self, scope: Scope) -> Identity | None:
        """Return who sends a request or has opened a socket; None without a credential.

        Raises:
            InvalidToken: There is a credential, and it is not good.
        """
        if FOUND in scope:
            found: Identity | None = scope[FOUND]
            return found
        identity = await self._of_sources(HTTPConnection(scope))
        scope[FOUND] = identity
        if self._tells_user and identity is not None:
            user_id.set(str(identity.id))
        return identity

    async def of_token(self, token: str) -> Identity:
        """Return whose token it is.

        Raises:
            InvalidToken: It is nobody's, has ended or was revoked.
        """
        entry = self.near.found.get(token)
        if entry is not None:
            now = time.monotonic()
            (identity, _, position), until = entry
            log = self.log
            if now < until and now < log.fresh_until and log.allows(identity, position):
                log.asked = True
                self.counts["near"] += 1
                return identity
        try:
            return (await self._looked_up(token)).identity
        except InvalidToken:
            self.counts["refused"] += 1
            raise

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

    async def _of_sources(self, connection: HTTPConnection) -> Identity | None:
        """Return who the first source that has a credential says."""
        for source in self._sources:
            token = source.read(connection)
            if token is not None:
                try:
                    return await self.of_token(token)
                except InvalidToken:
                    if not source.lenient:
                        raise
                    return None
        return None

    async def _looked_up(self, token: str) -> Checked:
        may_remember = await self.log.confirmed()
        if may_remember:
            near = self.near.get(token)
            if near is not None and self.log.allows(near.identity, near.position):
                self.counts["near"] += 1
                return near
        verifier = self.checking.verifier(token)  # a guess with a wrong signature ends here
        key = self._shared.entries.key(token)
        reason = self.refused.get(key)
        if reason is not None:
            raise InvalidToken(reason)

        async def find(_flight: Flight[Checked]) -> Checked:
            return await self._found(key, token, verifier, may_remember=may_remember)

        while True:
            checked, was_asked_here = await self._flights.run(key, find)
            # What another request has begun to ask may be older than what this one knows.
            if was_asked_here or self.log.allows(checked.identity, checked.position):
                return checked

    async def _found(
        self, key: str, token: str, verifier: TokenVerifier, *, may_remember: bool
    ) -> Checked:
        checked = await self._shared.read(key) if may_remember else None
        try:
            if checked is None or not self._holds(checked, verifier):
                checked = await self.checking.check(verifier, token)
                self.counts["checked"] += 1
                await self._shared.write(key, checked)
            else:
                self.counts["shared"] += 1
            checked = checked._replace(identity=self._keyed(checked.identity))
        except InvalidToken as error:
            self.refused.put(key, error.reason)
            _tell(verifier, error)
            raise
        self.near.put(token, checked, left_s=left_s_of(checked.identity))
        return checked

    def _holds(self, checked: Checked, verifier: TokenVerifier) -> bool:
        """Return whether what others have checked is good here and now."""
        identity, name, position = checked
        is_good = left_s_of(identity) > 0 and self.log.allows(identity, position)
        # One of a later line than we know may be of another table, such as that of a backup.
        return is_good and position <= self.log.position and name == verifier.name

    def _forget(self, line: Line) -> None:
        """Forget what a line may be about; one that is void is found out when it is asked for."""
        self.refused.found.clear()  # somebody may have been let in again
        if line.user_id is None and line.token_id is None:
            self.near.found.clear()


def _tell(verifier: TokenVerifier, error: InvalidToken) -> None:
    """Say why a credential is refused: once for each check, and no word to whoever sent it."""
    CREDENTIAL_REFUSED.write(reason=error.reason, verifier=verifier.name)
