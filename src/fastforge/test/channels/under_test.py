"""ChannelsUnderTest: what a test asks of the channels of its project, and does with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from ...channels.codes import RESTART
from ...channels.declaring.channel import Channel
from ...channels.errors import ChannelError
from ...channels.kinds import CHANNELS
from ...channels.rooms.publishing import Publication
from ...channels.settings import Channels
from ...channels.sockets.connection import Principal
from ...exceptions import ComponentError
from ...lifecycle import Role, use_container
from ...project import Project
from ..lifespan import RunningApplication, application_of
from .brokers import BrokersOfTests, Place
from .client import PATIENCE_S, ChannelClient, dialled
from .faults import BackendUnderTest
from .people import Browser, handshake_of

__all__ = ["ChannelsUnderTest", "channels_of"]

M = TypeVar("M", bound=BaseModel)
STEP_S: Final = 1.0
MOST_STEPS: Final = 10_000
"""After hours the steps are longer: a day takes some tenths of a second."""
TURNS: Final = 10
"""How many turns of the loop what has begun at a moment is given, before it is later."""


class ChannelsUnderTest:
    """The channels of one test: its clients, what was published, the time, and faults.

    ```python
    async def test_a_page_hears_of_its_orders(
        client: httpx.AsyncClient, channels: ChannelsUnderTest
    ) -> None:
        ann = await channels.connect(user=7)
        await ann.join("orders:7")
        await client.post("/orders", params={"item": "plum"})
        await ann.assert_push(OrderPlaced)
    ```

    Args:
        running: The application of the test, which is started with the first client.
        brokers: What stands between the project and its backends.

    Attributes:
        backend: What carries messages between processes: `disconnect`, `drop`, `delay`, `heal`.
        patience_s: How long something that is expected may take.
    """

    patience_s = PATIENCE_S

    def __init__(self, running: RunningApplication, brokers: BrokersOfTests) -> None:
        self._brokers = brokers
        self._clients: list[ChannelClient] = []
        self._running = running

    @property
    def backend(self) -> BackendUnderTest:
        """What carries messages between processes, and fails when it is told to."""
        return self._brokers.backend

    # --- clients ---

    async def connect(
        self,
        *,
        user: Principal | object = None,
        like: Browser | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ChannelClient:
        """Open a socket to the running application; it is closed at the end of the test.

        ```python
        ann = await channels.connect(user=7)
        page = await channels.connect(like=client)
        ```

        Args:
            user: Who opens it, as `connection.user` is then, or a row or an id of theirs; nothing
                is checked. None: whoever the rest says, which is looked at as in production.
            like: A client of HTTP, whose headers and cookies go along, as of a page in a browser.
            token: What the client shows beside its subprotocol, as a browser does.
            headers: More of the handshake.

        Raises:
            ChannelError: The project has no channels.
            ComponentError: The application is not one of the fixture `project`.
            SocketClosed: The application does not open it.
            Exception: Whatever the start of the application raises.
        """
        application = await self._running.application()
        container = (await self._place()).container
        if not container.registry.values(CHANNELS):
            raise ChannelError(
                "this project has no channels",
                code="channels.E032",
                hint="write a class that derives from Channel into an app's channels.py",
            )
        path = container.settings.section(Channels).path
        url, told = (f"ws://localhost{path}", {}) if like is None else handshake_of(like, path)
        headers = {**told, **(headers or {})}
        client = dialled(application, url, user=user, token=token, headers=headers)
        client.patience_s = self.patience_s
        self._clients.append(client)
        await client.open()
        return client

    # --- what is published ---

    async def publish(
        self, channel: type[Channel], message: BaseModel, /, **parameters: Any
    ) -> None:
        """Publish a message in the running application, as a handler does.

        Args:
            channel: The channel.
            message: One of its `Outgoing`.
            parameters: Those of the pattern; `exclude` and `immediately` as in `Channel.publish`.

        Raises:
            ChannelError: The message or the parameters do not fit.
            ChannelUnavailable: The backend is disconnected.
        """
        with use_container((await self._place()).container):
            await channel.publish(message, **parameters)

    def broadcasts(
        self, channel: type[Channel] | None = None, /, **parameters: Any
    ) -> list[Publication]:
        """Return what was published in the test so far, in order, by whatever runs in it.

        ```python
        names = [each.name for each in channels.broadcasts(OrderEvents)]
        ```

        Args:
            channel: Of this channel alone.
            parameters: Of rooms with these alone.

        Raises:
            ChannelError: No room of the channel has such a parameter.
        """
        return self._brokers.broadcasts.found(channel, None, parameters)

    def assert_broadcast(
        self, channel: type[Channel], message: type[M] | M, /, **parameters: Any
    ) -> M:
        """Assert that a message was published, and return it: the first, if there are several.

        Nobody has to have joined. What waits for a commit, was rolled back or could not be sent
        was not published.

        ```python
        placed = channels.assert_broadcast(OrderEvents, OrderPlaced, user_id=7)
        ```

        Surprises: it is no coroutine. In a plain `def` test it waits some seconds for what a server
        in another thread is about to publish.

        Args:
            channel: The channel.
            message: A class of messages, or a message.
            parameters: Those that its room has to have; others do not matter.

        Raises:
            AssertionError: There is none; it says what was published instead.
            ChannelError: The channel has no such parameter or message.
        """
        __tracebackhide__ = True
        found: Any = self._brokers.broadcasts.expect(
            channel, message, parameters, within_s=self.patience_s
        )
        return found.message  # type: ignore[no-any-return]

    def assert_no_broadcast(
        self,
        channel: type[Channel] | None = None,
        message: type[BaseModel] | BaseModel | None = None,
        /,
        **parameters: Any,
    ) -> None:
        """Assert that no such message was published; without a channel none at all.

        Raises:
            AssertionError: There are some; it says which.
            ChannelError: The channel has no such parameter or message.
        """
        __tracebackhide__ = True
        self._brokers.broadcasts.expect_none(channel, message, parameters)

    # --- time, and the end ---

    async def let_pass(self, time: timedelta) -> None:
        """Let it be later for the sockets, without waiting for it.

        Joins that do not come, tokens that end, clients that do not read, what may be sent at once,
        messages that are kept, what the backend delays: all go by this clock.

        ```python
        await channels.let_pass(timedelta(seconds=11))
        await silent.assert_closed(1008)
        ```

        Surprises: it is later for nothing else: not for the database, jobs or tokens.
        """
        left_s = time.total_seconds()
        step_s = max(STEP_S, left_s / MOST_STEPS)
        await self._turns()
        while left_s > 0:
            self._brokers.clock.ahead_s += min(step_s, left_s)
            left_s -= step_s
            self.backend.release()
            for place in tuple(self._brokers.places):
                tick, now = place.hub.tick, self._brokers.clock.monotonic()
                if place.loop is asyncio.get_running_loop():
                    tick(now)
                else:
                    with suppress(RuntimeError):  # a server of the test that has just ended
                        place.loop.call_soon_threadsafe(tick, now)
            await self._turns()

    async def drain(self) -> None:
        """Let the sockets end as a server does that stops: with 1012, behind what waits for them.

        The application goes on; clients `reconnect` to it as to the next process.
        """
        for place in tuple(self._brokers.places):
            if place.loop is asyncio.get_running_loop():
                for socket in tuple(place.hub.sockets):
                    socket.close(RESTART, "restart")
        await self._turns()

    async def close(self) -> None:
        """Close what is open; the fixture does."""
        self.backend.heal()
        while self._clients:
            await self._clients.pop().close()

    async def _turns(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def _place(self) -> Place:
        """Return where the application of the test runs."""
        await self._running.application()
        here = asyncio.get_running_loop()
        for each in self._brokers.places:
            if each.loop is here and each.container.role is Role.WEB:
                return each
        raise ComponentError(
            "the application of this test carries its messages past the fixture `channels`",
            code="test.E011",
            hint="a `project` of your own has to be made from the fixture: project.overriding(...)",
        )


@asynccontextmanager
async def channels_of(project: Project) -> AsyncIterator[ChannelsUnderTest]:
    """Give what the fixture `channels` gives, where pytest's plugin is not.

    ```python
    async with channels_of(project) as channels:
        ann = await channels.connect(user=7)
    ```

    Args:
        project: The project; its application is started when it is needed.
    """
    brokers = BrokersOfTests()
    running = RunningApplication(lambda: application_of(brokers.used_by(project)))
    channels = ChannelsUnderTest(running, brokers)
    try:
        yield channels
    finally:
        await channels.close()
        await running.stop()
