"""Ending: a process ends although a thread or a task of it does not.

Python waits for every thread that is no daemon, and an event loop for every task that it has
cancelled. One that waits without a limit would keep the process until it is killed.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, NoReturn

__all__ = ["end_now", "end_soon", "leave_behind", "will_exit", "write_at_end"]

ENDS_WITHIN_S: Final = 3.0
"""How long a process may still take to end by itself; enough for what others flush at its end."""


class _Ending:
    """What the end of this process depends on."""

    def __init__(self) -> None:
        self.left: set[threading.Thread] = set()
        self.exit_code = 0
        self.last: list[Callable[[], object]] = []


_ending = _Ending()


def leave_behind(threads: Iterable[threading.Thread]) -> None:
    """Let the process end once its main thread has, although these threads are at work then.

    AnyIO's threads are no daemons. Whatever of these has ended by then needs nothing of this, and
    all other threads are waited for.
    """
    is_first = not _ending.left
    _ending.left.update(threads)
    if is_first and _ending.left:
        threading.Thread(target=_end_with_main_thread, name="fastforge ending", daemon=True).start()


def end_soon(within_s: float = ENDS_WITHIN_S) -> None:
    """End the process in a while, whatever goes on in it, unless it has ended by then.

    For one whose last work is done: nothing else of it is waited for.

    Args:
        within_s: How long it may still take, in seconds.
    """
    timer = threading.Timer(within_s, _end_late)
    timer.daemon = True  # a process that ends by itself does not wait for it
    timer.start()


def will_exit(code: int) -> None:
    """Say which exit code the process is about to have, for when it does not end by itself.

    The code that a program exits with is out of reach for the thread that has to end it. Unless
    said it is 0, or 1 when an exception has ended the main thread.
    """
    _ending.exit_code = code


def _end_with_main_thread() -> None:
    threading.main_thread().join()
    for thread in threading.enumerate():
        if not (thread.daemon or thread in _ending.left or thread is threading.main_thread()):
            thread.join()
    if any(thread.is_alive() for thread in _ending.left):
        _end()


def _end_late() -> None:
    import logging

    # Which one it is cannot be told: the idle threads of a pool are there too.
    logging.getLogger("fastforge.ending").warning(
        "the process ends although a thread or a task of it goes on"
    )
    _end()


def end_now(code: int) -> NoReturn:
    """End the process without asking anything in it, whatever hangs and whoever holds a lock.

    Args:
        code: The exit code.
    """
    for last in _ending.last:
        with suppress(Exception):
            last()
    os._exit(code)


def write_at_end(last: Callable[[], object]) -> None:
    """Have what waits to be written written also when the process is ended, not only by itself.

    Args:
        last: Writes it, and waits for nobody without a limit.
    """
    _ending.last.append(last)


def _end() -> None:
    import logging  # a process that ends by itself has no need of it

    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # none, unread or closed
            stream.flush()
    end_now(_ending.exit_code or _has_failed())


def _has_failed() -> bool:
    """Return whether an exception has ended the main thread: Python keeps the last one."""
    return getattr(sys, "last_value", None) is not None
