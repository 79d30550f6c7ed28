"""Cycle: a request and its answer, which leaves in one piece where it is made at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .answer import plain_head
from .held import HeldHeads

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Cycle", "begin_request"]


class Cycle(RequestResponseCycle):
    """Uvicorn's, which writes a short answer's head together with its body.

    Each write is a call of the system, and the client's has to take each. So the head of an answer
    that says how long it is, and is short, waits for the body: no longer than `LONGEST_HOLD_S`,
    for an application may begin an answer and then wait. All others leave as uvicorn lets them.

    Attributes:
        held: The heads that wait, of all connections.
        tasks: What runs for the server's requests.
    """

    held: HeldHeads
    tasks: set[asyncio.Task[None]]
    # Of the class: a cycle has its own only when a head waits.
    _head: bytes = b""

    def begin(self, app: Any, connection: Connection) -> None:
        """Start to answer, now that those before it have been."""
        self.held, self.tasks = connection.watch.held, connection.tasks
        context = Context() if connection.config.reset_contextvars else None
        self.tasks.add(connection.loop.create_task(self.run_asgi(app), context=context))

    # What looks in the next function as if it wanted to be one of its own costs every answer there.

    def send(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, message: Any
    ) -> Coroutine[Any, Any, None]:
        """Send a message of the application; it has been when this returns, or is awaited."""
        head, kind = self._head, message["type"]
        if head:
            body = message.get("body", b"")
            if (
                len(body) == self.expected_content_length
                and kind == "http.response.body"
                and not message.get("more_body", False)
                and not (self.disconnected or self.flow.write_paused)
            ):
                self.held.discard(self)
                self.transport.write(head + body)
                self._head = b""
                self.expected_content_length = 0
                self.response_complete = True
                self.message_event.set()
                if not self.keep_alive:
                    self.transport.close()
                self.on_response()
                return _nothing()
            self.release_head()
        elif (
            not self.response_started
            and kind == "http.response.start"
            and self.scope["method"] != "HEAD"
            and not (self.disconnected or self.access_log or self.flow.write_paused)
        ):
            headers = [*self.default_headers, *message.get("headers", ())]
            plain = plain_head(message["status"], headers, keep_alive=self.keep_alive)
            if plain is not None:
                self._head, self.expected_content_length = plain
                self.response_started = True
                self.waiting_for_100_continue = self.chunked_encoding = False
                self.held.add(self)
                return _nothing()
        return super().send(message)  # uvicorn's itself: one around it costs what streams send

    def release_head(self) -> None:
        """Write the head of the answer if it waits for the body."""
        head = self._head
        if head:
            self._head = b""
            self.held.discard(self)
            if not (self.disconnected or self.transport.is_closing()):
                self.transport.write(head)

    async def run_asgi(self, app: Any) -> None:
        """Let the application answer; it is cut off what does not come to its end.

        An application that fails behind the end of its answer leaves the connection alone, unlike
        uvicorn's: an unhandled exception goes on when its 500 has been given, and so does that of
        a background task. The answer has not said that the connection would be closed: the
        client's next request, perhaps on its way, would be reset.
        """
        try:
            result = await app(self.scope, self.receive, self.send)
        except BaseException as error:
            self.logger.exception("Exception in ASGI application\n")
            if not self.response_started:
                await self.send_500_response()
            elif not (self.response_complete and isinstance(error, Exception)):
                self._cut()
        else:
            if result is not None:
                self.logger.error("ASGI callable should return None, but returned '%s'.", result)
                self._cut()
            elif not (self.response_complete or self.disconnected):
                await self._end_unfinished()
        finally:
            self.on_response = _nothing_more
            # Here and not by a callback of the task, for which the event loop takes one more turn.
            task = asyncio.current_task()
            if task is not None:
                self.tasks.discard(task)

    async def _end_unfinished(self) -> None:
        if self.response_started:
            self.logger.error("ASGI callable returned without completing response.")
            self._cut()
        else:
            self.logger.error("ASGI callable returned without starting response.")
            await self.send_500_response()

    def _cut(self) -> None:
        self.release_head()
        self.transport.close()


async def _nothing() -> None:
    """Take the place of uvicorn's coroutine where there is nothing left to wait for."""


def _nothing_more() -> None:
    """Take the place of what a request calls at its end, and holds its connection by."""


begin_request: Final[Callable[[HttpToolsProtocol], None]] = FunctionType(
    HttpToolsProtocol.on_headers_complete.__code__,
    {**vars(httptools_impl), RequestResponseCycle.__name__: Cycle},
)
"""Uvicorn's own `on_headers_complete`, but for the class of the cycle that it makes.

It asks nobody which one that is, and to change the class of what it has made would make every
attribute of it slower.
"""
