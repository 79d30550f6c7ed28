"""Serving: our server inside of a worker, which says how it is and notices when it should end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from ...core.settings import Server as ServerSettings
from ...core.timeline import Timeline
from ...lifecycle import Container
from ...middleware.edge import CONTAINER
from ..lifespan import Lifespan
from ..observer import Observer
from ..serve import LINGER_S, ObservedServer, configured

if TYPE_CHECKING:
    from .worker import Worker

__all__ = ["WorkerServer"]

BEAT_S: Final = 1.0
MARGIN_S: Final = 5
"""What is left of gunicorn's limit for closing an application that is no project."""

logger = logging.getLogger("fastforge.server")


class WorkerServer(ObservedServer):
    """The server of one worker.

    Args:
        worker: The worker.
        app: The application.
        wake_collector: Ends the rest of the garbage collector.
    """

    def __init__(self, worker: Worker, app: Any, *, wake_collector: Callable[[], None]) -> None:
        is_managed = worker.voice is not None
        super().__init__(
            configured(app, access_log=True),
            linger_s=LINGER_S,
            graceful_s=max(0, worker.cfg.graceful_timeout - MARGIN_S),
            ends_process=True,
        )
        self.observer, self.wake_collector = Observer(), wake_collector
        self._worker = worker
        self._is_managed = is_managed
        self._max_requests_here = worker.max_requests

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # From the start on, during which the manager may be killed as well.
        self._beating = asyncio.create_task(self._beat())
        if isinstance(self.lifespan, Lifespan):
            self.lifespan.may_tell = self._worker.may_speak
        await super().startup(sockets)
        container = self.lifespan.state.get(CONTAINER)
        if container is not None:
            self._go_by(container)
        else:
            self._worker.slot.stop_s = self.linger_s + self.graceful_s + MARGIN_S
        self._show_life()
        self._worker.slot.serves = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        slot = self._worker.slot
        slot.leaves = True
        # The manager keeps the listener open, and others accept, unless all of them stop.
        self.accepts_while_draining = slot.is_last or not self._is_managed
        if slot.hurries:
            self.drain_s = self.spread_s = 0
        super().handle_exit(sig, frame)
        # Gunicorn may say it twice, and means the same; what it has for "at once" is SIGQUIT.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._owns_listeners = self._worker.slot.is_last
        await super().shutdown(sockets)

    def _go_by(self, container: Container) -> None:
        """Take the limits from the settings of the project that is served."""
        timeline = Timeline.of_server(container)
        self.drain_s, self.linger_s = timeline.drain_s, timeline.linger_s
        self.graceful_s = timeline.graceful_s
        settings = container.settings
        self.spread_s = settings.section(ServerSettings).spread_in(settings.environment)
        self._worker.slot.stop_s = timeline.stop_s
        if not self._is_managed:
            self._go_by_gunicorn(container.settings.section(ServerSettings), timeline)

    def _go_by_gunicorn(self, settings: ServerSettings, timeline: Timeline) -> None:
        if settings.max_requests is not None and not self._worker.cfg.max_requests:
            self._max_requests_here = settings.max_requests
        limit_s = self._worker.cfg.graceful_timeout
        if self._worker.age == 1 and limit_s < timeline.stop_s:
            logger.warning(
                "gunicorn kills a worker %g s after it was told to stop, which may take %g s: use"
                " --graceful-timeout %d",
                limit_s,
                timeline.stop_s,
                timeline.kill_after_s,
            )

    async def _beat(self) -> None:
        """Show that the event loop turns, and see whether the manager lives, until the end."""
        while True:
            if self._worker.slot.serves:  # before, nobody waits for a sign of life
                self._show_life()
            if not self._worker.slot.leaves and self._should_leave():
                self.handle_exit(signal.SIGTERM, None)
            await asyncio.sleep(BEAT_S)

    def _show_life(self) -> None:
        self._worker.notify()
        self._worker.watchdog.hear()

    def _should_leave(self) -> bool:
        if os.getppid() != self._worker.ppid:  # the manager was killed
            return True
        if self.server_state.total_requests < self._max_requests_here:
            return False
        if self._is_managed:  # it is told to once another one serves in its place
            self._worker.slot.is_tired = True
            return False
        turn = self._worker.turn
        return turn is None or turn.take()
