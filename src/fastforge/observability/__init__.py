"""What a process says about itself.

A settings module imports sections from here, so that the rest is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .settings import Logging as Logging
    from .watchdog.settings import Watchdog as Watchdog

__all__ = ["Logging", "Watchdog"]

_LAZY = {"Logging": "settings", "Watchdog": "watchdog.settings"}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
