"""Origins: whose pages may open a web socket, which no browser asks about first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["SocketOrigins"]

EVERY_ORIGIN: Final = "*"
_HERE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""On one machine a page and the server it talks with are often called by different ones."""
_HOST: Final = r"(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
_PORTED: Final = re.compile(_HOST)
_ORIGIN: Final = re.compile(rf"[a-z][a-z0-9+.-]*://{_HOST}")


class SocketOrigins:
    """Says whether a page may open a socket: those of the same host, and those that are named.

    Browsers send cookies along with a handshake whichever page opens it, and let its scripts read
    what comes: without this, every page of the web could speak as whoever has logged in. The port
    does not count, as it does not for cookies.

    ```python
    allows = SocketOrigins(["https://pages.example"])
    assert allows(b"https://shop.example", host=b"shop.example:8000")
    assert not allows(b"https://evil.example", host=b"shop.example")
    ```

    Args:
        named: Other origins, `https://shop.example`; `*` for every one.
        pattern: A regular expression for more of them; it has to match the whole origin.
    """

    __slots__ = ("_named", "_pattern")

    def __init__(self, named: Iterable[str] = (), pattern: str = "") -> None:
        self._named = frozenset(named)
        self._pattern = re.compile(pattern) if pattern else None

    def __call__(self, origin: bytes, *, host: bytes) -> bool:
        text = origin.decode("latin-1").lower()
        if EVERY_ORIGIN in self._named or text in self._named:
            return True
        if self._pattern is not None and self._pattern.fullmatch(text):
            return True
        theirs, ours = _ORIGIN.fullmatch(text), _PORTED.fullmatch(host.decode("latin-1").lower())
        return theirs is not None and ours is not None and _name(theirs) == _name(ours)


def _name(found: re.Match[str]) -> str:
    name = found["host"].removesuffix(".")
    return "localhost" if name in _HERE else name
