"""Who waits for events hears signals, also those that wake nobody."""

from __future__ import annotations

import signal
import threading

from fastforge.server.inbox import Inbox


def test_events_come_in_their_order() -> None:
    inbox = Inbox()
    inbox.put(("served", 1))
    inbox.put(("ended", 2))
    assert [inbox.get(), inbox.get()] == [("served", 1), ("ended", 2)]


def test_a_signal_that_another_thread_was_given_is_heard() -> None:
    """The waiting of the main thread is not interrupted by it: `runworker --reload` went on."""
    inbox, is_over = Inbox(), threading.Event()
    other = threading.Thread(target=is_over.wait)
    other.start()

    def signalled() -> None:
        assert other.ident is not None
        signal.pthread_kill(other.ident, signal.SIGUSR2)

    before = signal.signal(signal.SIGUSR2, lambda number, frame: inbox.put(("told", number)))
    timer = threading.Timer(0.1, signalled)
    timer.start()
    try:
        assert inbox.get() == ("told", signal.SIGUSR2)
    finally:
        timer.join()
        is_over.set()
        other.join()
        signal.signal(signal.SIGUSR2, before)
