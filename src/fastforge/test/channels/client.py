"""Client: joins channels as a page would, and says what it expects to be told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from ...channels.serving.endpoint import KNOWN_USER, SUBPROTOCOL, TOKEN_PREFIX
from ...channels.sockets.connection import Principal
from ..lifespan import Application
from .conversation import Conversation
from .matching import is_meant, model_of, read_as
from .people import principal_of
from .sockets import InProcessSocket, SocketClosed
from .texts import frame_of, message_text, nearest_of, unexpected_frames

__all__ = ["PATIENCE_S", "ChannelClient", "channel_client", "dialled"]

M = TypeVar("M", bound=BaseModel)
PATIENCE_S: Final = 5.0
"""How long something that is expected may take; a test that passes never waits so long."""


class ChannelClient(Conversation):
    """One client of the channels of an application that has been started.

    ```python
    ann = await channels.connect(user=7)
    await ann.join("orders:7")
    placed = await ann.assert_push(OrderPlaced)
    ```

    Attributes:
        connection_id: What the application calls it.
        frames: What has come and nobody has asked for yet, in order.
        patience_s: How long something that is expected may take.
        socket: What it speaks over.
    """

    patience_s = PATIENCE_S

    async def assert_joined(self, channel: str) -> dict[str, Any]:
        """Join a channel, and return the answer, with where the channel is.

        ```python
        await ann.assert_joined("orders:7")
        ```

        Args:
            channel: Its name.

        Raises:
            AssertionError: This client was not let in; it says why.
        """
        __tracebackhide__ = True
        answer = await self.join(channel)
        if answer["type"] != "joined":
            raise AssertionError(f"{channel} was not joined\n{frame_of(answer)}")
        return answer

    async def assert_push(
        self, expected: type[M] | M, *, channel: str | None = None, within_s: float | None = None
    ) -> M:
        """Wait for a message of a class, or for a certain one, and return it.

        Others stay for later: what is published in several channels has no order.

        ```python
        placed = await ann.assert_push(OrderPlaced, channel="orders:7")
        await ann.assert_push(OrderNoted(order_id=placed.order_id, note="gift"))
        ```

        Args:
            expected: A class of messages, or a message.
            channel: The name where it has to be.
            within_s: How long it may take; None: `patience_s`.

        Raises:
            AssertionError: None has come, or the socket was closed; it says what came instead.
        """
        __tracebackhide__ = True

        def matches(frame: dict[str, Any]) -> bool:
            is_here = frame["type"] == "message" and channel in (None, frame["channel"])
            return is_here and is_meant(frame["data"], expected)

        what = message_text(expected, channel)
        frame = await self._expected(matches, what, within_s, message=expected, channel=channel)
        model: type[M] = model_of(expected)  # type: ignore[assignment]
        return read_as(model, frame["data"])

    async def assert_no_push(
        self, unwanted: type[BaseModel] | BaseModel | None = None, *, channel: str | None = None
    ) -> None:
        """Be sure that no message has come, and none is on its way to this client.

        Surprises: what nobody has published yet may still come. Let first what would publish it be
        done: `push` and requests return when it is.

        Args:
            unwanted: A class of messages, or a message; None: any.
            channel: The name where it may not be.

        Raises:
            AssertionError: There are some; it says which.
        """
        __tracebackhide__ = True
        await self.ask("ping")  # what was sent before has been answered then
        found = [
            frame
            for frame in self.frames
            if frame["type"] == "message"
            and channel in (None, frame["channel"])
            and (unwanted is None or is_meant(frame["data"], unwanted))
        ]
        if found:
            raise AssertionError(unexpected_frames(found))

    async def assert_frame(
        self, type: str, /, *, within_s: float | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Wait for a frame of the protocol, and return it: `gap`, `expiring`, `presence`.

        ```python
        await ann.assert_frame("gap", channel="prices", dropped=3)
        ```

        Args:
            type: Its type.
            within_s: How long it may take; None: `patience_s`.
            fields: What it has to have; other fields do not matter.

        Raises:
            AssertionError: None has come; it says what came instead.
        """
        __tracebackhide__ = True
        wanted = {"type": type, **fields}

        def matches(frame: dict[str, Any]) -> bool:
            return all(name in frame and frame[name] == wanted[name] for name in wanted)

        told = "".join(f" {name}={value!r}" for name, value in fields.items())
        return await self._expected(matches, f"a frame {type}{told}", within_s)

    async def assert_closed(
        self, code: int | None = None, *, within_s: float | None = None
    ) -> SocketClosed:
        """Wait until the application closes the socket, and return why.

        Args:
            code: The close code that it has to have.
            within_s: How long it may take; None: `patience_s`.

        Raises:
            AssertionError: It was not closed, or with another code.
        """
        __tracebackhide__ = True
        limit_s = self.patience_s if within_s is None else within_s
        closed = await self.closed(within_s=limit_s)
        if code not in (None, closed.code):
            raise AssertionError(f"the socket was {closed}, and not with {code}")
        return closed

    async def _expected(
        self,
        matches: Any,
        what: str,
        within_s: float | None,
        *,
        message: type[BaseModel] | BaseModel | None = None,
        channel: str | None = None,
    ) -> dict[str, Any]:
        __tracebackhide__ = True
        closed: SocketClosed | None = None
        try:
            limit_s = self.patience_s if within_s is None else within_s
            return await self.next(matches, within_s=limit_s)
        except SocketClosed as error:
            closed = error
        except AssertionError:
            pass
        nearest = "" if message is None else nearest_of(message, channel, self.frames)
        told = self._nothing_came(what, closed=closed, nearest=nearest)
        raise AssertionError(told)


def dialled(
    application: Application,
    url: str,
    *,
    user: Principal | object = None,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (),
) -> ChannelClient:
    """Return a client that has not opened its socket yet; `channel_client` has the arguments."""
    named = () if token is None else (SUBPROTOCOL, f"{TOKEN_PREFIX}{token}")
    known = principal_of(user)
    return ChannelClient(
        lambda: InProcessSocket(
            application,
            url,
            headers=headers or {},
            subprotocols=[*subprotocols, *named],
            extra={} if known is None else {KNOWN_USER: known},
        )
    )


@asynccontextmanager
async def channel_client(
    application: Application,
    *,
    user: Principal | object = None,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (),
    url: str = "ws://localhost/channels",
) -> AsyncIterator[ChannelClient]:
    """Open a socket to the channels of an application that has been started.

    ```python
    async with started(application) as running, channel_client(running, user=7) as client:
        await client.join("room:7")
    ```

    Args:
        application: It.
        user: Who has opened the socket, or their id; nothing is checked then.
        token: What the client shows beside its subprotocol, as a browser does.
        headers: More of the handshake.
        subprotocols: What the client offers.
        url: Where the channels are.

    Raises:
        SocketClosed: The application does not open it.
    """
    client = dialled(
        application, url, user=user, token=token, headers=headers, subprotocols=subprotocols
    )
    try:
        await client.open()
        yield client
    finally:
        await client.close()
