"""The credential of the cookie."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from ..auth import credential_source
from .visit import ASKED_EARLY, Visit, visit_here

__all__ = ["session_cookie"]


@credential_source(order=50, lenient=True)
def session_cookie(connection: HTTPConnection) -> str | None:
    """Return the secret of the session, if somebody has logged in in this browser."""
    visit = visit_here.get()
    if visit is None:  # a layer asks that stands around ours, such as that of rate limits
        connection.scope[ASKED_EARLY] = True
        visit = Visit(connection.scope)
    return visit.credential()
