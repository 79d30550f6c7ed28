"""Current: the stream that this process writes to now."""

from __future__ import annotations

from .stream import Stream

__all__ = ["current"]


class _Current:
    """Where loggers look that outlive a configuration: structlog keeps each one that was used.

    Attributes:
        stream: The stream; None while `logging` is left alone.
    """

    __slots__ = ("stream",)

    def __init__(self) -> None:
        self.stream: Stream | None = None


current = _Current()
