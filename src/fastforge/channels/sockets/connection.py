"""Connection: one client's socket, as channels see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import orjson
from starlette.datastructures import Headers
from starlette.types import Scope

from ..codes import may_be_sent
from ..errors import ChannelError
from ..waiting.frames import Frame, message_frame
from ..waiting.outbox import Outbox

__all__ = ["Connection", "Principal", "head_of"]


class Principal(Protocol):
    """Who asks, as far as a socket has to know it; `Identity` of contrib.auth is one."""

    @property
    def id(self) -> Any:
        """Names the user."""
        ...

    @property
    def token_id(self) -> str:
        """Names what they have shown; when that is revoked, the socket is closed."""
        ...

    @property
    def expires_at(self) -> float | None:
        """Until when it counts, in seconds since the epoch."""
        ...


class Connection:
    """A client's socket, in as many channels as it has joined.

    ```python
    async def authorize(self, connection: Connection, user_id: int) -> bool:
        return connection.user is not None and connection.user.id == user_id
    ```

    Args:
        id: Names it, unique among all processes.
        scope: Of the request that became the socket.
        outbox: Where its messages go.
        close: Ends it.

    Attributes:
        user: Who asks; None for nobody in particular.
    """

    __slots__ = ("__weakref__", "_close", "_outbox", "_scope", "_state", "id", "user")

    def __init__(
        self, id: str, scope: Scope, outbox: Outbox, close: Callable[[int, str], None]
    ) -> None:
        self.id: Final = id
        self.user: Principal | None = None
        self._state: dict[str, Any] | None = None
        self._close = close
        self._outbox = outbox
        self._scope = scope

    @property
    def state(self) -> dict[str, Any]:
        """What handlers keep for as long as it is open."""
        if self._state is None:
            self._state = {}
        return self._state

    @property
    def headers(self) -> Headers:
        """The headers of the request that became the socket."""
        return Headers(scope=self._scope)

    @property
    def address(self) -> str:
        """The address of the client; empty where the server does not know it."""
        client = self._scope.get("client")
        return client[0] if client else ""

    def send_in(self, name: str, data: bytes) -> None:
        """Send the JSON of a message to this client alone, as of a channel that it is in."""
        self._outbox.push(message_frame(head_of(name), data))

    def send_frame(self, frame: Frame) -> None:
        """Send a frame of the protocol."""
        self._outbox.push(frame)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the socket, soon; what waits is sent before.

        Args:
            code: Of the table of close codes.
            reason: For people; 123 bytes at most.

        Raises:
            ChannelError: No socket may be closed with that code.
        """
        if not may_be_sent(code):
            raise ChannelError(
                f"a socket cannot be closed with {code!r}",
                code="channels.E019",
                hint="take 1000, or one of your own from 4000 to 4999",
            )
        self._close(code, reason)

    def __repr__(self) -> str:
        return f"<Connection {self.id}>"


def head_of(name: str) -> bytes:
    """Return what every message of a room begins with."""
    return b'{"type":"message","channel":%b,' % orjson.dumps(name)
