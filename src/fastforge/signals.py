"""Signals: how a running event loop hears that its process shall end, and how one has ended."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, Final

__all__ = [
    "SIGNALS",
    "end_at_signal",
    "end_at_termination",
    "ending_of",
    "heard_signals",
    "overheard_signals",
    "remembered_termination",
]

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""What asks a process to end: a terminal's Ctrl-C, and whoever supervises it."""


@contextmanager
def heard_signals(hear: Callable[[int], None], *, once: bool = False) -> Iterator[None]:
    """Call `hear` on the running event loop at each of SIGNALS; afterwards all is as before.

    One that whoever started us ignores stays ignored; one that `remembered_termination` has caught
    is heard at once. Outside of the main thread, and on an event loop that knows no signals,
    nothing is heard. It does not nest.

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
            end_at_signal(each)
        hear(number)

    for number in _not_ignored():
        handler: Any = signal.getsignal(number)
        with contextlib.suppress(NotImplementedError):  # an event loop without signals
            loop.add_signal_handler(number, receive, number)
            before[number] = handler
            if isinstance(handler, _Memory):
                before[number] = handler.before
                if handler.has_caught:
                    receive(number)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            if handler is not None:  # one that was not installed by Python cannot be again
                signal.signal(number, handler)


@contextmanager
def overheard_signals(hear: Callable[[], None]) -> Iterator[None]:
    """Call `hear` on the running event loop at each of SIGNALS that somebody else's server takes.

    It goes on taking them. Servers of ours say by themselves that they stop, and what nobody has
    taken does its default action. Outside of the main thread nothing is heard.
    """
    import asyncio  # as above

    loop = asyncio.get_running_loop()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(hear, context=Context())

    overhearing = {
        number: _Overhearing(signal.getsignal(number), tell)
        for number in _not_ignored()
        if _is_somebody_else(signal.getsignal(number))
    }
    for number, ours in overhearing.items():
        signal.signal(number, ours)
    try:
        yield
    finally:
        for number, ours in overhearing.items():
            now: object = signal.getsignal(number)
            if now is ours:  # else it may be asked by whoever came after
                signal.signal(number, ours.before)


@contextmanager
def remembered_termination() -> Iterator[None]:
    """Keep a SIGTERM of the time before there is an event loop for `heard_signals`.

    A process that is told to stop while it starts would otherwise die of it. The second one does
    end the process, and outside of the main thread nothing is kept.
    """
    if signal.SIGTERM not in _not_ignored():
        yield
        return
    memory = _Memory(signal.getsignal(signal.SIGTERM))
    signal.signal(signal.SIGTERM, memory)
    try:
        yield
    finally:
        if isinstance(signal.getsignal(signal.SIGTERM), _Memory):  # nobody has taken it over
            signal.signal(signal.SIGTERM, memory.before)


def end_at_signal(number: int) -> None:
    """Let a signal end the process at once, whatever it is doing.

    The first process of a container too: the kernel keeps from that one what has no handler.
    """
    signal.signal(number, _exit if os.getpid() == 1 else signal.SIG_DFL)


@contextmanager
def end_at_termination() -> Iterator[None]:
    """Let SIGTERM end the process at once meanwhile, the first process of a container too.

    For the time in which nothing is open; one that whoever started us ignores stays ignored.
    """
    if signal.SIGTERM not in _not_ignored() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    end_at_signal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def ending_of(code: int) -> str:
    """Return how a process with an exit code has ended, in words.

    Args:
        code: As `subprocess` gives it: less than 0 for a signal, which may be one without a name.
    """
    if code >= 0:
        return f"ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # most of the real-time signals
        name = f"signal {-code}"
    return f"was killed by {name}"


def _exit(number: int, _frame: object) -> None:
    os._exit(128 + number)


class _Memory:
    """A signal handler that remembers that it was called, and lets the next signal through."""

    def __init__(self, before: Any) -> None:
        self.before = signal.SIG_DFL if before is None else before
        self.has_caught = False

    def __call__(self, number: int, _frame: object) -> None:
        if self.has_caught:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.has_caught = True


class _Overhearing:
    """A signal handler that tells of the signal, and gives it to the one before it."""

    def __init__(self, before: Any, tell: Callable[[], None]) -> None:
        self.before = before
        self._tell = tell

    def __call__(self, number: int, frame: object) -> None:
        self._tell()
        self.before(number, frame)


def _is_somebody_else(handler: Any) -> bool:
    is_default = handler is signal.default_int_handler or not callable(handler)
    return not is_default and not str(handler.__module__).startswith(f"{__package__}.")


def _not_ignored() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
