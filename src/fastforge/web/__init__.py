"""HTTP: routers, middleware and error answers as an app declares them.

A settings module imports `Middleware` from here, so that the rest is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .callers import Caller as Caller
    from .callers import caller as caller
    from .document import OpenApiPart as OpenApiPart
    from .document import openapi_part as openapi_part
    from .errorpage.panel import ErrorPanel as ErrorPanel
    from .errorpage.panel import PanelRow as PanelRow
    from .errorpage.panel import error_panel as error_panel
    from .errors.formats import ErrorFormat as ErrorFormat
    from .errors.formats import error_format as error_format
    from .errors.problems import FieldError as FieldError
    from .errors.problems import Problem as Problem
    from .errors.responses import problem_response as problem_response
    from .limits import time_limit as time_limit
    from .middleware import Middleware as Middleware
    from .middleware import Slot as Slot
    from .policies import policy as policy
    from .policies import public as public
    from .redirects import safe_redirect as safe_redirect
    from .redirects import safe_target as safe_target
    from .settings import Cors as Cors
    from .settings import Health as Health
    from .settings import Security as Security

__all__ = [
    "Caller",
    "Cors",
    "ErrorFormat",
    "ErrorPanel",
    "FieldError",
    "Health",
    "Middleware",
    "OpenApiPart",
    "PanelRow",
    "Problem",
    "Security",
    "Slot",
    "caller",
    "error_format",
    "error_panel",
    "openapi_part",
    "policy",
    "problem_response",
    "public",
    "safe_redirect",
    "safe_target",
    "time_limit",
]

_LAZY = {
    "Caller": "callers",
    "Cors": "settings",
    "ErrorFormat": "errors.formats",
    "ErrorPanel": "errorpage.panel",
    "FieldError": "errors.problems",
    "Health": "settings",
    "Middleware": "middleware",
    "OpenApiPart": "document",
    "PanelRow": "errorpage.panel",
    "Problem": "errors.problems",
    "Security": "settings",
    "Slot": "middleware",
    "caller": "callers",
    "error_format": "errors.formats",
    "error_panel": "errorpage.panel",
    "openapi_part": "document",
    "policy": "policies",
    "problem_response": "errors.responses",
    "public": "policies",
    "safe_redirect": "redirects",
    "safe_target": "redirects",
    "time_limit": "limits",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
