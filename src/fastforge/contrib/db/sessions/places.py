"""Places: in which blocks of `atomic` the running code stands, whatever task it is."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

__all__ = ["Place", "entered", "left", "stands_in", "task_here"]


class Place:
    """One open block, as the code inside it knows it.

    A task that is started inside a block stands in it too; one that was started outside, or
    beside it by the same `gather`, does not. A task says less: `asyncio.wait_for` and middleware
    of the usual kind run what they are given in a task of its own, with nothing beside it.

    Args:
        around: The block around it.

    Attributes:
        task: The task that has entered it, as `task_here` tells.
    """

    __slots__ = ("around", "task")

    def __init__(self, around: Place | None) -> None:
        self.around = around
        self.task = task_here()


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


def task_here() -> int:
    """Return which task runs here: a number, since a task that its context keeps is a circle."""
    return id(asyncio.current_task())
