"""Exchange: one request and its answer, as the edge sees them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..lifecycle.container import container_here
from ..observability.context import new_request_id, request_headers, request_id
from .deadline import EDGE, Deadlines, is_our_cancellation, runs_in_thread
from .line import has_left, route_template, write_line
from .rules import Rules

__all__ = ["Exchange"]

OK: Final = 200
FAILED: Final = 500
THREAD_PAUSE_S: Final = 0.05
_LAST_MESSAGES: Final = frozenset({"http.response.body", "http.response.pathsend"})


class Exchange:
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

    __slots__ = (
        "_answering",
        "_deadlines",
        "_has_begun",
        "_has_cancelled",
        "_id",
        "_is_complete",
        "_is_noted",
        "_is_over",
        "_log",
        "_meter",
        "_rules",
        "_scope",
        "_send",
        "_status",
        "_task",
        "started",
    )

    _has_cancelled: bool
    _task: asyncio.Task[Any]

    def __init__(self, rules: Rules, scope: Scope, send: Send) -> None:
        self.started = time.perf_counter()
        self._answering: asyncio.Task[None] | None = None
        self._deadlines: Deadlines | None = None
        self._has_begun = self._is_complete = self._is_over = False
        self._log = rules.log
        self._meter = rules.state.requests
        self._is_noted = rules.log is None and self._meter is None
        self._rules = rules
        self._scope = scope
        self._send = send
        self._status: int | None = None
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
        if refusal is not None:
            return refusal
        limit = rules.concurrency_limit
        if limit is not None and rules.state.in_flight >= limit:
            return rules.entrance.busy()
        return None

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
            self._status = message["status"]
            self._rules.answers.complete(message, self._id, self._scope)
        elif not self._is_noted and kind in _LAST_MESSAGES and not message.get("more_body"):
            return self._send_last(message)
        return self._send(message)  # the server's coroutine itself: one around it costs time

    def begin(self) -> bool:
        """Stop the clock; return whether the answer of the application may still be sent."""
        if self._deadlines is not None:
            self._deadlines.discard(self)
            self._deadlines = None
        self._has_begun = True
        return self._answering is None

    def give_up(self) -> asyncio.Task[None] | None:
        """Answer with 503 in place of the application, because the process ends; cancel nothing.

        Returns:
            The task that answers; None when an answer has begun, or what leads to it, such as a
            commit, which it then waits for.
        """
        if self._has_begun or self._status is not None or self._answering is not None:
            return None
        self.begin()
        self._has_cancelled = False
        self._answering = asyncio.create_task(self._refuse(self._rules.entrance.stopping()))
        return self._answering

    def look_at_limit(self) -> float:
        """Answer with 504 if the limit of the route is over; else return how long it is not yet.

        Returns:
            Seconds; 0 when there is nothing more to look at.
        """
        limit_s = self._rules.policy.time_limit_of(self._scope.get("endpoint"))
        if limit_s is None:
            return 0
        remaining_s = self.started + limit_s - time.perf_counter()
        if remaining_s <= 0:
            self._deadlines = None
            self._has_cancelled = False
            self._answering = asyncio.create_task(self._answer_in_place(limit_s))
        return max(remaining_s, 0)

    def has_been_refused(self, status: int) -> str:
        """Hear that the server has answered in place of the application; return the request's id.

        It is what the line says, whatever the application still sends.

        Args:
            status: The status that the client has been given.
        """
        self._status = status
        self._write_line()
        return self._id

    async def _send_last(self, message: Message) -> None:
        await self._send(message)
        self._is_complete = True
        if self._status is not None and self._status < FAILED:  # why one failed is known later
            self._write_line()

    async def _is_settled(self, error: BaseException | None) -> bool:
        """End an exchange; return whether the error that ended the application is dealt with."""
        self.begin()
        self._is_over = True
        if self._answering is not None:
            await self._answering
            return is_our_cancellation(error, has_cancelled=self._has_cancelled)
        if not self._is_noted:
            self._write_end(error)
        # That a client has left is told by the line; servers would log it as a failure of ours.
        return isinstance(error, Exception) and has_left(error)

    def _write_end(self, error: BaseException | None) -> None:
        if error is None and self._is_complete:
            self._write_line()
        elif error is None or has_left(error):
            self._write_line(cancelled=True)
        else:
            self._status = self._status or FAILED  # servers answer so in our place
            self._write_line(failure=type(error).__name__)

    def _write_line(self, *, failure: str | None = None, cancelled: bool = False) -> None:
        if self._is_noted:
            return
        self._is_noted = True
        scope, route = self._scope, route_template(self._scope)
        if self._meter is not None:
            duration_s = time.perf_counter() - self.started
            self._meter.record(scope["method"], route, self._status, duration_s)
        if self._log is not None:
            write_line(
                self._log,
                scope,
                route=route,
                started=self.started,
                request_id=self._id,
                status_code=self._status,
                failure=failure,
                cancelled=cancelled,
            )

    def _without_line(self, probe: ASGIApp) -> ASGIApp:
        """Return a probe that is not counted, and whose good answers have no line."""
        self._meter = None
        self._is_noted = self._log is None

        async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
            async def noting(message: Message) -> None:
                if message.get("status") == OK:
                    self._is_noted = True
                await send(message)

            await probe(scope, receive, noting)

        return quiet

    async def _answer_in_place(self, limit_s: float) -> None:
        """Answer with 504 in place of the application, and end it."""
        late = f"no answer within {limit_s:g} s"
        waits_for_thread = runs_in_thread(self._task)
        if not waits_for_thread:
            self._cancel(late)
        refusal = self._rules.policy.refuse(504, detail=late, code="middleware.E004", headers={})
        await self._refuse(refusal, failure="TimeoutError")
        # A thread cannot be stopped. Until it ends it is one of `SERVER.threads`, and its request
        # one of those that are worked on: else nothing would limit their number.
        while waits_for_thread and not self._is_over:
            await asyncio.sleep(THREAD_PAUSE_S)
            waits_for_thread = runs_in_thread(self._task)
            if not waits_for_thread:
                self._cancel(late)

    async def _refuse(self, refusal: ASGIApp, *, failure: str | None = None) -> None:
        request_id.set(self._id)  # the task's own context came from a timer, or from the server
        if self._rules.state.container is not None:
            container_here.set(self._rules.state.container)
        await refusal(self._scope, _receive_nothing, self._send_in_place)
        self._write_line(failure=failure)

    def _cancel(self, reason: str) -> None:
        # One that has ended since the time was over waits for this answer: it would be cancelled.
        if not self._is_over:
            self._has_cancelled = True
            self._task.cancel(reason)

    async def _send_in_place(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._rules.answers.complete(message, self._id, self._scope)
        await self._send(message)


async def _receive_nothing() -> Message:
    return {"type": "http.disconnect"}
