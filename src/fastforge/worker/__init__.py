"""The worker as a program: one process, or several under a supervisor that restarts them.

Names are imported when they are first used: a supervisor imports little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .running import run_worker as run_worker

_LAZY = {"run_worker": "running"}

__all__ = ["run_worker"]


def __getattr__(name: str) -> object:
    from .._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
