"""Patience: how long a worker that is to end when nothing is due waits for its backend."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from .._utils import told
from ..core.settings import Server
from ..exceptions import ForgeError, StartError
from ..lifecycle import Container
from ..tasks.backend import backend_of
from .state import WorkerState

__all__ = ["lose_patience"]

LEAST_S: Final = 3.0
"""A file that is locked for a moment, or a server that restarts, is no reason to give up."""
LOOK_S: Final = 0.05
ASK_LIMIT_S: Final = 5.0


async def lose_patience(container: Container, state: WorkerState) -> StartError:
    """Return when the backend has failed for too long without a break: the error to end with.

    Whoever calls `runworker --burst` waits for its end, as a step of a pipeline or of a cron does.
    The limit is that for what cannot be reached at the start: SERVER.start_deadline_s.

    Args:
        container: The running project.
        state: Tells whether the backend fails at present.
    """
    settings = container.settings
    start_deadline_s = settings.section(Server).start_deadline_in(settings.environment)
    limit_s = max(LEAST_S, start_deadline_s)
    failing_since = None
    while failing_since is None or time.monotonic() - failing_since < limit_s:
        await asyncio.sleep(LOOK_S)
        if not state.is_failing:
            failing_since = None
        elif failing_since is None:
            failing_since = time.monotonic()
    return StartError(
        f"the task backend has failed for {limit_s:g} s{await _reason(container)}",
        code="tasks.E093",
        hint="--burst waits no longer; a slow start is given more time by SERVER.start_deadline_s",
    )


async def _reason(container: Container) -> str:
    try:
        async with asyncio.timeout(ASK_LIMIT_S):
            await backend_of(container).desk.stats()
    except ForgeError as error:
        return f": {error.message}"
    except Exception as error:
        return f": {told(error)}"
    return ""  # it is asked and answers; why it takes nothing stands in the log
