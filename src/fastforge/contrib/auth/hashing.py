"""Hashing: what is done with a password in a thread, and what is never hashed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..._modules import import_object
from .library import Argon2Hasher, HasherProtocol
from .settings import Auth

__all__ = ["LONGEST_BYTES", "Hashing", "Verdict", "is_usable"]

LONGEST_BYTES: Final = 1024
"""A longer one is no password: hashing it would only cost."""


def is_usable(password: str) -> bool:
    """Return whether something can be anybody's password at all.

    Text of 1 to 1,024 bytes, without a NUL, at which some hashes would end. It is asked before
    anything is hashed or looked up.
    """
    if not 0 < len(password) <= LONGEST_BYTES or "\0" in password:
        return False
    try:
        return len(password.encode()) <= LONGEST_BYTES
    except UnicodeEncodeError:  # half of a character
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of comparing a password with a hash.

    Args:
        is_right: Whether it is the password.
        replacement: The hash that belongs in the place of one with other parameters.
        is_readable: Whether any hasher knew the form of the hash.
    """

    is_right: bool
    replacement: str | None = None
    is_readable: bool = True


class Hashing:
    """argon2id, with parameters; and hashers that read old forms. It blocks.

    A password is hashed in its NFKC form: the same keys give other code points on another
    system. Old hashes are compared with what was typed, as their system did.

    Args:
        memory_kib: The memory of one hash, in KiB.
        iterations: How often it goes over it.
        parallelism: In how many lanes.
        old: What reads other hashes.
    """

    def __init__(
        self,
        *,
        memory_kib: int,
        iterations: int,
        parallelism: int = 1,
        old: Iterable[HasherProtocol] = (),
    ) -> None:
        self._argon2 = Argon2Hasher(
            time_cost=iterations,
            memory_cost=max(memory_kib, 8 * parallelism),
            parallelism=parallelism,
        )
        self._old: Final[Sequence[HasherProtocol]] = tuple(old)

    @classmethod
    def of(cls, config: Auth, environment: str) -> Hashing:
        """Return what AUTH asks for.

        Raises:
            ImportError: An old hasher, or what it needs, is not there.
            AttributeError: Its module has no such class.
        """
        return cls(
            memory_kib=config.memory_kib_in(environment),
            iterations=config.iterations_in(environment),
            parallelism=config.argon2_parallelism,
            old=[import_object(name)() for name in config.old_hashers],
        )

    def hash(self, password: str) -> str:
        """Return the hash of a usable password."""
        return self._argon2.hash(unicodedata.normalize("NFKC", password))

    def verify(self, password: str, stored: str | None) -> Verdict:
        """Compare a usable password with a hash.

        Without one the password is hashed for nothing: a stranger cannot tell by the time whether
        there was one.
        """
        if stored is None:
            self.hash(password)
            return Verdict(is_right=False)
        if self._argon2.identify(stored):
            return self._by_argon2(password, stored)
        for hasher in self._old:
            if hasher.identify(stored):
                is_right = _by_old(hasher, password, stored)
                return Verdict(
                    is_right=is_right, replacement=self.hash(password) if is_right else None
                )
        self.hash(password)
        return Verdict(is_right=False, is_readable=False)

    def _by_argon2(self, password: str, stored: str) -> Verdict:
        if not self._argon2.verify(unicodedata.normalize("NFKC", password), stored):
            return Verdict(is_right=False)
        is_old = self._argon2.check_needs_rehash(stored)
        return Verdict(is_right=True, replacement=self.hash(password) if is_old else None)


def _by_old(hasher: HasherProtocol, password: str, stored: str) -> bool:
    try:
        return hasher.verify(password, stored)
    except ValueError:  # bcrypt, of a password that is longer than it reads
        return False
