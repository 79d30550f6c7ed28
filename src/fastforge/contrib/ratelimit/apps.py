"""The app's own declaration."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import RateLimit

__all__ = ["RateLimitConfig"]


class RateLimitConfig(AppConfig):
    """Limits how often somebody may ask: `rate_limit`, the setting RATE_LIMIT, logins."""

    name = "fastforge.contrib.ratelimit"
    settings = (RateLimit,)
