"""Texts: the three forms of our own opaque tokens, and what makes a guess none of them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from ....signing import Keys

__all__ = ["ACCESS", "API_KEY", "FORMS", "REFRESH", "TokenForm", "decoded", "encoded"]

_MAC_BYTES: Final = 32


def encoded(data: bytes) -> str:
    """Return bytes in the letters that URLs and headers carry."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes | None:
    """Return the bytes of what `encoded` wrote; None for any other text, also one that is near.

    One value has one spelling: what is not exactly what would be written is refused.
    """
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:  # no base64 (binascii.Error), or not ASCII
        return None
    return data if encoded(data) == text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForm:
    """One kind of token: a prefix that scanners for secrets find, so many bytes, and their MAC.

    Args:
        prefix: What the text begins with; a part of what is signed.
        size: How many bytes are in it. With the MAC a multiple of three: no spare bits.
    """

    prefix: str
    size: int

    @property
    def length(self) -> int:
        """How long each text is."""
        return len(self.prefix) + (self.size + _MAC_BYTES) * 4 // 3

    def write(self, keys: Keys, body: bytes) -> str:
        """Return the text of some bytes, signed."""
        return self.prefix + encoded(body + keys.sign(self.prefix.encode() + body))

    def has_shape(self, text: str) -> bool:
        """Return whether a text may be one of these."""
        return len(text) == self.length and text.startswith(self.prefix)

    def read(self, keys: Keys, text: str) -> bytes | None:
        """Return the bytes of a text; None if we did not write it, for this, with these keys."""
        data = decoded(text[len(self.prefix) :]) if self.has_shape(text) else None
        if data is None:
            return None
        body, mac = data[: self.size], data[self.size :]
        return body if keys.verify(self.prefix.encode() + body, mac) else None


ACCESS: Final = TokenForm(prefix="ffa_", size=16 + 5 + 7)
"""The handle of its family, when it expires, and what tells it from the others."""
REFRESH: Final = TokenForm(prefix="ffr_", size=16 + 4 + 32)
"""The handle of its family, its generation, and its secret."""
API_KEY: Final = TokenForm(prefix="ffk_", size=28)
"""A secret."""
FORMS: Final = (ACCESS, REFRESH, API_KEY)
