"""Signals: how a running event loop hears that its process shall end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["SIGNALS", "heard_signals"]

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""What asks a process to end: a terminal's Ctrl-C, and whoever supervises it."""


@contextmanager
def heard_signals(hear: Callable[[int], None], *, once: bool = False) -> Iterator[None]:
    """Call `hear` on the running event loop at each of SIGNALS; afterwards all is as before.

    One that whoever started us ignores stays ignored. Outside of the main thread, and on an event
    loop that knows no signals, nothing is heard. It does not nest.

    Args:
        hear: Is given the number of the signal.
        once: The first signal gives all of them their default action, for good: the next one ends
            the process without its cooperation.
    """
    import asyncio  # a supervisor takes SIGNALS alone, and has no time to lose

    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}

    def receive(number: int) -> None:
        while once and before:
            each, _ = before.popitem()
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        hear(number)

    for number in _not_ignored():
        handler = signal.getsignal(number)
        with contextlib.suppress(NotImplementedError):  # an event loop without signals
            loop.add_signal_handler(number, receive, number)
            before[number] = handler
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            if handler is not None:  # one that was not installed by Python cannot be again
                signal.signal(number, handler)


def _not_ignored() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
