"""The channel backend that needs no app."""

from __future__ import annotations

from typing import Final

from ..channels.carrying.broker import ChannelBackend
from .resources import memory_channels

__all__ = ["MEMORY"]

MEMORY: Final = ChannelBackend(name="memory", resource=memory_channels)
