"""The credential of the Authorization header."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from .identity.header import header_token
from .identity.sources import credential_source

__all__ = ["authorization_header"]


@credential_source(order=0)
def authorization_header(connection: HTTPConnection) -> str | None:
    """Return the token of the header, if it has the scheme of AUTH."""
    return header_token(connection.scope)
