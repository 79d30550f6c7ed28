"""The kinds of components that have to do with HTTP."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from ..components import Kind
from .callers import Caller
from .document import OpenApiPart
from .errorpage.panel import ErrorPanel
from .errors.formats import ErrorFormat
from .middleware import Middleware

__all__ = ["CALLERS", "ERROR_FORMATS", "ERROR_PANELS", "MIDDLEWARE", "OPENAPI_PARTS", "ROUTERS"]

ROUTERS: Final = Kind(name="routers", type=APIRouter, module="routes")
MIDDLEWARE: Final = Kind(
    name="middleware", type=Middleware, module="middleware", validate=Middleware.validate
)
ERROR_FORMATS: Final = Kind(
    name="error_formats",
    type=ErrorFormat,
    module="errors",
    home=lambda value: value.function,
    validate=ErrorFormat.validate,
)
ERROR_PANELS: Final = Kind(
    name="error_panels",
    type=ErrorPanel,
    module="panels",
    home=lambda value: value.function,
    deferred=True,
)
CALLERS: Final = Kind(
    name="callers",
    type=Caller,
    module="callers",
    key=lambda caller: caller.name,
    home=lambda caller: caller.identify,
)
OPENAPI_PARTS: Final = Kind(
    name="openapi_parts",
    type=OpenApiPart,
    module="openapi",
    home=lambda part: part.write,
    deferred=True,
)
