"""Tracebacks: whether failures are shown whole, which the environment says for every process."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["TRACEBACK_VARIABLE", "tracebacks_are_wanted"]

TRACEBACK_VARIABLE: Final = "FASTFORGE_TRACEBACK"
"""Set by whoever starts a process, or by `--traceback`, also for child processes."""


def tracebacks_are_wanted() -> bool:
    """Return whether somebody asked to see failures whole, not as one line."""
    return bool(os.environ.get(TRACEBACK_VARIABLE))
