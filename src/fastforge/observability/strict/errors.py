"""The error of strict mode."""

from __future__ import annotations

from typing import ClassVar

from ...exceptions import ForgeError, Location
from ..replacements import replacement_for

__all__ = ["BlockingCallError"]

_WRITTEN: tuple[str, ...] = ("await ", "async ", "call ")


class BlockingCallError(ForgeError, RuntimeError):
    """Code on the event loop called something that blocks it; in development and tests alone.

    Args:
        called: The dotted name of what was called.
        where: The line that called it.

    Attributes:
        called: The same.
        instead: What to write in its place.
    """

    status: ClassVar[int | None] = None

    def __init__(self, called: str, where: Location) -> None:
        self.called = called
        self.instead = replacement_for(called)
        verb = "write" if self.instead.startswith(_WRITTEN) else "use"
        super().__init__(
            f"{called}() blocks the event loop, and every other request with it",
            code="watchdog.E001",
            hint=f"{verb} {self.instead}",
            where=where,
        )

    @property
    def detail(self) -> str:
        """What a client is told: it is a developer, since nothing raises this in production."""
        return str(self)
