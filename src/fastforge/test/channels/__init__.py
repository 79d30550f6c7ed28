"""Channels under test: clients of an application in this event loop."""

from .client import ChannelClient, channel_client
from .sockets import SocketClosed

__all__ = ["ChannelClient", "SocketClosed", "channel_client"]
