"""Channels under test: clients of an application in this event loop, and what it publishes."""

from ...channels.rooms.publishing import Publication
from .client import ChannelClient, channel_client
from .faults import BackendUnderTest
from .people import Somebody
from .sockets import SocketClosed
from .under_test import ChannelsUnderTest, channels_of

__all__ = [
    "BackendUnderTest",
    "ChannelClient",
    "ChannelsUnderTest",
    "Publication",
    "SocketClosed",
    "Somebody",
    "channel_client",
    "channels_of",
]
