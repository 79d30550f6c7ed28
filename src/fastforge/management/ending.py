"""Ending: SIGTERM and a closed terminal end a console in order, as `exit()` does."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

__all__ = ["Ending", "heard_ending"]

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
AGAIN_S: Final = 0.05
"""How long a signal may take to be heard before it is sent again."""


class Ending:
    """What has asked the process to end.

    Attributes:
        number: The signal; 0 while there was none.
    """

    def __init__(self) -> None:
        self.number = 0
        self._heard = threading.Event()
        self._prompt: Any = None

    @property
    def exit_code(self) -> int:
        """The exit code of the process: 0, or the one that a shell shows for the signal."""
        return 128 + self.number if self.number else 0

    def wakes(self, prompt: Any) -> None:
        """Have a prompt_toolkit application end as if Ctrl-D had been typed.

        An exception from outside would leave it running and the terminal as it has set it.
        """
        self._prompt = prompt

    @contextmanager
    def wakes_readline(self) -> Iterator[None]:
        """Within the block, send a signal to the main thread again until it has been heard.

        Python only notes one that comes between the prompt of readline and its wait for a key:
        the wait would go on until somebody types. Five of twelve ends of a busy machine's
        console were such.
        """
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._repeat, args=(reader,), daemon=True).start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            self._heard.set()
            writer.close()

    def _repeat(self, reader: socket.socket) -> None:
        main = threading.main_thread().ident
        with reader:
            while numbers := reader.recv(1):
                while main and numbers[0] in SIGNALS and not self._heard.wait(AGAIN_S):
                    signal.pthread_kill(main, numbers[0])

    def hear(self, number: int, _frame: object) -> None:
        """Handle the signal.

        Raises:
            SystemExit: What runs is code, or a prompt that an exception ends.
        """
        self.number = number
        self._heard.set()
        if self._prompt is not None and self._prompt.is_running:
            leave = partial(self._prompt.exit, exception=EOFError)
            self._prompt.loop.call_soon_threadsafe(leave)
        else:
            raise SystemExit(self.exit_code)


@contextmanager
def heard_ending() -> Iterator[Ending]:
    """Hear the signals within the block; one that whoever started us ignores stays ignored."""
    ending = Ending()
    before = {
        number: signal.signal(number, ending.hear)
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
