"""Process: one child of a supervisor, from its start to the code that it ends with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .inbox import Event
from .orders import GO

if TYPE_CHECKING:
    from .failure import Failure

__all__ = ["Child", "Program"]

KILL_AFTER_S: Final = 30
"""More than requests, jobs, services and resources have together, in development: 27 s."""
READ_WITHIN_S: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a child runs: `python -m module orders`.

    Args:
        module: The module's dotted name.
        orders: Gives what it is told, from the numbers of the pipes: where it hears, where it
            reports.
        inherited: The numbers of what else it shall have open.
    """

    module: str
    orders: Callable[[int, int], str]
    inherited: tuple[int, ...] = ()


class Child:
    """A process that serves, or works; what happens to it arrives as events.

    `("served", child)` and `("failed", child)` once it has started or could not, and
    `("ended", child)` at last. Whatever else it reports is kept.

    Args:
        program: What it runs.
        tell: Is given each event, from threads.

    Attributes:
        failure: Why it could not start.
        has_served: Whether it has started.
        said: What it has reported last, by the first word.
        heard_at: When it has reported last, as seconds of the monotonic clock.
        started: When it was started, as seconds of the monotonic clock.
        code: Its exit code.
    """

    def __init__(self, program: Program, tell: Callable[[Event], None]) -> None:
        self.failure: Failure | None = None
        self.has_served = False
        self.said: dict[str, str] = {}
        self.heard_at = 0.0
        self.started = time.monotonic()
        self.code = 0
        self._tell = tell
        self._killer: threading.Timer | None = None
        self._closing = threading.Lock()
        control, self._control = os.pipe()
        self._report, report = os.pipe()
        try:
            self._popen = _start(program, control, report)
        finally:
            os.close(control)
            os.close(report)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, daemon=True).start()

    def let_start(self) -> None:
        """Let it open what the application needs: nobody else has it open any more."""
        with self._closing, suppress(OSError):  # it has ended
            os.write(self._control, GO)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._popen.pid

    def stop(self, *, kill_after_s: float = KILL_AFTER_S) -> None:
        """End it: gracefully, or by force when it has not ended after so many seconds."""
        self._popen.terminate()
        if self._killer is None:
            self._killer = threading.Timer(kill_after_s, self.kill)
            self._killer.daemon = True
            self._killer.start()

    def kill(self) -> None:
        """End it at once."""
        self._popen.kill()

    def _read(self) -> None:
        with open(self._report, encoding="utf-8") as pipe:
            for line in pipe:
                word, _, details = line.rstrip("\n").partition(" ")
                self._hear(word, details)

    def _hear(self, word: str, details: str) -> None:
        self.said[word] = details
        self.heard_at = time.monotonic()
        if word == "failed":
            from .failure import Failure

            self.failure = Failure.from_json(details)
        elif word == "served":
            self.has_served = True
        else:
            return
        self._tell((word, self))

    def _wait(self) -> None:
        self.code = self._popen.wait()
        self._reader.join(READ_WITHIN_S)
        if self._killer is not None:
            self._killer.cancel()
        # Not while it is written to: another file of this process may soon have the number.
        with self._closing:
            os.close(self._control)
            self._control = -1
        self._tell(("ended", self))


def _start(program: Program, control: int, report: int) -> subprocess.Popen[bytes]:
    warnings = (f"-W{option}" for option in sys.warnoptions)
    orders = program.orders(control, report)
    # Blocked from its first instruction on: a Ctrl-C of the terminal is for us alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            [sys.executable, *warnings, "-m", program.module, orders],
            pass_fds=(*program.inherited, control, report),
        )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
