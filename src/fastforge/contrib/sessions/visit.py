"""Visit: one request or socket, and what it has to do with the session of its browser."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from starlette.types import Scope

from ..db import session as new_unit
from ..db.sessions.unit import required_session
from .errors import NoSession
from .keeper import Keeper
from .resources import keeper_here, store_here
from .saving import Cookie, save
from .secrets import USER
from .session import WebSession

__all__ = ["ASKED_EARLY", "Visit", "visit_here", "visit_now"]

ASKED_EARLY: Final = "fastforge.session_asked"
"""Stands in the scope of a request whose cookie a layer around this one has asked for."""


class Visit:
    """What is known of a browser's session while one of its requests is answered.

    Nothing is read, not even the cookie, before somebody asks.

    Args:
        scope: That of the request or socket.

    Attributes:
        field: What the form has as the token against CSRF.
        is_used: Whether the answer may depend on the cookie.
        opened: The session, once somebody has asked for it.
    """

    __slots__ = ("_keeper", "_secret", "field", "is_used", "opened", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.field = ""
        self.is_used = ASKED_EARLY in scope
        self.opened: WebSession | None = None
        self._keeper: Keeper | None = None
        self._secret: str | None = None

    @property
    def keeper(self) -> Keeper:
        """The rules of the project."""
        if self._keeper is None:
            self._keeper = keeper_here()
        return self._keeper

    @property
    def secret(self) -> str:
        """What the cookie says, if it is one of ours; else empty."""
        if self._secret is None:
            sent = self.keeper.cookies.read(self.scope)
            self._secret = sent if sent and self.keeper.secrets.is_ours(sent) else ""
        return self._secret

    def credential(self) -> str | None:
        """Return what authenticates the request, if somebody has logged in in its browser.

        Raises:
            CsrfRefused: It would change something, and another site's page may have sent it.
        """
        self.is_used = True
        if not self.secret.startswith(USER):
            return None
        self.keeper.csrf.admit(self.scope, self.secret, self.field)
        return self.secret

    def session(self) -> WebSession:
        """Return the session; nothing is read yet.

        Raises:
            CsrfRefused: As `credential`.
        """
        self.is_used = True
        if self.opened is None:
            self.keeper.csrf.admit(self.scope, self.secret, self.field)
            self.opened = WebSession(self.keeper, store_here(), self.secret)
            if self.scope["type"] == "websocket":
                self.opened.close("a socket has no answer that it could be saved with")
        return self.opened

    def csrf_token(self) -> str:
        """Return a token for the pages of this browser."""
        self.is_used = True
        secret = self.secret if self.opened is None else self.opened.current_secret
        return self.keeper.csrf.token(secret)

    async def save(self) -> Cookie | None:
        """Write what was changed, with the transaction of the request where there is one."""
        session = self.opened
        if session is None or not session.changes:
            return None
        db = required_session()
        if db.in_atomic:
            return await save(session, db)
        async with new_unit() as own, own.atomic():
            return await save(session, own)


visit_here: Final[ContextVar[Visit | None]] = ContextVar("fastforge_visit", default=None)
"""Set by the layer of a request; others read it with `visit_now`."""


def visit_now() -> Visit:
    """Return the visit that is answered here.

    Raises:
        NoSession: No request or socket is.
    """
    visit = visit_here.get()
    if visit is None:
        raise NoSession(
            "there is no request here whose browser could have a session",
            code="sessions.E017",
            hint="give a job or a command what it needs as arguments",
        )
    return visit
