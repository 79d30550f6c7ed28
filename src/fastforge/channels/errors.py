"""What can go wrong with channels.

ForgeError
├── ComponentError              a channel is declared wrongly
└── ChannelError                a message, a name or a call that does not fit
    └── ChannelUnavailable      nothing can be published now: 503, with Retry-After
"""

from __future__ import annotations

from typing import ClassVar

from ..exceptions import ForgeError

__all__ = ["ChannelError", "ChannelUnavailable"]


class ChannelError(ForgeError):
    """Something cannot be published, joined or named."""


class ChannelUnavailable(ChannelError):
    """What carries messages between processes is away. Nobody was given the message here.

    One that was not answered in time may be published yet: its text says so.
    """

    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 1
