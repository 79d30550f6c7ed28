"""Connection: uvicorn's protocol on httptools, within limits."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ...conf import Settings
from ...middleware.deadline import EDGE
from ...observability.context import new_request_id
from .again import has_body, parser_without_upgrade
from .bodies import NOWHERE, GentleTransport, end_unless_asked_for_body
from .cycle import begin_request
from .head import objection_to
from .patience import Patience
from .refusals import MALFORMED, Refusal
from .watch import watch_of

__all__ = ["Connection"]

MOST_IN_LINE: Final = 100
"""How many requests may wait for the answers to others before them: each has come in a few bytes,
and takes some thousand."""
BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose requests have no body, but for some that nobody has to be gentle with."""


class Connection(HttpToolsProtocol):
    """One client's connection, which is refused what the limits of `SERVER` do not allow.

    What a project's edge refuses is left to it: its answers are those of the project. Here it is
    refused what never reaches an application: headers that do not end, a client that is too slow,
    what is no HTTP.

    Surprises: the callbacks of the parser take the place of uvicorn's, and are as short: each is
    called for every request. `private.py` has the names that they rely on.

    Attributes:
        body_bytes: How much has come of all bodies on this connection, and of what is dropped.
        is_deaf: Whether what still comes is dropped, as nothing of it will be answered.
        is_ending: Whether the last answer has been given, and only the client's end is waited for.
        patience: How long it may wait.
        watch: What all connections of the server have in common.
    """

    settings_given: ClassVar[Settings | None] = None

    # None until there is one, whatever uvicorn says.
    cycle: Any
    parser: Any
    scope: Any

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.watch = watch = watch_of(server_state, app_state, self.settings_given)
        self.patience = Patience(watch.limits)
        self.body_bytes = 0
        self.is_deaf = self.is_ending = False
        self._answered: Any = None
        self._checks_head = not watch.has_edge
        self._gentle_transport: GentleTransport | None = None
        self._head_bytes = 0
        self._max_url_bytes = watch.limits.max_url_bytes
        self._refusal: Refusal | None = None

    @property
    def is_in_head(self) -> bool:
        """Whether a request has begun whose headers have not come to their end."""
        scope, cycle = self.scope, self.cycle
        return scope is not None and (cycle is None or cycle.scope is not scope)

    # What the transport calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.watch.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.watch.discard(self)
        super().connection_lost(exc)
        if self._answered is not None:  # uvicorn tells the last request in line, and no other
            self._answered.disconnected = True
            self._answered.message_event.set()
        # Circles, which the garbage collector would have to find.
        self.cycle = self._answered = self._gentle_transport = None
        self.patience.forget()

    def data_received(self, data: bytes) -> None:
        if self.is_deaf:
            self.body_bytes += len(data)
            return
        earlier = self.scope
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self.refuse(self._refusal or MALFORMED)
            return
        scope, cycle = self.scope, self.cycle
        if scope is not None and (cycle is None or cycle.scope is not scope):
            self._measure_head(len(data), is_all_head=scope is earlier or cycle is None)

    # What the parser calls.

    def on_url(self, url: bytes) -> None:
        url = self.url = self.url + url
        if len(url) > self._max_url_bytes:
            self._stop_parsing(self.watch.refusals.long_url)

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        if self._checks_head or self.url[:1] != b"/":
            refusal = objection_to(self, is_first_to_look=self._checks_head)
            if refusal is not None:
                self._stop_parsing(refusal)
        if self.pipeline and len(self.pipeline) >= MOST_IN_LINE:
            raise _Refused
        earlier = self.cycle
        begin_request(self)
        cycle = self.cycle
        if len(self.pipeline) == 1 and cycle is self.pipeline[0][0]:
            self._answered = earlier
        if cycle is None or cycle.scope is not self.scope:
            return  # it is for a web socket
        self.headers = NOWHERE
        if self.scope["method"] not in BODILESS:
            cycle.transport = self._gentle_transport or self._make_gentle()
            if self.expect_100_continue:
                end_unless_asked_for_body(cycle)

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and self._should_upgrade():
            return
        cycle = self.cycle
        cycle.more_body = False  # uvicorn leaves it, where the answer has been given already
        if not cycle.response_complete:
            cycle.message_event.set()

    # What the answer calls.

    def on_response_complete(self) -> None:
        if self.is_ending:
            self.server_state.total_requests += 1
            return
        if self.pipeline or self.transport.is_closing():
            self._answered = self.pipeline[-1][0] if self.pipeline else None
            super().on_response_complete()
            return
        # Without uvicorn's timer for each request: the watch sees how long a connection is idle.
        self.server_state.total_requests += 1
        self.flow.resume_reading()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        cycle.begin(app, self)

    # How a connection ends.

    def shutdown(self) -> None:
        """End a connection that waits for a request; one that is on its way is answered first."""
        if not self.is_in_head or self.is_deaf:
            super().shutdown()

    def end(self) -> None:
        """End the connection behind what has been written.

        What is still on its way is taken off the line: the system answers data that comes for a
        closed socket with a reset, which destroys what the client has not read yet.
        """
        if self.is_ending or self.transport.is_closing():
            return
        self.is_deaf = self.is_ending = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.resume_reading()
        else:
            self.transport.close()

    # What a request is refused for, and how.

    def refuse(self, refusal: Refusal) -> None:
        """End the connection, with an answer that says why if one can still be given.

        Answers to earlier requests are given first, and nothing after them.
        """
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._answer(refusal, new_request_id())
        elif self.pipeline and cycle.more_body:
            self.transport.abort()  # it waits in the line behind others, and can never be whole
        elif not cycle.more_body:
            self._hear_no_more()
        else:
            cycle.release_head()
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.close()
            else:
                self._answer_in_place(cycle, refusal)

    def _answer_in_place(self, cycle: Any, refusal: Refusal) -> None:
        """Answer a request that the application has already, and has not answered."""
        exchange = cycle.scope.get(EDGE)
        if exchange is None:
            self._answer(refusal, new_request_id())
        else:  # which writes its line itself
            request_id = exchange.has_been_refused(refusal.status)
            self._answer(refusal, request_id, has_line=True)

    def _answer(self, refusal: Refusal, request_id: str, *, has_line: bool = False) -> None:
        if self.transport.is_closing():
            return
        watch = self.watch
        answer = watch.refusals.answer(
            refusal, request_id=request_id, default_headers=self.server_state.default_headers
        )
        self.transport.write(answer)
        if not has_line:
            watch.lines.write(
                self,
                status=refusal.status,
                request_id=request_id,
                duration_s=self.patience.waited_s,
            )
        self.end()

    def _hear_no_more(self) -> None:
        """Close the connection after the answer that is being made, and take nothing until then."""
        self.is_deaf = True
        self.cycle.keep_alive = False

    def _make_gentle(self) -> GentleTransport:
        made = self._gentle_transport = GentleTransport(self)
        return made

    def _stop_parsing(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise _Refused

    def _measure_head(self, size_bytes: int, *, is_all_head: bool) -> None:
        """Refuse headers that have not ended and are too large as it is."""
        if is_all_head:
            self._head_bytes += size_bytes
        limits, refusals = self.watch.limits, self.watch.refusals
        if len(self.headers) > limits.max_headers or self._head_bytes > limits.max_head_bytes:
            self.refuse(refusals.large_head)

    # Other protocols.

    def _upgrade(self, rest: bytes) -> None:
        """Speak another protocol, if we know it; if not, go on in this one.

        Args:
            rest: What has come behind the headers that ask for it.
        """
        if not self._should_upgrade():
            self._go_on(rest)
        elif self.cycle is not None and not self.cycle.response_complete:
            self._hear_no_more()
        else:
            self.handle_websocket_upgrade()

    def _go_on(self, rest: bytes) -> None:
        cycle = self.cycle
        if has_body(cycle.scope["headers"]):
            # Nobody has read it yet: the application has only been told to begin.
            cycle.more_body = True
            cycle.message_event.clear()
            self.parser = parser_without_upgrade(self)
        if rest:
            self.data_received(rest)

    def handle_websocket_upgrade(self) -> None:
        self.watch.discard(self)
        super().handle_websocket_upgrade()
        self.parser = None  # a circle; no byte comes here any more


class _Refused(Exception):
    """Raised in a callback, ends the parsing there."""
