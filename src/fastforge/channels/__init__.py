"""Channels: what clients join over one WebSocket, with typed messages both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .carrying.broker import Broker as Broker
    from .carrying.broker import ChannelBackend as ChannelBackend
    from .declaring.channel import Channel as Channel
    from .declaring.handlers import receives as receives
    from .errors import ChannelError as ChannelError
    from .errors import ChannelUnavailable as ChannelUnavailable
    from .serving.guarding import ChannelGuard as ChannelGuard
    from .serving.guarding import Revocations as Revocations
    from .serving.guarding import Unknown as Unknown
    from .settings import Channels as Channels
    from .sockets.connection import Connection as Connection
    from .sockets.connection import Principal as Principal

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
    "Broker": "carrying.broker",
    "Channel": "declaring.channel",
    "ChannelBackend": "carrying.broker",
    "ChannelError": "errors",
    "ChannelGuard": "serving.guarding",
    "ChannelUnavailable": "errors",
    "Channels": "settings",
    "Connection": "sockets.connection",
    "Principal": "sockets.connection",
    "Revocations": "serving.guarding",
    "Unknown": "serving.guarding",
    "receives": "declaring.handlers",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
