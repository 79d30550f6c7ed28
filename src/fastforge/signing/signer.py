"""Signer: JSON as a text for links and cookies, which all can read and nobody else can make."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any, Self

from .clock import now_s
from .errors import BadSignature, SignatureExpired, SigningError
from .keys import Keys

if TYPE_CHECKING:
    from ..conf import Settings

__all__ = ["Signer"]


@dataclass(frozen=True, slots=True)
class Signer:
    """Seals values for a while: a link in a mail, a field of a form, a cookie.

    What is sealed is not hidden: whoever has the text can read it. It holds as often as it is
    shown, until it expires; for a single use put something into it that the use changes, as the
    `version` of a user.

    ```python
    signer = Signer.of(project.settings, "shop.unsubscribe")
    text = signer.seal({"reader": 7}, ttl_s=3600)
    assert signer.open(text) == {"reader": 7}
    ```
    """

    keys: Keys

    @classmethod
    def of(cls, settings: Settings, purpose: str) -> Self:
        """Return the signer of a purpose.

        Args:
            settings: Of the project.
            purpose: What is signed, in words that nobody else uses: what another one has sealed
                does not open here.

        Raises:
            SettingsError: SECRET_KEY is not set.
        """
        return cls(Keys.of(settings, purpose))

    def seal(self, payload: Any, *, ttl_s: float) -> str:
        """Return a text that can stand in a URL, in a header or in a cookie.

        Args:
            payload: What JSON can write.
            ttl_s: How long it opens, in seconds.

        Raises:
            SigningError: JSON cannot write the payload.
        """
        try:
            expires_at = floor((now_s() + ttl_s) * 1000) / 1000  # no longer than was said
            body = json.dumps([expires_at, payload], separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise SigningError(
                f"a {type(payload).__name__} cannot be sealed: {error}",
                code="signing.E004",
                hint="seal what JSON can write: texts, numbers, lists, dicts",
            ) from error
        encoded = _encode(body.encode())
        return f"{encoded}.{_encode(self.keys.sign(encoded.encode()))}"

    def open(self, text: str) -> Any:
        """Return what was sealed.

        Args:
            text: As `seal` gave it. Anything may come here.

        Raises:
            SignatureExpired: It is older than its `ttl_s`.
            BadSignature: It was not sealed here for this purpose, or was changed since.
        """
        encoded, _, mac = text.partition(".")
        # Compared as it was written, too: one signature is not to have several spellings.
        if not text.isascii() or not self.keys.verify(encoded.encode(), _decode(mac)):
            raise BadSignature("the signature is not one of this application", code="signing.E002")
        expires_at, payload = json.loads(_decode(encoded))
        if now_s() >= expires_at:
            raise SignatureExpired(
                "the signature has expired", code="signing.E003", hint="ask for a new one"
            )
        return payload


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Return the bytes of a text that `_encode` has written; none for every other."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:  # no base64 (binascii.Error), or not ASCII
        return b""
    return data if _encode(data) == text else b""
