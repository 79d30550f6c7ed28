"""Header: the token in an Authorization header of the scheme that AUTH names."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

from ....lifecycle import current_container
from ..errors import InvalidToken
from ..settings import Auth

__all__ = ["LONGEST_TOKEN", "header_token"]

LONGEST_TOKEN: Final = 8192
_NAME: Final = b"authorization"


def header_token(scope: Scope) -> str | None:
    """Return the token of a request's Authorization header, or None where there is none.

    A header of another scheme, such as a proxy's Basic, is none of ours.

    Args:
        scope: That of the request or socket.

    Raises:
        InvalidToken: It cannot be a token, or there are two headers.
        ContainerMissing: No project runs here.
    """
    found = [value for name, value in scope["headers"] if name == _NAME]
    if not found:
        return None
    wanted = current_container().settings.section(Auth).scheme
    tokens = [token for value in found if (token := _token(value, wanted)) is not None]
    if not tokens:
        return None
    if len(found) > 1:
        raise InvalidToken("there are two Authorization headers")
    return _checked(tokens[0])


def _token(value: bytes, wanted: str) -> bytes | None:
    scheme, _, token = value.strip().partition(b" ")
    is_ours = scheme.lower() == wanted.lower().encode("ascii")
    return token.strip() if is_ours else None


def _checked(token: bytes) -> str:
    if not 0 < len(token) <= LONGEST_TOKEN:
        raise InvalidToken("the header has no token, or one that is too long")
    text = token.decode("latin-1")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidToken("the token has characters that none has")
    return text
