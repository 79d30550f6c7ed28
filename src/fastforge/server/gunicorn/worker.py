"""Worker: what gunicorn starts; it serves by our server in place of uvicorn's."""

from __future__ import annotations

import faulthandler
import logging
import signal
import socket
import sys
from types import FrameType
from typing import Any, ClassVar, Final

from uvicorn_worker import UvicornWorker

from ...core.processes import serving_processes
from ...ending import end_now
from ...exceptions import ForgeError, StartError
from ...observability.logging.light import begin_logging
from ..loading import resting_collector
from ..observer import Observer
from ..serve import refuse, run_server
from .logs import forget_handlers
from .serving import WorkerServer
from .slot import Slot
from .turn import Turn
from .voice import Voice
from .watchdog import Watchdog

__all__ = ["Worker"]

HELD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


class Worker(UvicornWorker):
    """A worker class for gunicorn: no request is lost when it is told to stop, or replaced.

    `manage runserver` uses it with a manager of its own. It also works by hand:

    ```console
    $ gunicorn -k fastforge.server.Worker --graceful-timeout 60 shop.asgi:app
    ```

    At SIGTERM it goes the way of `SERVER.drain_s`, `linger_s`, `graceful_s` and `teardown_s`; give
    gunicorn a `--graceful-timeout` that is longer. With `--max-requests`, or
    `SERVER.max_requests`, one worker at a time is replaced. Headers of proxies are believed from
    TRUSTED_PROXIES alone, whatever `--forwarded-allow-ips` says.

    Surprises: a worker whose event loop hangs is ended by gunicorn after `--timeout` seconds, and
    writes the lines of Python that it was at. One whose manager has been killed ends by itself,
    also where it hangs.

    Attributes:
        slot: What its manager sees of it.
        turn: Lets one worker at a time leave, under gunicorn's own manager.
        watchdog: Ends it where it hangs and no manager is left who would.
    """

    turn: ClassVar[Turn | None] = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.slot = Slot()
        self.watchdog = Watchdog(self.cfg.timeout)
        if self.voice is None:
            Worker.turn = Worker.turn or Turn()

    @property
    def voice(self) -> Voice | None:
        """What lets one of several workers speak, under our own manager."""
        voice: Voice | None = getattr(self.app, "voice", None)
        return voice

    def init_process(self) -> None:
        """Load the application, and serve it until the process ends."""
        serving_processes.set(self.cfg.workers)
        with resting_collector() as wake_collector:
            self._wake_collector = wake_collector
            super().init_process()

    def init_signals(self) -> None:
        """Let SIGTERM end the process until it serves; SIGINT is for the manager to decide."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, self.handle_quit)
        # Writes where it hangs, at SIGABRT; nowhere, where standard error is closed.
        if sys.stderr is not None and not faulthandler.is_enabled():
            faulthandler.enable(all_threads=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once: this is gunicorn's signal for it."""
        end_now(0)

    def load_wsgi(self) -> None:
        """Load the application; one that cannot be is one line."""
        begin_logging("web", getattr(self.app, "environment", ""))
        forget_handlers()
        try:
            super().load_wsgi()
        except ForgeError as error:
            if self.may_speak():
                refuse(error, Observer())
            sys.exit(StartError.exit_code)

    def run(self) -> None:
        """Serve, and end the process."""
        log = logging.getLogger("uvicorn.error")
        log.addFilter(self._is_news)
        server = WorkerServer(self, self.wsgi, wake_collector=self._wake_collector)
        sys.exit(run_server(server, [_plain(each) for each in self.sockets]))

    def _is_news(self, record: logging.LogRecord) -> bool:
        """Let one worker alone say why it cannot start."""
        return self.slot.serves or record.levelno < logging.ERROR or self.may_speak()

    def may_speak(self) -> bool:
        """Return whether this process is the one that says why they cannot start."""
        return self.voice is None or self.voice.take()


def _plain(sock: Any) -> socket.socket:
    """Return the socket that gunicorn's own kind of them holds."""
    plain: socket.socket = getattr(sock, "sock", sock)
    return plain
