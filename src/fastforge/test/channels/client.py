"""Client: joins channels as a page would, and says what it expects to be told."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from ...channels.connection import Principal
from ...channels.endpoint import KNOWN_USER
from ..lifespan import Application
from .sockets import InProcessSocket, SocketClosed

__all__ = ["ChannelClient", "channel_client"]

M = TypeVar("M", bound=BaseModel)
WAIT_S: Final = 30.0
"""How long something that is expected may take; a test that passes never waits so long."""


class ChannelClient:
    """One client of the channels of an application that has been started.

    Args:
        socket: What it speaks over.

    Attributes:
        connection_id: What the application calls it.
        frames: What has come and nobody has asked for yet, in order.
    """

    def __init__(self, socket: InProcessSocket) -> None:
        self.connection_id = ""
        self.frames: deque[dict[str, Any]] = deque()
        self.socket: Final = socket
        self._refs = itertools.count(1)

    async def join(
        self, channel: str, *, last_id: int | None = None, epoch: str = ""
    ) -> dict[str, Any]:
        """Join a channel, and return the answer: `joined`, with what was recovered, or `error`.

        Args:
            channel: Its name: `room:7`.
            last_id: The id of the last message that this client has got.
            epoch: What the answer to its first joining had.
        """
        past = {} if last_id is None else {"last_id": last_id, "epoch": epoch}
        return await self.ask("join", channel=channel, **past)

    async def leave(self, channel: str) -> dict[str, Any]:
        """Leave a channel, and return the answer."""
        return await self.ask("leave", channel=channel)

    async def push(self, channel: str, message: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
        """Send a message, and return what its handler has answered: `ok` or `error`."""
        data = message.model_dump(mode="json") if isinstance(message, BaseModel) else message
        return await self.ask("push", channel=channel, data=data)

    async def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """Send a frame of the protocol, and return its answer."""
        ref = next(self._refs)
        self.send({"type": type, "ref": ref, **fields})
        return await self.next(lambda frame: frame.get("ref") == ref)

    def send(self, frame: Any) -> None:
        """Send a frame as it is."""
        self.socket.send(json.dumps(frame))

    async def next(self, matches: Any = lambda frame: True) -> dict[str, Any]:
        """Return the first frame that matches; others stay for later.

        Raises:
            SocketClosed: None has come and the socket was closed.
            AssertionError: None has come for a long time.
        """
        for frame in self.frames:
            if matches(frame):
                self.frames.remove(frame)
                return frame
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    came: dict[str, Any] = json.loads(await self.socket.receive())
                    if matches(came):
                        return came
                    self.frames.append(came)
        except TimeoutError:
            raise AssertionError(f"no such frame has come; there are {list(self.frames)}") from None

    async def assert_push(
        self, expected: type[M] | BaseModel, *, channel: str | None = None
    ) -> M | BaseModel:
        """Wait for a message of a type, or for one message, and return it.

        ```python
        said = await client.assert_push(Said, channel="room:7")
        ```

        Raises:
            AssertionError: None has come for a long time.
            SocketClosed: The socket was closed before.
        """
        model = expected if isinstance(expected, type) else type(expected)
        type_ = model.model_fields["type"].default

        def matches(frame: dict[str, Any]) -> bool:
            if frame["type"] != "message" or channel not in (None, frame["channel"]):
                return False
            data = frame["data"]
            if isinstance(expected, BaseModel):
                return bool(data == expected.model_dump(mode="json"))
            return type_ is None or data.get("type") == type_

        frame = await self.next(matches)
        return model.model_validate(frame["data"])

    async def assert_nothing(self) -> None:
        """Be sure that no message is on its way: what was sent before this has been answered."""
        await self.ask("ping")
        messages = [frame for frame in self.frames if frame["type"] == "message"]
        assert not messages, f"nothing was expected, and there are {messages}"

    async def closed(self) -> SocketClosed:
        """Wait until the application closes the socket, and return why."""
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    self.frames.append(json.loads(await self.socket.receive()))
        except SocketClosed as closed:
            return closed
        except TimeoutError:
            raise AssertionError("the socket was not closed") from None


@asynccontextmanager
async def channel_client(
    application: Application,
    *,
    user: Principal | None = None,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (),
    url: str = "ws://localhost/channels",
) -> AsyncIterator[ChannelClient]:
    """Open a socket to the channels of an application that has been started.

    ```python
    async with started(application) as running, channel_client(running, user=ann) as client:
        await client.join("room:7")
        await Room.publish(Said(text="hello"), room_id=7)
        assert (await client.assert_push(Said)).text == "hello"
    ```

    Args:
        application: It.
        user: Who has opened the socket; nothing is checked then.
        token: What the client shows beside its subprotocol, as a browser does.
        headers: More of the handshake.
        subprotocols: What the client offers.
        url: Where the channels are.

    Raises:
        SocketClosed: The application does not open it.
    """
    offered = [*subprotocols, *(() if token is None else ("fastforge", f"token.{token}"))]
    extra = {} if user is None else {KNOWN_USER: user}
    socket = InProcessSocket(
        application, url, headers=headers or {}, subprotocols=offered, extra=extra
    )
    await socket.open()
    client = ChannelClient(socket)
    try:
        first = await client.next(lambda frame: frame["type"] == "welcome")
        client.connection_id = first["connection"]
        yield client
    finally:
        await socket.close()
