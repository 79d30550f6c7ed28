"""Begun: what is done at once where nothing has to be waited for, and else goes on in a task."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any

__all__ = ["Rest", "begun"]


class Rest:
    """What is left of something that has been begun and waits; to be awaited once.

    Args:
        steps: It.
        waits_for: What it waits for.
    """

    __slots__ = ("_steps", "_waits_for")

    def __init__(self, steps: Generator[Any, Any, None], waits_for: object) -> None:
        self._steps = steps
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        steps, waits_for = self._steps, self._waits_for
        go_on: Callable[[], object]
        while True:
            try:
                yield waits_for
            except BaseException as error:
                go_on = partial(steps.throw, error)
            else:
                go_on = partial(next, steps)
            try:
                waits_for = go_on()
            except StopIteration:
                return


def begun(work: Awaitable[None]) -> Rest | None:
    """Do work as far as it does not wait; return the rest, None where there is none.

    Surprises: it begins in the task that calls this, and goes on in the one that awaits the rest.
    A timeout within it that is measured by the task would be the wrong one's.

    Args:
        work: What a coroutine function has returned.

    Raises:
        Exception: What it raises before it waits.
    """
    steps = work.__await__()
    try:
        return Rest(steps, next(steps))
    except StopIteration:
        return None
