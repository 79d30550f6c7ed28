"""Cookies: the one of the session, as a browser sends it and as it is told to keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from starlette.types import Scope

from .settings import Sessions

if TYPE_CHECKING:
    from ...conf import Settings

__all__ = ["Cookies"]

PLAIN_NAME: Final = "session"
HOST_NAME: Final = "__Host-session"
"""Browsers take it over HTTPS alone, from the host itself and not from a subdomain."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads the cookie of a request, and writes that of an answer.

    Attributes:
        secure: Whether it is for HTTPS alone; None: where the request came so.
    """

    secure: bool | None
    same_site: str
    is_persistent: bool

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return those of a project."""
        config = settings.section(Sessions)
        secure = config.secure_in(settings.environment)
        return cls(secure, config.same_site, config.is_persistent)

    def read(self, scope: Scope) -> str:
        """Return what the cookie of a request says, or an empty text.

        Of several the first one counts: browsers send the one with the longer path first, and no
        other site can set one of the name `__Host-session`.
        """
        wanted = self._name(scope)
        for name, value in scope["headers"]:
            if name == b"cookie":
                for pair in str(value, "latin-1").split(";"):
                    key, _, text = pair.partition("=")
                    if key.strip() == wanted:
                        return text.strip().strip('"')
        return ""

    def write(self, scope: Scope, secret: str, *, max_age_s: int) -> tuple[bytes, bytes]:
        """Return the header that lets a browser keep a secret."""
        return self._header(scope, secret, max_age_s if self.is_persistent else None)

    def delete(self, scope: Scope) -> tuple[bytes, bytes]:
        """Return the header that lets a browser forget the cookie."""
        return self._header(scope, "", 0)

    def _header(self, scope: Scope, value: str, max_age_s: int | None) -> tuple[bytes, bytes]:
        parts = [f"{self._name(scope)}={value}", "Path=/"]
        if max_age_s is not None:
            parts.append(f"Max-Age={max_age_s}")
        parts += ["HttpOnly", f"SameSite={self.same_site.capitalize()}"]
        if self._is_secure(scope):
            parts.append("Secure")
        return b"set-cookie", "; ".join(parts).encode("latin-1")

    def _name(self, scope: Scope) -> str:
        return HOST_NAME if self._is_secure(scope) else PLAIN_NAME

    def _is_secure(self, scope: Scope) -> bool:
        if self.secure is not None:
            return self.secure
        return scope.get("scheme") in ("https", "wss")
