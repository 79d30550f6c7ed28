"""Loop: the event loop that a worker runs on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

__all__ = ["loop_factory"]


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop: uvloop where it is installed, as uvicorn does it.

    It comes with `uvicorn[standard]`. None is the usual loop of asyncio.
    """
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
