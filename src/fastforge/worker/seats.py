"""Seats: the places of a supervisor's processes, each with the process that has it at present."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..server.inbox import Event
from ..server.process import Child
from ..server.restarts import Restarts

__all__ = ["Seat", "live_state", "ready_state"]

SILENT_AFTER_S: Final = 10
"""How long a process may report nothing, which it does every second, until it counts as stuck."""
KILL_AFTER_S: Final = 30
"""How long one that has not started yet may take to end, until it is killed."""


class Seat:
    """One of the places.

    Args:
        number: From 1 on.
        tell: Is given the event `("due", seat)` when its next process is to be started.

    Attributes:
        child: The process that has it.
        restarts: When the next one is started.
        is_done: Whether its process has ended for good.
        has_started: Whether one of its processes has been at work.
    """

    def __init__(self, number: int, tell: Callable[[Event], None]) -> None:
        self.number = number
        self.child: Child | None = None
        self.restarts = Restarts(lambda: tell(("due", self)))
        self.is_done = False
        self.has_started = False

    def state(self) -> dict[str, Any]:
        """Return the health of its process, as that has reported it."""
        if self.child is None or not self.child.has_served:
            return {"status": "fail", "notes": ["the process has not started"]}
        if is_silent(self.child):
            return {"status": "fail", "notes": ["the event loop of the process does not turn"]}
        told = self.child.said.get("health")
        return json.loads(told) if told else {"status": "fail", "notes": ["it has just started"]}


def end(child: Child) -> None:
    """Let a process end: it has the time of its own timeline, until it is killed."""
    facts = json.loads(child.said.get("served") or "{}")
    child.stop(kill_after_s=facts.get("kill_after_s", KILL_AFTER_S))


def is_silent(child: Child) -> bool:
    """Return whether a process that has started reports nothing any more."""
    return child.has_served and time.monotonic() - child.heard_at > SILENT_AFTER_S


def ready_state(seats: Sequence[Seat], *, is_stopping: bool) -> dict[str, Any]:
    """Return whether all processes can run jobs."""
    if is_stopping:
        return {"status": "fail", "notes": ["the process is stopping"]}
    states = [seat.state() for seat in seats if not seat.is_done]
    found = {state["status"] for state in states}
    worst = next((each for each in ("fail", "warn") if each in found), "pass")
    return {"status": worst, "processes": states}


def live_state(seats: Sequence[Seat]) -> dict[str, Any]:
    """Return whether the event loops of all processes turn, as far as they have started."""
    stuck = [seat.number for seat in seats if seat.child is not None and is_silent(seat.child)]
    return {"status": "fail" if stuck else "pass", "stuck": stuck}
