"""HTTP: routers, middleware and error answers as an app declares them.

A settings module imports `Middleware` from here, so that the rest is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .errors import problem_response as problem_response
    from .limits import time_limit as time_limit
    from .middleware import Middleware as Middleware
    from .middleware import Slot as Slot
    from .settings import Cors as Cors
    from .settings import Health as Health
    from .settings import Security as Security

__all__ = ["Cors", "Health", "Middleware", "Security", "Slot", "problem_response", "time_limit"]

_LAZY = {
    "Cors": "settings",
    "Health": "settings",
    "Middleware": "middleware",
    "Security": "settings",
    "Slot": "middleware",
    "problem_response": "errors",
    "time_limit": "limits",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
