"""Rate limits: how often somebody may ask, counted in all processes together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .dependencies import rate_limit as rate_limit
    from .errors import RateLimited as RateLimited
    from .errors import RateLimitError as RateLimitError
    from .settings import RateLimit as RateLimit

__all__ = ["RateLimit", "RateLimitError", "RateLimited", "rate_limit"]

_LAZY = {
    "RateLimit": "settings",
    "RateLimitError": "errors",
    "RateLimited": "errors",
    "rate_limit": "dependencies",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
