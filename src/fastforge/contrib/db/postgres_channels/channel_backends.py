"""The channel backend that this app declares."""

from __future__ import annotations

from typing import Final

from ....channels.carrying.broker import ChannelBackend
from .fitness import is_postgresql
from .resources import postgres_channels

__all__ = ["POSTGRES"]

POSTGRES: Final = ChannelBackend(name="postgres", resource=postgres_channels, fits=is_postgresql)
