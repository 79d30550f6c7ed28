"""Inbox: what has happened, in its order, for the thread that also hears signals."""

from __future__ import annotations

import queue
from typing import Final, TypeAlias

__all__ = ["Event", "Inbox"]

Event: TypeAlias = tuple[str, object]
"""What has happened in a word, and what it is about."""
HEARS_WITHIN_S: Final = 0.5


class Inbox:
    """Events for one thread, from any other one and from the handlers of signals.

    A handler runs in the main thread, between two steps of Python. A signal that arrives when the
    thread is just about to wait, or that the system gives to another thread, ends no waiting: its
    handler would run when something else happens, which may be never. So no waiting is long.
    """

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def put(self, event: Event) -> None:
        """Add an event; it takes no lock that the handler of a signal could find taken."""
        self._events.put(event)

    def get(self) -> Event:
        """Wait for the next event."""
        while True:
            try:
                return self._events.get(timeout=HEARS_WITHIN_S)
            except queue.Empty:
                continue  # the handlers of signals run here
