"""Loading: no garbage is collected while an application and all that it needs are imported."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["resting_collector"]


@contextmanager
def resting_collector() -> Iterator[Callable[[], None]]:
    """Collect no garbage while modules load, for nearly all that they make stays.

    Gives the function that wakes the collector: what is there by then it never looks at again,
    which spares the running server its longest pauses.
    """
    gc.disable()

    def wake() -> None:
        gc.freeze()
        gc.enable()

    try:
        yield wake
    finally:
        gc.enable()
