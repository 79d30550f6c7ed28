"""Farewell: what becomes of requests that still run when their time after the signal is over.

One whose answer has not begun is answered with 503, so that its client knows that it may ask
again; one whose answer has begun is cut. Each has a line in the log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from uvicorn.server import ServerState

from .._utils import counted
from ..core.timeline import CANCELLED_WITHIN_S
from ..middleware.deadline import EDGE
from ..middleware.line import route_template
from .connections import is_in_handshake, unfinished
from .gate import identify, refuse

__all__ = ["end_requests"]

LINES: Final = 20
"""How many requests have a line of their own; the others are counted."""
TICK_S: Final = 0.02

logger = logging.getLogger("fastforge.server")


async def end_requests(state: ServerState, *, graceful_s: float) -> None:
    """Answer or cut all requests, cancel all tasks of the application, close all connections.

    Args:
        state: What the server has open.
        graceful_s: How long the requests have had, for the log.
    """
    deadline = time.monotonic() + CANCELLED_WITHIN_S
    tasks = set(state.tasks)
    told, answering = _give_up(state)
    _log(told, len(tasks) - len(told), graceful_s)
    if answering:
        await asyncio.wait(answering, timeout=CANCELLED_WITHIN_S)
    # What has gone too far to be taken back, such as a commit, may still be answered.
    while any(_is_silent(cycle) for cycle in unfinished(state.connections)):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(TICK_S)
    with _no_tracebacks_of_cancellation():
        for task in tasks:
            task.cancel("the process ends")
        if tasks:
            await asyncio.wait(tasks, timeout=max(TICK_S, deadline - time.monotonic()))
            await asyncio.sleep(TICK_S)  # for what they have written at last
    for connection in list(state.connections):
        connection.transport.abort()


def _give_up(state: ServerState) -> tuple[list[str], set[asyncio.Task[None]]]:
    """Begin to answer with 503; return what becomes of each request, and what answers."""
    told: list[str] = []
    answering: set[asyncio.Task[None]] = set()
    connections: list[Any] = list(state.connections)
    for connection in connections:
        if is_in_handshake(connection):
            identify(connection.scope)
            answering.add(asyncio.create_task(_refuse(connection)))
            told.append(f"{_name(connection.scope)}: answered with 503")
        # Behind pipelined requests nobody can tell which of them an answer would be for.
        can_answer = not getattr(connection, "pipeline", None)
        for cycle in unfinished([connection]):
            task = _answer(cycle) if can_answer and not cycle.response_started else None
            if task is not None:
                answering.add(task)
                fate = "answered with 503"
            else:
                fate = "cut" if cycle.response_started or not can_answer else "about to be answered"
            told.append(f"{_name(cycle.scope)}: {fate}")
    return told, answering


def _answer(cycle: Any) -> asyncio.Task[None] | None:
    exchange = cycle.scope.get(EDGE)
    if exchange is not None:
        answering: asyncio.Task[None] | None = exchange.give_up()
        return answering
    identify(cycle.scope)
    return asyncio.create_task(_refuse(cycle))


async def _refuse(asked: Any) -> None:
    """Answer a cycle, or the handshake of a web socket."""
    await refuse(asked.scope, asked.receive, asked.send)
    asked.disconnected = True  # what the application sends from now on goes nowhere


def _is_silent(cycle: Any) -> bool:
    return not cycle.response_started


def _name(scope: Any) -> str:
    """Return which request it is: its route, not what was sent, and its id."""
    # A path without a route is shown as it was sent: percent-encoded, on one line.
    path = route_template(scope) or scope["raw_path"].decode("ascii", "replace")
    found = scope.get("state", {}).get("request_id")
    return f"{scope.get('method', 'WEBSOCKET')} {path}" + (f" (request {found})" if found else "")


def _log(told: Iterable[str], others: int, graceful_s: float) -> None:
    lines = list(told)
    late = f"still running {graceful_s:g} s after the last connection was taken"
    for line in lines[:LINES]:
        logger.warning("%s, %s", line, late)
    more = len(lines) - LINES
    if more > 0:
        logger.warning("%s, %s", counted(more, "more request", "more requests"), late)
    if others > 0:
        cancelled = counted(others, "task that answers nobody", "tasks that answer nobody")
        logger.warning("%s cancelled, %s", cancelled, late)


@contextmanager
def _no_tracebacks_of_cancellation() -> Iterator[None]:
    """Hide what uvicorn logs of each request that we cancel."""

    def is_news(record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or not issubclass(kind, asyncio.CancelledError)

    log = logging.getLogger("uvicorn.error")
    log.addFilter(is_news)
    try:
        yield
    finally:
        log.removeFilter(is_news)
