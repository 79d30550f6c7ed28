"""What a process says about itself.

A settings module imports sections from here, so that the rest is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .settings import Logging as Logging
    from .strict.errors import BlockingCallError as BlockingCallError
    from .strict.guard import allow_blocking as allow_blocking
    from .strict.mode import strict_mode as strict_mode
    from .watchdog.settings import Watchdog as Watchdog

__all__ = ["BlockingCallError", "Logging", "Watchdog", "allow_blocking", "strict_mode"]

_LAZY = {
    "BlockingCallError": "strict.errors",
    "Logging": "settings",
    "Watchdog": "watchdog.settings",
    "allow_blocking": "strict.guard",
    "strict_mode": "strict.mode",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
