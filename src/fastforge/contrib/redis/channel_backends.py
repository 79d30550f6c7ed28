"""The channel backend that this app declares."""

from __future__ import annotations

from typing import Final

from ...channels.carrying.broker import ChannelBackend
from .resources import redis_channels

__all__ = ["REDIS"]

REDIS: Final = ChannelBackend(name="redis", resource=redis_channels)
