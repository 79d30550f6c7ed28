"""Errors: what ends an attempt from outside of its process."""

from __future__ import annotations

import signal

from ...exceptions import TaskError
from ...signals import ending_of

__all__ = ["crashed", "not_started", "timed_out"]


def crashed(code: int) -> TaskError:
    """Return the error of an attempt whose process has ended before it did."""
    memory = code == -signal.SIGKILL
    return TaskError(
        f"the process of the job {ending_of(code)}",
        code="tasks.E066",
        hint="the machine may have run out of memory" if memory else "its own output may say why",
    )


def not_started(reason: str) -> TaskError:
    """Return the error of an attempt whose process could not open the project."""
    return TaskError(
        f"the process of the job could not start: {reason}",
        code="tasks.E067",
        hint="it loads the project and opens its resources, like a worker",
    )


def timed_out(timeout_s: float) -> TimeoutError:
    """Return the error of an attempt that took too long."""
    return TimeoutError(f"it ran longer than timeout_s={timeout_s:g}; its process was ended")
