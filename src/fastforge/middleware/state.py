"""State: what an application's lifespan and its edge tell one another."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from ..exceptions import ForgeError
from ..lifecycle.container import Container
from ..observability.metrics.requests import RequestMeter

__all__ = ["EdgeState", "edge_states"]


class EdgeState:
    """What an application's lifespan tells its edge.

    Attributes:
        container: The running project; None before the start and after the stop.
        failure: Why the start or the stop failed, when it can be told in one line.
        has_started: Whether the lifespan's start is over: also while the process stops.
        in_flight: How many requests are being worked on, their background tasks included; no
            sockets, and nothing that was refused.
        requests: Where requests are counted; None while nobody exports that.
        sockets: How many web sockets are open.
    """

    __slots__ = (
        "__weakref__",
        "container",
        "failure",
        "has_started",
        "in_flight",
        "requests",
        "sockets",
    )

    def __init__(self) -> None:
        self.in_flight = self.sockets = 0
        self.has_started = False
        self.requests: RequestMeter | None = None
        self.container: Container | None = None
        self.failure: ForgeError | None = None


edge_states: Final[WeakKeyDictionary[Container, EdgeState]] = WeakKeyDictionary()
"""What the edge of a running project counts, for whoever measures."""
