"""Places: in which blocks of `atomic` the running code stands, whatever task it is."""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["Place", "entered", "left", "stands_in"]


class Place:
    """One open block, as the code inside it knows it.

    A task that is started inside a block stands in it too; one that was started outside, or
    beside it by the same `gather`, does not. A task says less: `asyncio.wait_for` and middleware
    of the usual kind run what they are given in a task of its own, with nothing beside it.
    """

    __slots__ = ("around",)

    def __init__(self, around: Place | None) -> None:
        self.around = around


_innermost: ContextVar[Place | None] = ContextVar("fastforge_place", default=None)


def entered() -> Place:
    """Stand in a new block from now on."""
    place = Place(_innermost.get())
    _innermost.set(place)
    return place


def left(place: Place) -> None:
    """Stand where one stood before; nothing happens where somebody else closes the block."""
    if _innermost.get() is place:
        _innermost.set(place.around)


def stands_in(place: Place) -> bool:
    """Return whether the running code stands in a block, or in one inside of it."""
    here = _innermost.get()
    while here is not None:
        if here is place:
            return True
        here = here.around
    return False
