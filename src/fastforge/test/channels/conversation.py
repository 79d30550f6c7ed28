"""Conversation: what a client of a test says over a socket, and what it has been told."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from .matching import data_of
from .sockets import InProcessSocket, SocketClosed
from .texts import nothing_came

__all__ = ["Conversation"]

ABNORMAL: Final = 1006
GONE: Final = 1000
ANSWER_WAIT_S: Final = 30.0
"""How long an answer may take, which always comes; a test that passes never waits so long."""


class Stand(NamedTuple):
    """Where a client is in a channel: in which epoch, and at which message."""

    epoch: str
    last_id: int


class Conversation:
    """One client of the channels of an application that has been started.

    Args:
        dial: Makes its sockets; `reconnect` needs another one.

    Attributes:
        connection_id: What the application calls it.
        frames: What has come and nobody has asked for yet, in order.
        socket: What it speaks over.
    """

    def __init__(self, dial: Callable[[], InProcessSocket]) -> None:
        self.connection_id = ""
        self.frames: deque[dict[str, Any]] = deque()
        self.refused: Final[list[dict[str, Any]]] = []
        self.socket = dial()
        self._dial = dial
        self._refs = itertools.count(1)
        self._stands: dict[str, Stand] = {}
        self._was: list[str] = []

    # --- its life ---

    async def open(self) -> None:
        """Shake hands, and hear what the application calls this client.

        Raises:
            SocketClosed: The application does not open it.
        """
        await self.socket.open()
        first = await self.next(lambda frame: frame["type"] == "welcome")
        self.connection_id = first["connection"]

    async def close(self) -> None:
        """Leave, as a page that is closed."""
        self._take_what_is_there()
        await self.socket.close(GONE)

    async def disconnect(self) -> None:
        """Lose the connection, as in a tunnel; what has come until then has been read."""
        self._take_what_is_there()
        await self.socket.close(ABNORMAL)

    async def reconnect(self) -> dict[str, dict[str, Any]]:
        """Come back, and join again where it was, from the last message that it has got.

        ```python
        await ann.disconnect()
        await channels.publish(OrderEvents, OrderPlaced(order_id=1), user_id=7)
        assert (await ann.reconnect())["orders:7"]["recovered"]
        ```

        Returns:
            What each joining was answered, by channel.
        """
        await self.disconnect()
        self._was.append(self.connection_id)
        self.socket = self._dial()
        await self.open()
        return {
            name: await self.join(name, last_id=stand.last_id, epoch=stand.epoch, was=self._was)
            for name, stand in tuple(self._stands.items())
        }

    # --- what it says ---

    async def join(
        self,
        channel: str,
        *,
        last_id: int | None = None,
        epoch: str = "",
        was: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Join a channel, and return the answer: `joined`, with what was recovered, or `error`.

        Args:
            channel: Its name: `room:7`.
            last_id: The id of the last message that this client has got.
            epoch: What the answer to its first joining had.
            was: Its earlier connections.
        """
        past: dict[str, Any] = {} if last_id is None else {"last_id": last_id, "epoch": epoch}
        if was:
            past["was"] = list(was)
        return await self.ask("join", channel=channel, **past)

    async def leave(self, channel: str) -> dict[str, Any]:
        """Leave a channel, and return the answer."""
        return await self.ask("leave", channel=channel)

    async def push(self, channel: str, message: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
        """Send a message, and return what its handler has answered: `ok` or `error`."""
        data = data_of(message) if isinstance(message, BaseModel) else message
        return await self.ask("push", channel=channel, data=data)

    async def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """Send a frame of the protocol, and return its answer.

        Raises:
            SocketClosed: It was closed in place of an answer.
        """
        ref = next(self._refs)
        self.send({"type": type, "ref": ref, **fields})
        answer = await self.next(
            lambda frame: frame.get("ref") == ref,
            what=f"the answer to {type} {fields.get('channel', '')}".rstrip(),
        )
        if answer["type"] == "error":
            self.refused.append(answer)
        return answer

    def send(self, frame: Any) -> None:
        """Send a frame as it is."""
        self.socket.send(json.dumps(frame))

    def stop_reading(self) -> None:
        """Take nothing more from the application, as a phone in a tunnel: what it sends waits."""
        self.socket.stop_reading()

    def go_on_reading(self) -> None:
        """Take again what it sends."""
        self.socket.go_on_reading()

    # --- what it is told ---

    async def next(
        self,
        matches: Callable[[dict[str, Any]], bool] = lambda frame: True,
        *,
        what: str = "a frame that matches",
        within_s: float = ANSWER_WAIT_S,
    ) -> dict[str, Any]:
        """Return the first frame that matches; others stay for later.

        Args:
            matches: Says so of a frame.
            what: How it is called where none comes.
            within_s: How long it may take.

        Raises:
            SocketClosed: None has come and the socket was closed.
            AssertionError: None has come.
        """
        __tracebackhide__ = True
        for frame in self.frames:
            if matches(frame):
                self.frames.remove(frame)
                return frame
        try:
            async with asyncio.timeout(within_s):
                while True:
                    came = self._taken(await self.socket.receive())
                    if matches(came):
                        return came
                    self.frames.append(came)
        except TimeoutError:
            raise AssertionError(self._nothing_came(what)) from None

    async def closed(self, *, within_s: float = ANSWER_WAIT_S) -> SocketClosed:
        """Wait until the application closes the socket, and return why.

        Raises:
            AssertionError: It was not closed.
        """
        __tracebackhide__ = True
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self.frames.append(self._taken(await self.socket.receive()))
        except SocketClosed as closed:
            return closed
        except TimeoutError:
            raise AssertionError(self._nothing_came("the end of the socket")) from None

    def _nothing_came(self, what: str, **more: Any) -> str:
        has_joined = bool(self._stands)
        return nothing_came(what, self.frames, refused=self.refused, has_joined=has_joined, **more)

    def _take_what_is_there(self) -> None:
        while (text := self.socket.receive_now()) is not None:
            self.frames.append(self._taken(text))

    def _taken(self, text: str) -> dict[str, Any]:
        """Read a frame, and know from it where this client is."""
        frame: dict[str, Any] = json.loads(text)
        name, before = frame.get("channel", ""), self._stands.get(frame.get("channel", ""))
        if frame["type"] == "joined":
            # What was recovered comes after the answer: only with that it stands where that says.
            is_behind = before is not None and frame.get("recovered", False)
            last_id = before.last_id if before and is_behind else frame["last_id"]
            self._stands[name] = Stand(frame["epoch"], last_id)
        elif frame["type"] == "left":
            self._stands.pop(name, None)
        elif frame["type"] == "message" and "id" in frame and before is not None:
            self._stands[name] = Stand(before.epoch, frame["id"])
        return frame
