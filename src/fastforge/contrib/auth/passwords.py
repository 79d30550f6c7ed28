"""Passwords: hashing beside the event loop, so much at the same time and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple

from pydantic import SecretStr

from ...offloading import Limiter, OffloadBusy, offload
from .errors import HashingBusy, refused
from .hashing import Hashing, Verdict, is_usable
from .rules import unusable

__all__ = ["PasswordHashing"]

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class PasswordHashing:
    """Hashes and compares passwords in threads: AUTH.hashing_threads of them, and a bounded queue.

    So the memory of all hashes of a process is at most their number times the memory of one.

    Args:
        hashing: What is done in a thread.
        threads: How many at the same time.
        queue: How many more may wait.
    """

    def __init__(self, hashing: Hashing, *, threads: int, queue: int) -> None:
        self._hashing: Final = hashing
        self.limiter: Final = Limiter("passwords", threads, max_waiting=queue)

    async def hash(self, password: str) -> SecretStr:
        """Return the hash of a password, whatever the rules say of it.

        Raises:
            PasswordRefused: It is empty, longer than 1,024 bytes, or no text.
            HashingBusy: As many wait as may; in HTTP a 503.
        """
        if not is_usable(password):
            raise refused([unusable()])
        return SecretStr(await self._offloaded(self._hashing.hash, password))

    async def verify(self, password: str, stored: SecretStr | None) -> Verdict:
        """Compare a password with a hash: one hash is worked out, whatever comes of it.

        Surprises: without a hash it takes as long. A password that cannot be one is wrong, and
        takes no time.

        Raises:
            HashingBusy: As many wait as may; in HTTP a 503.
        """
        if not is_usable(password):
            return Verdict(is_right=False)
        text = None if stored is None else stored.get_secret_value()
        return await self._offloaded(self._hashing.verify, password, text)

    async def _offloaded(self, work: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        try:
            return await offload(work, *arguments, limiter=self.limiter)
        except OffloadBusy as error:
            limiter = self.limiter
            raise HashingBusy(
                f"{limiter.limit} passwords are being hashed and {limiter.max_waiting} wait",
                code="auth.E011",
                hint="AUTH.hashing_threads and hashing_queue say how many may",
            ) from error
