"""Replacing: an answer that is given in place of the application's, and how it is then ended."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Final

from starlette.types import ASGIApp, Message, Scope, Send

from ..lifecycle.container import container_here
from ..observability.access import NOTES, AccessLog
from ..observability.context import request_id
from ..observability.metrics.requests import RequestMeter
from .deadline import Deadlines, runs_in_thread
from .line import BODILESS, declared_bytes, more_of, route_template
from .rules import Rules

__all__ = ["FAILED", "Replaceable"]

FAILED: Final = 500
THREAD_PAUSE_S: Final = 0.05
TURNS: Final = 10
"""How many turns of the event loop a line waits for an application to say where it was."""


class Replaceable:
    """A request whose answer may be replaced until it has begun: by a 504, or at the end a 503.

    Attributes:
        started: When the request came, by `time.perf_counter`.
    """

    __slots__ = (
        "_answering",
        "_code",
        "_deadlines",
        "_error",
        "_has_begun",
        "_has_cancelled",
        "_id",
        "_is_noted",
        "_is_over",
        "_log",
        "_meter",
        "_received_bytes",
        "_rules",
        "_scope",
        "_send",
        "_sent_bytes",
        "_status",
        "_task",
        "started",
    )

    _answering: asyncio.Task[None] | None
    _code: str | None
    _deadlines: Deadlines | None
    _error: BaseException | None
    _has_begun: bool
    _has_cancelled: bool
    _id: str
    _is_noted: bool
    _is_over: bool
    _log: AccessLog | None
    _meter: RequestMeter | None
    _received_bytes: int | None
    _rules: Rules
    _scope: Scope
    _send: Send
    _sent_bytes: int
    _status: int | None
    _task: asyncio.Task[Any]
    started: float

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
        self._answering = asyncio.create_task(self._answer_stopping())
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

    def leave_out(self) -> None:
        """Count it nowhere; its line is written all the same."""
        self._meter = None
        self._is_noted = self._log is None

    def _write_line(self, *, failure: str | None = None, cancelled: bool = False) -> None:
        if self._is_noted:
            return
        self._is_noted = True
        scope, route = self._scope, route_template(self._scope)
        duration_s = time.perf_counter() - self.started
        if self._meter is not None:
            self._meter.record(scope["method"], route, self._status, duration_s, self._sent_bytes)
        if self._log is None:
            return
        client = scope.get("client")
        more = None
        if failure is not None or cancelled or self._code is not None:
            more = more_of(failure=failure, cancelled=cancelled, code=self._code)
        if NOTES in scope["state"]:
            more = {**(more or {}), **scope["state"][NOTES]}
        error, self._error = self._error, None  # which would be a circle
        self._log.write(
            self._id,
            scope["method"],
            scope["path"],
            route,
            self._status,
            duration_s,
            client[0] if client else None,
            self._received_bytes if scope["method"] in BODILESS else self._request_bytes(),
            0 if scope["method"] == "HEAD" else self._sent_bytes,
            more,
            error,
        )

    def _request_bytes(self) -> int | None:
        declared = declared_bytes(self._scope.get("headers", ()))
        return self._received_bytes if declared is None else declared

    async def _answer_stopping(self) -> None:
        refusal = self._rules.entrance.stopping()
        self._code = refusal.code
        await self._refuse(refusal.app)
        self._write_line()

    async def _answer_in_place(self, limit_s: float) -> None:
        """Answer with 504 in place of the application, and end it."""
        late = f"no answer within {limit_s:g} s"
        self._code, self._error = "middleware.E004", TimeoutError(late)
        waits_for_thread = runs_in_thread(self._task)
        if not waits_for_thread:
            self._cancel(late)
        await self._refuse(self._rules.policy.refuse(504, detail=late, code=self._code, headers={}))
        for _ in range(0 if waits_for_thread else TURNS):
            if not self._is_over:
                await asyncio.sleep(0)
        self._write_line(failure="TimeoutError")
        # A thread cannot be stopped. Until it ends it is one of `SERVER.threads`, and its request
        # one of those that are worked on: else nothing would limit their number.
        while waits_for_thread and not self._is_over:
            await asyncio.sleep(THREAD_PAUSE_S)
            waits_for_thread = runs_in_thread(self._task)
            if not waits_for_thread:
                self._cancel(late)

    async def _answer_failed(self) -> None:
        """Answer with 500, which servers would do without the id of the request."""
        with suppress(Exception):  # nobody takes it: the line tells of the failure itself
            await self._refuse(self._rules.policy.refuse(FAILED, detail="", code="", headers={}))

    async def _refuse(self, refusal: ASGIApp) -> None:
        request_id.set(self._id)  # the task's own context came from a timer, or from the server
        if self._rules.state.container is not None:
            container_here.set(self._rules.state.container)
        await refusal(self._scope, _receive_nothing, self._send_in_place)

    def _cancel(self, reason: str) -> None:
        # One that has ended since the time was over waits for this answer: it would be cancelled.
        if not self._is_over:
            self._has_cancelled = True
            self._task.cancel(reason)

    async def _send_in_place(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._rules.answers.complete(message, self._id, self._scope)
        self._sent_bytes += len(message.get("body", b""))
        await self._send(message)


async def _receive_nothing() -> Message:
    return {"type": "http.disconnect"}
