"""Secrets: what stands in a cookie, and what is known of it elsewhere."""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ...signing import Keys

if TYPE_CHECKING:
    from ...conf import Settings

__all__ = ["USER", "Secrets"]

USER: Final = "fsu_"
"""How the secret of somebody's session begins: a credential, which its verifier knows by it."""
GUEST: Final = "fsg_"
"""How that of a browser begins in which nobody has logged in: it opens no door."""
_RANDOM_BYTES: Final = 25
"""With the 32 of the signature a multiple of 3: base64 then has one spelling of each secret."""
_BYTES: Final = _RANDOM_BYTES + 32
_LENGTH: Final = len(USER) + _BYTES // 3 * 4


@dataclass(frozen=True, slots=True)
class Secrets:
    """Makes secrets, tells ours from others without asking anybody, and hides them from the table.

    A secret is random bytes and their signature: a guess, or the cookie of another project, is
    refused before any look-up. The table has a keyed hash of it: who has taken the table has
    nothing that a server would take from a browser.
    """

    _signing: Keys
    _hiding: Keys

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return those of a project.

        Raises:
            SettingsError: SECRET_KEY is not set.
        """
        return cls(Keys.of(settings, "sessions.cookie"), Keys.of(settings, "sessions.table"))

    def new(self, *, for_user: bool) -> str:
        """Return another secret, for a browser in which somebody has logged in or nobody has."""
        begin, chance = USER if for_user else GUEST, os.urandom(_RANDOM_BYTES)
        return begin + _encoded(chance + self._signing.sign(begin.encode() + chance))

    def is_ours(self, text: str) -> bool:
        """Return whether a text is a secret that was made here."""
        begin, rest = text[: len(USER)], text[len(USER) :]
        if len(text) != _LENGTH or begin not in (USER, GUEST):
            return False
        try:
            data = urlsafe_b64decode(rest.encode("ascii"))
        except ValueError:  # a UnicodeEncodeError is one
            return False
        if len(data) != _BYTES or _encoded(data) != rest:
            return False
        chance, mac = data[:_RANDOM_BYTES], data[_RANDOM_BYTES:]
        return self._signing.verify(begin.encode() + chance, mac)

    def hashes(self, secret: str) -> tuple[bytes, ...]:
        """Return what the table may have of a secret: by the newest key, and by older ones."""
        return tuple(hmac.digest(key, secret.encode(), "sha256") for key in self._hiding.all)


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii")
