"""Link: a child's end of the two pipes between it and its supervisor."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Final

from ..ending import end_now
from .orders import GO

__all__ = ["Link"]

ORPHAN_LIMIT_S: Final = 30


class Link:
    """Tells the supervisor how far the child is, waits for its word, and notices when it is gone.

    Then the process has a SIGTERM, and ends by force when it does not end by itself.

    Args:
        control: The number of a pipe's reading end: GO lets the child start.
        report: The number of a pipe's writing end.

    Attributes:
        orphan_limit_s: How long the process may take to end without a supervisor, in seconds.
    """

    def __init__(self, control: int, report: int) -> None:
        for number in (control, report):
            os.set_inheritable(number, False)  # processes that the child starts hold nothing
        self._control = control
        self._pipe = report
        self.orphan_limit_s: float = ORPHAN_LIMIT_S
        self._may_start = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def wait_for_start(self) -> None:
        """Wait until whoever was there before has closed everything."""
        self._may_start.wait()

    def failed(self, error: BaseException, message: str = "") -> None:
        """Tell why the child cannot start.

        Args:
            error: What was raised.
            message: What the application said of it.
        """
        from .failure import Failure

        self.report("failed", Failure.of(error, message).to_json())

    def report(self, word: str, details: str = "") -> None:
        """Tell something in one line."""
        # A supervisor that is gone is noticed at the other pipe.
        with suppress(OSError), open(self._pipe, "w", closefd=False, encoding="utf-8") as pipe:
            pipe.write(f"{word} {details}\n")

    def _listen(self) -> None:
        while os.read(self._control, 1) == GO:
            self._may_start.set()
        # The pipe's holder is dead, even by SIGKILL.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self.orphan_limit_s)
        end_now(1)
