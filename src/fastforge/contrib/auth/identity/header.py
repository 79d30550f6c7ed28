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
    values = [value for name, value in scope["headers"] if name == _NAME]
    if not values:
        return None
    wanted = current_container().settings.section(Auth).scheme.lower().encode("ascii")
    if len(values) == 1:
        return _checked(values[0]) if _word(values[0]) == wanted else None
    if any(_word(value) == wanted for value in values):
        raise InvalidToken("there are two Authorization headers")
    return None


def _word(value: bytes) -> bytes:
    return value.strip().partition(b" ")[0].lower()


def _checked(value: bytes) -> str:
    token = value.strip().partition(b" ")[2].strip()
    if not 0 < len(token) <= LONGEST_TOKEN:
        raise InvalidToken("the header has no token, or one that is too long")
    text = token.decode("latin-1")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidToken("the token has characters that none has")
    return text
