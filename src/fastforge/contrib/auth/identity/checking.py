"""Checking: the real check of a credential, so many at the same time, each once for all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from ....signing import now_s
from ..errors import InvalidToken, VerifyingBusy
from .entries import Checked
from .log import ForgottenLog
from .principal import Identity
from .verifier import TokenVerifier

__all__ = ["Checking", "left_s_of"]

ATTEMPTS: Final = 3


def left_s_of(identity: Identity) -> float:
    """Return for how long a credential is good."""
    return float("inf") if identity.expires_at is None else identity.expires_at - now_s()


class Checking:
    """Asks the verifiers.

    Args:
        verifiers: What knows whose a token is.
        log: What was forgotten.
        concurrency: How many are asked at the same time.
        queue: How many more may wait for that.

    Attributes:
        waiting: How many do.
    """

    def __init__(
        self,
        verifiers: Iterable[TokenVerifier],
        log: ForgottenLog,
        *,
        concurrency: int,
        queue: int,
    ) -> None:
        self._verifiers: Final = tuple(verifiers)
        self._log: Final = log
        self._places: Final = asyncio.Semaphore(concurrency)
        self._queue: Final = queue
        self.waiting = 0

    def verifier(self, token: str) -> TokenVerifier:
        """Return who knows tokens like this one; nobody is asked.

        Raises:
            InvalidToken: Nobody does.
        """
        for verifier in self._verifiers:
            if verifier.accepts(token):
                return verifier
        raise InvalidToken("no verifier knows tokens like it")

    async def check(self, verifier: TokenVerifier, token: str) -> Checked:
        """Return what the real check says.

        What is forgotten while it runs may have been read before: then it is asked again.

        Raises:
            InvalidToken: It is nobody's, has ended or was revoked.
            VerifyingBusy: As many wait as may.
        """
        async with _Place(self):
            for _ in range(ATTEMPTS):
                position = self._log.position
                identity = await verifier.verify(token)
                if left_s_of(identity) <= 0:
                    raise InvalidToken("it has ended")
                if self._log.allows(identity, position):
                    return Checked(identity, verifier.name, position)
        raise InvalidToken("it was revoked again and again while it was checked")

    async def enter(self) -> None:
        """Wait for a place.

        Raises:
            VerifyingBusy: As many wait as may.
        """
        if self._places.locked() and self.waiting >= self._queue:
            raise VerifyingBusy(
                f"{self.waiting} credentials wait to be checked already",
                code="auth.E019",
                hint="AUTH.verify_concurrency and verify_queue say how many may",
            )
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1

    def leave(self) -> None:
        """Give a place back."""
        self._places.release()


class _Place:
    __slots__ = ("_checking",)

    def __init__(self, checking: Checking) -> None:
        self._checking = checking

    async def __aenter__(self) -> None:
        await self._checking.enter()

    async def __aexit__(self, *_: object) -> None:
        self._checking.leave()
