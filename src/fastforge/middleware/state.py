"""State: what an application's lifespan and its edge tell one another."""

from __future__ import annotations

from ..exceptions import ForgeError
from ..lifecycle.container import Container

__all__ = ["EdgeState"]


class EdgeState:
    """What an application's lifespan tells its edge.

    Attributes:
        container: The running project; None before the start and after the stop.
        failure: Why the start or the stop failed, when it can be told in one line.
        has_started: Whether the lifespan's start is over: also while the process stops.
        in_flight: How many requests are being worked on, their background tasks included; no
            sockets, and nothing that was refused.
    """

    __slots__ = ("container", "failure", "has_started", "in_flight")

    def __init__(self) -> None:
        self.in_flight = 0
        self.has_started = False
        self.container: Container | None = None
        self.failure: ForgeError | None = None
