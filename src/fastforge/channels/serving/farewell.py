"""Farewell: a process that stops closes its sockets one after the other, and says that it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ...lifecycle import Container
from ..codes import RESTART

if TYPE_CHECKING:
    from ..rooms.hub import Hub

__all__ = ["RESTART_REASON", "Farewell"]

RESTART_REASON: Final = "restart"
SPREAD_S: Final = 5.0
"""Over how long, in production: their clients shall not come back all at once."""


class Farewell:
    """Closes those that no server of ours closes at their turn: sockets elsewhere, and streams.

    Args:
        container: The running project.
        hub: Has the sockets.
    """

    __slots__ = ("_began", "_container", "_hub", "_seen", "_spread_s")

    def __init__(self, container: Container, hub: Hub) -> None:
        self._began: float | None = None
        self._container = container
        self._hub = hub
        self._seen = 0
        self._spread_s = SPREAD_S if container.settings.environment == "production" else 0.0

    def tick(self, now: float) -> None:
        """Close as many as must be closed by now; every now and then somebody calls it.

        Args:
            now: What `time.monotonic` says.
        """
        if not self._container.draining:
            return
        if self._began is None:
            self._began = now
        sockets = [each for each in self._hub.sockets if each.awaits_farewell]
        self._seen = max(self._seen, len(sockets))
        left_s = self._began + self._spread_s - now
        stay = math.floor(self._seen * left_s / self._spread_s) if left_s > 0 else 0
        for socket in sockets[: max(0, len(sockets) - stay)]:
            socket.close(RESTART, RESTART_REASON)
