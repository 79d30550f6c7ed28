"""Keys: each purpose has its own, so that what is signed for one is nothing for another."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from ..exceptions import SettingsError

if TYPE_CHECKING:
    from ..conf import Settings

__all__ = ["Keys"]

_CONTEXT: Final = b"fastforge.signing.v1\0"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one purpose: one from SECRET_KEY, and one from each of SECRET_KEY_FALLBACKS.

    ```python
    keys = Keys.of(project.settings, "shop.vouchers")
    mac = keys.sign(b"20 EUR for Ann")
    assert keys.verify(b"20 EUR for Ann", mac)
    assert not keys.verify(b"90 EUR for Ann", mac)
    ```

    Attributes:
        all: The newest first, 32 bytes each.
    """

    all: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, settings: Settings, purpose: str) -> Self:
        """Return the keys of a purpose. They are made anew, and that is cheap.

        Without SECRET_KEY there are none, in development neither: keys by chance would differ
        between the server and the worker, and from one start to the next.

        Args:
            settings: Of the project.
            purpose: What is signed, in words that nobody else uses: `shop.vouchers`.

        Raises:
            SettingsError: SECRET_KEY is not set.
        """
        if not settings["SECRET_KEY"]:
            raise SettingsError(
                f"SECRET_KEY is not set, and {purpose} is signed with it",
                code="signing.E001",
                hint='write SECRET_KEY = env.secret("SECRET_KEY"), and make one with:'
                ' python -c "import secrets; print(secrets.token_urlsafe(48))"',
                where=settings.where("SECRET_KEY"),
            )
        secrets: list[str] = [settings["SECRET_KEY"], *settings["SECRET_KEY_FALLBACKS"]]
        about = _CONTEXT + purpose.encode()
        return cls(tuple(hmac.digest(secret.encode(), about, "sha256") for secret in secrets))

    @property
    def newest(self) -> bytes:
        """The key that signs."""
        return self.all[0]

    def sign(self, data: bytes) -> bytes:
        """Return the 32 bytes by which `data` is known again: HMAC-SHA-256 with the newest key."""
        return hmac.digest(self.newest, data, "sha256")

    def verify(self, data: bytes, mac: bytes) -> bool:
        """Return whether one of the keys has signed `data`, taking as long if it is nearly so."""
        known = [hmac.compare_digest(hmac.digest(key, data, "sha256"), mac) for key in self.all]
        return any(known)
