"""Ending: a process ends although some of its threads do not."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable

__all__ = ["leave_behind", "will_exit"]


class _Ending:
    """What the end of this process depends on."""

    def __init__(self) -> None:
        self.left: set[threading.Thread] = set()
        self.exit_code = 0


_ending = _Ending()


def leave_behind(threads: Iterable[threading.Thread]) -> None:
    """Let the process end once its main thread has, although these threads are at work then.

    Python waits for every thread that is no daemon, and AnyIO's are none. Whatever of these has
    ended by then needs nothing of this, and all other threads are waited for.
    """
    is_first = not _ending.left
    _ending.left.update(threads)
    if is_first and _ending.left:
        threading.Thread(target=_end_with_main_thread, name="fastforge ending", daemon=True).start()


def will_exit(code: int) -> None:
    """Say which exit code the process is about to have, for when it has left threads behind.

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
        import logging  # a process that ends by itself has no need of it

        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_ending.exit_code or _has_failed())


def _has_failed() -> bool:
    """Return whether an exception has ended the main thread: Python keeps the last one."""
    return getattr(sys, "last_value", None) is not None
