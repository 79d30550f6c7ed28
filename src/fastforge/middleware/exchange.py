"""Exchange: one request and its answer, as the edge sees them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextvars import Context
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..lifecycle.container import container_here
from ..observability.context import new_request_id, request_id
from .answer import AnswerHeaders
from .deadline import EDGE, Deadlines
from .entrance import Entrance
from .policy import EdgePolicy
from .state import EdgeState
from .template import route_template

__all__ = ["Exchange", "Rules", "has_left"]

logger = logging.getLogger("fastforge.middleware")

OK: Final = 200
FAILED: Final = 500
_LAST_MESSAGES: Final = frozenset({"http.response.body", "http.response.pathsend"})


class Rules:
    """What all exchanges of an edge have in common.

    Args:
        app: The application.
        state: What its lifespan tells.
        policy: What the settings say.
    """

    __slots__ = ("answers", "app", "deadlines", "entrance", "log", "policy", "state")

    def __init__(self, app: ASGIApp, state: EdgeState, policy: EdgePolicy) -> None:
        limit_s = policy.shortest_time_limit_s
        self.app = app
        self.state = state
        self.policy = policy
        self.answers = AnswerHeaders(policy)
        self.entrance = Entrance(policy)
        self.deadlines = None if limit_s is None else Deadlines(limit_s)
        self.log = policy.access_log

    def id_for(self, scope: Scope) -> str:
        """Return the id of a request or socket, after believing what trusted proxies tell."""
        told = "" if self.policy.client_of is None else self.entrance.foreign_id(scope)
        return told or new_request_id()


class Exchange:
    """Stands between the application and the server while one request is answered.

    Until the answer begins it may be replaced by a 504; nothing that the application sends after
    that reaches the client.

    Every call here costs every request: what looks as if it wanted to be a function of its own
    has been one.

    Args:
        rules: Those of the edge.
        scope: The request's.
        send: The server's.

    Attributes:
        started: When the request came, by `time.perf_counter`.
    """

    __slots__ = (
        "_answering",
        "_complete",
        "_container",
        "_id",
        "_is_counted",
        "_is_limited",
        "_is_probe",
        "_log",
        "_path",
        "_root_path",
        "_rules",
        "_scope",
        "_send",
        "_status",
        "_task",
        "_timer",
        "started",
    )

    _task: asyncio.Task[Any]

    def __init__(self, rules: Rules, scope: Scope, send: Send) -> None:
        self.started = time.perf_counter()
        self._answering: asyncio.Task[None] | None = None
        self._complete = self._is_counted = self._is_limited = self._is_probe = False
        self._container = rules.state.container
        self._id = rules.id_for(scope)
        self._log = rules.log
        # What stands inside may write into the scope.
        self._path: str = scope.get("path", "")
        self._root_path: str = scope.get("root_path", "")
        self._rules = rules
        self._scope = scope
        self._send = send
        self._status: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, receive: Receive) -> None:
        """Let the application, or what takes its place, answer."""
        scope, container = self._scope, self._container
        scope[EDGE] = self
        scope.setdefault("state", {})["request_id"] = self._id
        id_token = request_id.set(self._id)
        container_token = None if container is None else container_here.set(container)
        try:
            app = self._admitted()
            await app(scope, receive, self.send)
        except BaseException as error:
            if not await self._is_settled(error):
                raise
        else:
            if self._log is not None or self._status is None:
                await self._is_settled(None)
        finally:
            if self._is_counted:
                self._rules.state.in_flight -= 1
            del scope[EDGE]  # a circle, which the garbage collector would have to find
            request_id.reset(id_token)
            if container_token is not None:
                container_here.reset(container_token)

    def _admitted(self) -> ASGIApp:
        """Return the application, or what answers in its place; count and limit it."""
        rules = self._rules
        policy = rules.policy
        if policy.probes:
            path = self._path
            root_path = self._root_path
            probe = policy.probes.get(path.removeprefix(root_path) if root_path else path)
            if probe is not None:
                self._is_probe = True
                return probe
        refusal = rules.entrance.refusal(self._scope)
        if refusal is not None:
            return refusal
        limit = policy.concurrency_limit
        if limit is not None and rules.state.in_flight >= limit:
            return rules.entrance.busy()
        rules.state.in_flight += 1
        self._is_counted = True
        if rules.deadlines is not None:
            self._is_limited = True
            self._task = rules.deadlines.add(self)
        return rules.app

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the application, unless its time is over."""
        if self._answering is not None:
            # Not quietly: whoever has missed the first cancellation would run background tasks.
            raise asyncio.CancelledError("the request has been answered with 504")
        kind = message["type"]
        if kind == "http.response.start":
            if self._is_limited:
                self.begin()
            self._start(message)
        elif self._log is not None and kind in _LAST_MESSAGES and not message.get("more_body"):
            return self._send_last(message)
        return self._send(message)  # the server's coroutine itself: one around it costs time

    def begin(self) -> bool:
        """Stop the clock; return whether the answer of the application may still be sent."""
        if self._is_limited:
            self._is_limited = False
            if self._timer is not None:
                self._timer.cancel()
            elif self._rules.deadlines is not None:
                self._rules.deadlines.discard(self)
        return self._answering is None

    def look_at_limit(self) -> None:
        """Answer with 504 when the limit of the route is over; else look again when it is."""
        limit_s = self._rules.policy.time_limit_of(self._scope.get("endpoint"))
        if limit_s is None:
            return
        loop = asyncio.get_running_loop()
        remaining_s = self.started + limit_s - time.perf_counter()
        if remaining_s > 0:
            self._timer = loop.call_later(remaining_s, self.look_at_limit, context=Context())
            return
        self._is_limited = False
        self._answering = loop.create_task(self._answer_in_place(limit_s))
        self._task.cancel(f"no answer within {limit_s:g} s")

    def _start(self, message: Message) -> None:
        self._status = status = message["status"]
        if self._is_probe and status == OK:
            self._log = None
        container = self._container
        self._rules.answers.complete(
            message,
            self._id,
            https=self._scope.get("scheme") == "https",
            closes=container is not None and container.draining,
        )

    async def _send_last(self, message: Message) -> None:
        await self._send(message)
        self._complete = True
        if self._status is not None and self._status < FAILED:  # why one failed is known later
            self._write_line()

    async def _is_settled(self, error: BaseException | None) -> bool:
        """End an exchange; return whether the error that ended the application is dealt with."""
        self.begin()
        if self._answering is not None:
            await self._answering
            return self._is_our_cancellation(error)
        if self._log is not None:
            self._write_end(error)
        # That a client has left is told by the line; servers would log it as a failure of ours.
        return isinstance(error, Exception) and has_left(error)

    def _write_end(self, error: BaseException | None) -> None:
        if error is None and self._complete:
            self._write_line()
        elif error is None or has_left(error):
            self._write_line(cancelled=True)
        else:
            self._status = self._status or FAILED  # servers answer so in our place
            self._write_line(failure=type(error).__name__)

    def _is_our_cancellation(self, error: BaseException | None) -> bool:
        """Take back the cancellation; return whether nobody else wants the task to end."""
        cancelled_by_others = self._task.uncancel() > 0
        if isinstance(error, Exception):
            logger.warning("a request failed as it was cancelled for its time", exc_info=error)
            return True
        return isinstance(error, asyncio.CancelledError) and not cancelled_by_others

    def _write_line(self, *, failure: str | None = None, cancelled: bool = False) -> None:
        scope, log = self._scope, self._log
        if log is None:
            return
        self._log = None
        client = scope.get("client")
        log.write(
            request_id=self._id,
            method=scope["method"],
            path=self._path,
            route=route_template(scope, self._root_path),
            status_code=self._status,
            duration_ms=int((time.perf_counter() - self.started) * 1e6) / 1000,
            client=client[0] if client else None,
            failure=failure,
            cancelled=cancelled,
        )

    async def _answer_in_place(self, limit_s: float) -> None:
        """Answer with 504 in place of the application."""
        request_id.set(self._id)  # this task's own context came from the timer
        if self._container is not None:
            container_here.set(self._container)
        refusal = self._rules.policy.refuse(
            504, detail=f"no answer within {limit_s:g} s", code="middleware.E004", headers={}
        )
        await refusal(self._scope, _receive_nothing, self._send_in_place)
        self._write_line(failure="TimeoutError")

    async def _send_in_place(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start(message)
        await self._send(message)


def has_left(error: BaseException) -> bool:
    """Return whether an exception only says that nobody waits for the answer any more."""
    if isinstance(error, asyncio.CancelledError):
        return True
    from starlette.requests import ClientDisconnect  # loaded by then, and dear before

    return isinstance(error, ClientDisconnect)


async def _receive_nothing() -> Message:
    return {"type": "http.disconnect"}
