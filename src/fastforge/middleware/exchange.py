"""Exchange: one request and its answer, as the edge sees them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from types import TracebackType
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..lifecycle.container import container_here
from ..observability.context import new_request_id, request_headers, request_id, request_scope
from .deadline import EDGE, is_our_cancellation
from .line import BODILESS, file_bytes, handled_error, has_left, route_template
from .replacing import FAILED, Replaceable
from .rules import Rules

__all__ = ["Exchange"]

OK: Final = 200
FAILURES: Final = (Exception, SystemExit, KeyboardInterrupt)
_LAST_MESSAGES: Final = frozenset({"http.response.body", "http.response.pathsend"})


class Exchange(Replaceable):
    """Stands between the application and the server while one request is answered.

    Until the answer begins it may be replaced by a 504, or at the end of the process by a 503;
    nothing that the application sends after that reaches the client.

    Args:
        rules: Those of the edge.
        scope: The request's.
        send: The server's.

    Attributes:
        started: When the request came, by `time.perf_counter`.
    """

    # Whatever is read or called on the way of a request that goes well costs every request. What
    # looks there as if it wanted to be a function of its own has been one.

    __slots__ = ("_is_complete", "_traceback")

    _traceback: TracebackType | None

    def __init__(self, rules: Rules, scope: Scope, send: Send) -> None:
        self.started = time.perf_counter()
        self._answering = self._code = self._deadlines = self._error = self._traceback = None
        self._has_begun = self._is_complete = self._is_over = False
        self._log = rules.log
        self._meter = rules.state.requests
        self._is_noted = rules.log is None and self._meter is None
        self._received_bytes = self._status = None
        self._rules = rules
        self._scope = scope
        self._send = send
        self._sent_bytes = 0
        self._id = rules.id_for(scope) if rules.believes_proxies else new_request_id()

    async def run(self, receive: Receive) -> None:
        """Let the application, or what takes its place, answer."""
        scope, rules = self._scope, self._rules
        state = rules.state
        container = state.container
        scope[EDGE] = self
        scope.setdefault("state", {})["request_id"] = self._id
        id_token = request_id.set(self._id)
        headers_token = request_headers.set(scope.get("headers", ()))
        scope_token = request_scope.set(scope)
        container_token = None if container is None else container_here.set(container)
        counted = 0
        try:
            app = self._replacement()
            if app is None:
                app, counted = rules.app, 1
                state.in_flight += 1
                if rules.deadlines is not None:
                    self._deadlines = rules.deadlines
                    self._task = rules.deadlines.add(self)
            if self._log is not None and scope["method"] not in BODILESS:
                receive = self._counting(receive)
            await app(scope, receive, self.send)
        except BaseException as error:
            if not await self._is_settled(error):
                raise
        else:
            # An answer in place of the application's writes its line itself, and has to be ended.
            if not self._is_noted or self._status is None or self._answering is not None:
                await self._is_settled(None)
        finally:
            state.in_flight -= counted
            del scope[EDGE]  # a circle, which the garbage collector would have to find
            request_id.reset(id_token)
            request_headers.reset(headers_token)
            request_scope.reset(scope_token)
            if container_token is not None:
                container_here.reset(container_token)

    def _replacement(self) -> ASGIApp | None:
        """Return what answers in place of the application: a probe, or a refusal."""
        rules = self._rules
        if rules.probes:
            path, root_path = self._scope["path"], self._scope.get("root_path")
            probe = rules.probes.get(path.removeprefix(root_path) if root_path else path)
            if probe is not None:
                return self._without_line(probe)
        refusal = rules.entrance.refusal(self._scope)
        limit = rules.concurrency_limit
        if refusal is None and limit is not None and rules.state.in_flight >= limit:
            refusal = rules.entrance.busy()
        if refusal is None:
            return None
        self._code = refusal.code
        return refusal.app

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the application, unless its time is over."""
        if self._answering is not None:
            # Not quietly: whoever has missed the first cancellation would run background tasks.
            raise asyncio.CancelledError("the request has been answered in its place")
        kind = message["type"]
        if kind == "http.response.start":
            if self._deadlines is not None:
                self._deadlines.discard(self)
                self._deadlines = None
            status = self._status = message["status"]
            if status >= FAILED and self._log is not None:
                self._error = error = handled_error(self._scope)
                self._traceback = None if error is None else error.__traceback__
            self._rules.answers.complete(message, self._id, self._scope)
        elif not self._is_noted and kind in _LAST_MESSAGES:
            body = message.get("body")
            self._sent_bytes += file_bytes(message) if body is None else len(body)
            if not message.get("more_body"):
                return self._send_last(message)
        return self._send(message)  # the server's coroutine itself: one around it costs time

    async def _send_last(self, message: Message) -> None:
        await self._send(message)
        self._is_complete = True
        if self._status is not None and self._status < FAILED:  # why one failed is known later
            self._write_line()

    async def _is_settled(self, error: BaseException | None) -> bool:
        """End an exchange; return whether the error that ended the application is dealt with."""
        self.begin()
        self._is_over = True
        traceback, self._traceback = self._traceback, None  # which would be a circle
        if self._answering is not None:
            if self._error is not None and error is not None:
                self._error = self._error.with_traceback(error.__traceback__)
            await self._answering
            return is_our_cancellation(error, has_cancelled=self._has_cancelled)
        if self._status is None and isinstance(error, FAILURES) and not has_left(error):
            await self._answer_failed()
        if not self._is_noted:
            self._write_end(error, traceback)
        elif self._log is not None and self._is_complete and error and not has_left(error):
            route = route_template(self._scope)
            self._log.write_afterwards(self._scope["method"], self._scope["path"], route, error)
        # That a client has left is told by the line; servers would log it as a failure of ours.
        return isinstance(error, Exception) and has_left(error)

    def _write_end(self, error: BaseException | None, handled_at: TracebackType | None) -> None:
        if error is None and self._is_complete:
            self._write_handled(handled_at)
        elif error is None or has_left(error):
            self._write_line(cancelled=True)
        else:
            self._status = self._status or FAILED
            self._error = error
            self._write_line(failure=type(error).__name__)

    def _write_handled(self, traceback: TracebackType | None) -> None:
        """Write a line with the frames of an exception: Starlette takes them at the end."""
        error = self._error
        if error is None or error.__traceback__ is not None:
            self._write_line()
            return
        error.__traceback__ = traceback
        self._write_line()
        error.__traceback__ = None  # an exception that is raised again would gather frames

    def _counting(self, receive: Receive) -> Receive:
        """Count what comes of a body: one in chunks does not say its size before."""

        async def count() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self._received_bytes = (self._received_bytes or 0) + len(message.get("body", b""))
            return message

        return count

    def _without_line(self, probe: ASGIApp) -> ASGIApp:
        """Return a probe that is not counted, and whose good answers have no line."""
        self.leave_out()

        async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
            async def noting(message: Message) -> None:
                if message.get("status") == OK:
                    self._is_noted = True
                await send(message)

            await probe(scope, receive, noting)

        return quiet
