"""Channels: what clients join over one WebSocket, with typed messages both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .broker import Broker as Broker
    from .broker import ChannelBackend as ChannelBackend
    from .channel import Channel as Channel
    from .connection import Connection as Connection
    from .connection import Principal as Principal
    from .errors import ChannelError as ChannelError
    from .errors import ChannelUnavailable as ChannelUnavailable
    from .guarding import ChannelGuard as ChannelGuard
    from .guarding import Revocations as Revocations
    from .guarding import Unknown as Unknown
    from .handlers import receives as receives
    from .settings import Channels as Channels

__all__ = [
    "Broker",
    "Channel",
    "ChannelBackend",
    "ChannelError",
    "ChannelGuard",
    "ChannelUnavailable",
    "Channels",
    "Connection",
    "Principal",
    "Revocations",
    "Unknown",
    "receives",
]

_LAZY = {
    "Broker": "broker",
    "Channel": "channel",
    "ChannelBackend": "broker",
    "ChannelError": "errors",
    "ChannelGuard": "guarding",
    "ChannelUnavailable": "errors",
    "Channels": "settings",
    "Connection": "connection",
    "Principal": "connection",
    "Revocations": "guarding",
    "Unknown": "guarding",
    "receives": "handlers",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
