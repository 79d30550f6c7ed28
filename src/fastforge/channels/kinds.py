"""The kinds of channels, and of what they are carried and guarded by."""

from __future__ import annotations

from typing import Any, Final

from ..components import Kind
from .carrying.broker import ChannelBackend
from .declaring.channel import Channel
from .serving.guarding import ChannelGuard

__all__ = ["CHANNELS", "CHANNEL_BACKENDS", "CHANNEL_GUARDS"]


class _Named(Kind[Any]):
    """A Kind that leaves out bases: a class without a pattern cannot be joined."""

    __slots__ = ()

    def matches(self, value: object) -> bool:
        return super().matches(value) and getattr(value, "pattern", None) is not None


CHANNELS: Final[Kind[type[Channel]]] = _Named(
    name="channels", type=Channel, module="channels", subclasses=True
)

CHANNEL_BACKENDS: Final[Kind[ChannelBackend]] = Kind(
    name="channel_backends",
    type=ChannelBackend,
    module="channel_backends",
    key=lambda backend: backend.name,
)

CHANNEL_GUARDS: Final[Kind[ChannelGuard]] = Kind(
    name="channel_guards",
    type=ChannelGuard,
    module="channel_guards",
    key=lambda guard: guard.name,
)
