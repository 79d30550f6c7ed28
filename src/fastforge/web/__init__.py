"""HTTP: routers, middleware and error answers as an app declares them.

A settings module imports `Middleware` from here, so that the rest is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .formats import ErrorFormat as ErrorFormat
    from .formats import error_format as error_format
    from .limits import time_limit as time_limit
    from .middleware import Middleware as Middleware
    from .middleware import Slot as Slot
    from .problems import FieldError as FieldError
    from .problems import Problem as Problem
    from .responses import problem_response as problem_response
    from .settings import Cors as Cors
    from .settings import Health as Health
    from .settings import Security as Security

__all__ = [
    "Cors",
    "ErrorFormat",
    "FieldError",
    "Health",
    "Middleware",
    "Problem",
    "Security",
    "Slot",
    "error_format",
    "problem_response",
    "time_limit",
]

_LAZY = {
    "Cors": "settings",
    "ErrorFormat": "formats",
    "FieldError": "problems",
    "Health": "settings",
    "Middleware": "middleware",
    "Problem": "problems",
    "Security": "settings",
    "Slot": "middleware",
    "error_format": "formats",
    "problem_response": "responses",
    "time_limit": "limits",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
