"""Ending: a process whose server has stopped ends, whatever its handlers still do.

Python waits for every thread and every task before a process ends. A handler that waits without a
limit in a thread, or that takes no notice of its cancellation, would keep it until it is killed.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import suppress
from typing import Final

__all__ = ["end_soon"]

ENDS_WITHIN_S: Final = 3.0
"""How long the process may still take to end by itself; enough for what others flush at its end."""

logger = logging.getLogger("fastforge.server")


def end_soon() -> None:
    """End the process with exit code 0 in a while, unless it has ended by then.

    For processes of ours alone, whose last work was to serve: nothing else of them is awaited.
    """
    timer = threading.Timer(ENDS_WITHIN_S, _end)
    timer.daemon = True  # a process that ends by itself does not wait for it
    timer.start()


def _end() -> None:
    # Which one it is cannot be told: the idle threads of a pool are there too.
    logger.warning("the process ends although a thread or a task of it goes on")
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
            stream.flush()
    os._exit(0)
