"""The layer that this app declares."""

from __future__ import annotations

from typing import Final

from ...web.middleware import Middleware
from .layer import RateLimits

__all__ = ["RATE_LIMITS"]

RATE_LIMITS: Final = Middleware(RateLimits)
