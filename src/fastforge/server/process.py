"""Process: one child of the supervisor, from its start to the code that it ends with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from .orders import GO, Orders

if TYPE_CHECKING:
    from .failure import Failure

__all__ = ["Child", "Event"]

KILL_AFTER_S: Final = 20
"""More than requests, jobs and resources have together, in development."""
READ_WITHIN_S: Final = 1

Event: TypeAlias = tuple[str, object]


class Child:
    """A process that serves; what happens to it arrives as events.

    `("served", child)` and `("failed", child)` once it has started or could not, and
    `("ended", child)` at last.

    Args:
        orders: What it is told.
        sock: The number of the socket that it inherits.
        environ: Its environment.
        tell: Is given each event, from threads.

    Attributes:
        failure: Why it could not start.
        has_served: Whether it has answered requests.
        started: When it was started, as seconds of the monotonic clock.
        code: Its exit code.
    """

    def __init__(
        self,
        orders: Callable[[int, int], Orders],
        sock: int,
        environ: dict[str, str],
        tell: Callable[[Event], None],
    ) -> None:
        self.failure: Failure | None = None
        self.has_served = False
        self.started = time.monotonic()
        self.code = 0
        self._tell = tell
        self._killer: threading.Timer | None = None
        control, self._control = os.pipe()
        self._report, report = os.pipe()
        try:
            self._popen = _start(orders(control, report), (sock, control, report), environ)
        finally:
            os.close(control)
            os.close(report)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, daemon=True).start()

    def let_start(self) -> None:
        """Let it open what the application needs: nobody else has it open any more."""
        with suppress(OSError):  # it has ended
            os.write(self._control, GO)

    def stop(self) -> None:
        """End it: gracefully, or by force when it does not end."""
        self._popen.terminate()
        if self._killer is None:
            self._killer = threading.Timer(KILL_AFTER_S, self.kill)
            self._killer.daemon = True
            self._killer.start()

    def kill(self) -> None:
        """End it at once."""
        self._popen.kill()

    def _read(self) -> None:
        with open(self._report, encoding="utf-8") as pipe:
            for line in pipe:
                word, _, details = line.partition(" ")
                if word == "failed":
                    from .failure import Failure

                    self.failure = Failure.from_json(details)
                else:
                    self.has_served = True
                self._tell((word, self))

    def _wait(self) -> None:
        self.code = self._popen.wait()
        self._reader.join(READ_WITHIN_S)
        if self._killer is not None:
            self._killer.cancel()
        control, self._control = self._control, -1
        os.close(control)
        self._tell(("ended", self))


def _start(
    orders: Orders, inherited: tuple[int, ...], environ: dict[str, str]
) -> subprocess.Popen[bytes]:
    warnings = (f"-W{option}" for option in sys.warnoptions)
    command = [sys.executable, *warnings, "-m", "fastforge.server.child", orders.to_argument()]
    # Blocked from its first instruction on: a Ctrl-C of the terminal is for us alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(command, pass_fds=inherited, env=environ)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
