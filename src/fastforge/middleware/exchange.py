"""Exchange: one request and its answer, as the edge sees them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextvars import Context
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..lifecycle.container import Container, enter_container
from ..observability.access import AccessLog
from ..observability.context import request_id as current_id
from .answer import AnswerHeaders
from .deadline import Deadlines
from .policy import EdgePolicy
from .template import route_template

__all__ = ["Exchange", "Rules", "has_left"]

logger = logging.getLogger("fastforge.middleware")

OK: Final = 200
FAILED: Final = 500
_LAST_MESSAGES: Final = frozenset({"http.response.body", "http.response.pathsend"})


class Rules:
    """What all exchanges of an edge have in common.

    Attributes:
        policy: What the settings say.
        answers: Completes the headers of answers.
        deadlines: Wakes exchanges whose answer does not begin; None without a time limit.
        log: Where lines are written; None: nowhere.
    """

    __slots__ = ("answers", "deadlines", "log", "policy")

    def __init__(self, policy: EdgePolicy) -> None:
        limit_s = policy.shortest_time_limit_s
        self.policy = policy
        self.answers = AnswerHeaders(policy)
        self.deadlines = None if limit_s is None else Deadlines(limit_s)
        self.log: AccessLog | None = policy.access_log


class Exchange:
    """Stands between the application and the server while one request is answered.

    Until the answer begins it may be replaced by a 504; nothing that the application sends after
    that reaches the client.

    Args:
        rules: Those of the edge.
        scope: The request's.
        send: The server's.
        container: The running project, if there is one.
        request_id: The request's id.

    Attributes:
        started: When the request came, by `time.perf_counter`.
        is_probe: Whether it asks how the process is; the line of such an answer is left out.
    """

    __slots__ = (
        "_answering",
        "_complete",
        "_container",
        "_log",
        "_path",
        "_root_path",
        "_rules",
        "_send",
        "_status",
        "_task",
        "_timer",
        "is_probe",
        "request_id",
        "scope",
        "started",
    )

    _task: asyncio.Task[Any]

    def __init__(
        self,
        rules: Rules,
        scope: Scope,
        send: Send,
        container: Container | None,
        request_id: str,
    ) -> None:
        self.started = time.perf_counter()
        self.is_probe = False
        self._answering: asyncio.Task[None] | None = None
        self._complete = False
        self._container = container
        self._log = rules.log
        # What stands inside may write into the scope.
        self._path: str = scope.get("path", "")
        self._root_path: str = scope.get("root_path", "")
        self._rules = rules
        self.request_id = request_id
        self.scope = scope
        self._send = send
        self._status: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        """Let the application answer; within its time, once `limit` has been called."""
        try:
            await app(self.scope, receive, self.send)
        except BaseException as error:
            if self._answering is None:
                self._end(error)
                raise
            await self._settle(error)
        else:
            if self._answering is None:
                self._end(None)
            else:
                await self._settle(None)

    def limit(self, deadlines: Deadlines) -> None:
        """Give the application, which this task is about to run, its time."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        self._task = task
        deadlines.add(self, loop)

    def begin(self) -> bool:
        """Stop the clock; return whether the answer of the application may still be sent."""
        if self._timer is not None:
            self._timer.cancel()
        elif self._rules.deadlines is not None:
            self._rules.deadlines.discard(self)
        return self._answering is None

    def look_at_limit(self) -> None:
        """Answer with 504 when the limit of the route is over; else look again when it is."""
        limit_s = self._rules.policy.time_limit_of(self.scope.get("endpoint"))
        if limit_s is None:
            return
        loop = asyncio.get_running_loop()
        remaining_s = self.started + limit_s - time.perf_counter()
        if remaining_s > 0:
            self._timer = loop.call_later(remaining_s, self.look_at_limit, context=Context())
            return
        self._answering = loop.create_task(self._answer_in_place(limit_s))
        self._task.cancel(f"no answer within {limit_s:g} s")

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the application, unless its time is over."""
        if self._answering is not None:
            # Not quietly: whoever has missed the first cancellation would run background tasks.
            raise asyncio.CancelledError("the request has been answered with 504")
        kind = message["type"]
        if kind == "http.response.start":
            self.begin()
            self._begin_with(message)
        elif self._log is not None and kind in _LAST_MESSAGES and not message.get("more_body"):
            return self._send_last(message)
        return self._send(message)  # the server's coroutine itself: another one costs time

    def _begin_with(self, message: Message) -> None:
        self._status = status = message["status"]
        if self.is_probe and status == OK:
            self._log = None
        container = self._container
        self._rules.answers.complete(
            message,
            self.request_id,
            https=self.scope.get("scheme") == "https",
            closes=container is not None and container.draining,
        )

    async def _send_last(self, message: Message) -> None:
        await self._send(message)
        self._complete = True
        if self._status is not None and self._status < FAILED:  # why one failed is known later
            self._write_line()

    def _end(self, error: BaseException | None) -> None:
        if self._status is None:
            self.begin()
        if self._log is None:
            return
        if error is None and self._complete:
            self._write_line()
        elif error is None or has_left(error):
            self._write_line(cancelled=True)
        else:
            self._status = self._status or FAILED  # servers answer so in our place
            self._write_line(failure=type(error).__name__)

    def _write_line(self, **more: Any) -> None:
        scope, log, self._log = self.scope, self._log, None
        client = scope.get("client")
        if log is not None:
            log.write(
                request_id=self.request_id,
                method=scope["method"],
                path=self._path,
                route=route_template(scope, self._root_path),
                status_code=self._status,
                duration_ms=round((time.perf_counter() - self.started) * 1000, 3),
                client=client[0] if client else None,
                **more,
            )

    async def _answer_in_place(self, limit_s: float) -> None:
        """Answer with 504 in place of the application."""
        current_id.set(self.request_id)  # this task's own context came from the timer
        if self._container is not None:
            enter_container(self._container)
        refusal = self._rules.policy.refuse(
            504, detail=f"no answer within {limit_s:g} s", code="middleware.E004", headers={}
        )
        await refusal(self.scope, _receive_nothing, self._send_in_place)
        self._write_line(failure="TimeoutError")

    async def _send_in_place(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin_with(message)
        await self._send(message)

    async def _settle(self, error: BaseException | None) -> None:
        """End the request that has been cancelled for its time, unless others cancelled it too."""
        assert self._answering is not None
        await self._answering
        cancelled_by_others = self._task.uncancel() > 0
        if isinstance(error, asyncio.CancelledError):
            if cancelled_by_others:
                raise error
        elif error is not None:
            logger.warning("a request failed as it was cancelled for its time", exc_info=error)


def has_left(error: BaseException) -> bool:
    """Return whether an exception only says that nobody waits for the answer any more."""
    if isinstance(error, asyncio.CancelledError):
        return True
    from starlette.requests import ClientDisconnect  # loaded by then, and dear before

    return isinstance(error, ClientDisconnect)


async def _receive_nothing() -> Message:
    return {"type": "http.disconnect"}
