"""People: who opens the socket of a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...channels.sockets.connection import Principal

__all__ = ["Browser", "Somebody", "handshake_of", "principal_of"]


class Browser(Protocol):
    """What sends requests with headers and cookies of its own: the fixture `client`."""

    def build_request(self, method: str, url: str) -> Any:
        """Return a request as it would be sent."""
        ...


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who opens the socket of a test, as `connection.user` is there.

    ```python
    ann = await channels.connect(user=Somebody(7, expires_at=time.time() + 60))
    ```

    In a project with contrib.auth an `Identity` of its own has scopes as well.

    Args:
        id: Names the user.
        token_id: Names what they have shown.
        expires_at: Until when it counts, in seconds since the epoch.
    """

    id: Any
    token_id: str = ""
    expires_at: float | None = None


def principal_of(user: Principal | object) -> Principal | None:
    """Return who a test means: somebody with all that a socket has to know, a row, or an id.

    Args:
        user: Them; None for nobody in particular.
    """
    if user is None:
        return None
    if all(hasattr(user, name) for name in ("id", "token_id", "expires_at")):
        known: Any = user
        return known  # type: ignore[no-any-return]
    return Somebody(getattr(user, "id", user))


def handshake_of(browser: Browser, path: str) -> tuple[str, Mapping[str, str]]:
    """Return the address and the headers with which a page of a browser opens a socket.

    Args:
        browser: It, with what it is logged in by.
        path: Where the channels are.
    """
    request = browser.build_request("GET", path)
    site = f"{request.url.host}:{request.url.port}" if request.url.port else request.url.host
    scheme = request.url.scheme
    address = f"{'wss' if scheme == 'https' else 'ws'}://{site}{path}"
    return address, {"origin": f"{scheme}://{site}", **request.headers}
