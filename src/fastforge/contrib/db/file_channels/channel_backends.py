"""The channel backend that this app declares."""

from __future__ import annotations

from typing import Final

from ....channels.carrying.broker import ChannelBackend
from .fitness import NAME, is_file
from .resources import file_channels

__all__ = ["SQLITE"]

SQLITE: Final = ChannelBackend(name=NAME, resource=file_channels, fits=is_file)
