"""CSRF: what changes something with the cookie has to come from a page of ours.

It is asked where the cookie is used: by whatever authenticates with it, and by `Session`. A route
that does neither is nobody's to forge, and one that is called with a token in a header neither.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from starlette.types import Scope

from ...exceptions import Location
from ...signing import Keys
from ..auth import Auth
from .errors import CsrfRefused, SessionError
from .events import CSRF_REFUSED
from .origins import SAFE_METHODS, Sender, sender_of
from .settings import Sessions

if TYPE_CHECKING:
    from ...conf import Settings

__all__ = ["FIELD", "HEADER", "Csrf", "csrf_exempt"]

FIELD: Final = "csrf_token"
"""The field of a form that has the token."""
HEADER: Final = b"x-csrf-token"
_NONCE_BYTES: Final = 16
_EXEMPT: Final = "__fastforge_csrf_exempt__"

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Csrf:
    """The rules of a project: who may send what changes something, and what proves it.

    Attributes:
        trusted: Other origins whose pages are ours.
    """

    trusted: Collection[str]
    _scheme: bytes
    _keys: Keys

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return those of a project.

        Raises:
            SettingsError: SECRET_KEY is not set.
        """
        trusted = frozenset(settings.section(Sessions).trusted_origins)
        scheme = settings.section(Auth).scheme.lower().encode("ascii")
        return cls(trusted, scheme, Keys.of(settings, "sessions.csrf"))

    def token(self, secret: str) -> str:
        """Return a token for the pages of a session; each time another one, all of them good.

        Args:
            secret: The session's; empty for a browser that has none.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return urlsafe_b64encode(nonce + self._keys.sign(nonce + secret.encode())).decode("ascii")

    def is_token(self, text: str, secret: str) -> bool:
        """Return whether a text is a token for the pages of a session."""
        try:
            data = urlsafe_b64decode(text.encode("ascii"))
        except ValueError:  # a UnicodeEncodeError is one
            return False
        nonce, mac = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
        return self._keys.verify(nonce + secret.encode(), mac)

    def admit(self, scope: Scope, secret: str, field: str = "") -> None:
        """Let a request go on, or refuse it.

        Args:
            scope: That of the request or socket.
            secret: What its cookie says; empty where it has none.
            field: What its form has as the token.

        Raises:
            CsrfRefused: It would change something, and another site's page may have sent it.
        """
        if is_harmless(scope) or self._has_header(scope) or is_exempt(scope.get("endpoint")):
            return
        sender = sender_of(scope, self.trusted)
        # Before it is routed nobody is refused: whoever asks then takes the client for nobody.
        is_told = "endpoint" in scope
        if sender is Sender.FOREIGN:
            raise _refused("foreign", "it was sent by a page of another origin", is_told=is_told)
        # A browser that keeps no cookie of ours has nothing that could be abused.
        if sender is Sender.UNKNOWN and secret and not self._has_token(scope, secret, field):
            problem = "nothing tells that one of our pages has sent it"
            raise _refused("no_token", problem, is_told=is_told)

    def needs_field(self, scope: Scope) -> bool:
        """Return whether a request is nobody's until its form is read."""
        if is_harmless(scope) or any(name == HEADER for name, _ in scope["headers"]):
            return False
        return sender_of(scope, self.trusted) is Sender.UNKNOWN

    def _has_header(self, scope: Scope) -> bool:
        """Return whether a token is sent in a header, which no page can do that may not."""
        return any(
            name == b"authorization" and value.partition(b" ")[0].lower() == self._scheme
            for name, value in scope["headers"]
        )

    def _has_token(self, scope: Scope, secret: str, field: str) -> bool:
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == HEADER]
        return any(self.is_token(text, secret) for text in sent or [field])


def is_harmless(scope: Scope) -> bool:
    """Return whether a request changes nothing; a socket may."""
    return scope["type"] == "http" and scope["method"] in SAFE_METHODS


def csrf_exempt(handler: F) -> F:
    """Let any page send what a handler takes, with the cookie.

    ```python
    @router.post("/saml/acs")
    @csrf_exempt
    async def signed_in(answer: Annotated[str, Form()], session: Session) -> Response: ...
    ```

    For what another site has to send, where something in the request proves who did. A route that
    uses no session needs it not: what comes with an API key or a signature is not asked.

    Surprises: it stands below the decorator of the route.

    Args:
        handler: The function of a route.

    Raises:
        SessionError: It decorates no function.
    """
    if not _can_be_marked(handler):
        raise _refused_mark(handler)
    setattr(handler, _EXEMPT, True)
    return handler


def _can_be_marked(handler: object) -> bool:
    return callable(handler) and not isinstance(handler, type) and hasattr(handler, "__dict__")


def _refused_mark(handler: object) -> SessionError:
    return SessionError(
        f"@csrf_exempt decorates {handler!r}, which handles no request",
        code="sessions.E015",
        hint="let it stand above the function, without brackets: @csrf_exempt",
        where=Location.of(handler) if callable(handler) else None,
    )


def is_exempt(endpoint: object) -> bool:
    """Return whether an endpoint is marked."""
    return getattr(endpoint, _EXEMPT, False) is True


def _refused(reason: str, problem: str, *, is_told: bool) -> CsrfRefused:
    if is_told:
        CSRF_REFUSED.tell(reason=reason)
    return CsrfRefused(
        f"the request was refused to protect you: {problem}",
        code="sessions.E014",
        hint="name the origin in SESSIONS.trusted_origins, or send the token as X-CSRF-Token or as"
        " the form's field csrf_token",
    )
