"""Reload: a supervisor that holds the socket and starts the server anew when code changes.

It imports little, so that the first child starts early; everything that takes long stands in
threads, and what they have to say arrives as events in one loop.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

from ..signals import SIGNALS
from .orders import Orders
from .place import Place
from .process import Child, Event
from .watching import forget_bytecode, watch_edits

if TYPE_CHECKING:
    from .failure import Failure
    from .standin import StandIn

__all__ = ["serve_with_reload"]

GRACEFUL_S: Final = 1.5
WATCHES_AFTER_S: Final = 2
LIVED_LONG_S: Final = 10
SHORTEST_PAUSE_S: Final = 0.5
RETRY_S: Final = 3.0
LONGEST_PAUSE_S: Final = 30


def serve_with_reload(
    sock: socket.socket,
    *,
    place: Place,
    url: str,
    application: str = "",
    settings_module: str = "",
    environment: str = "",
) -> int:
    """Serve an application in a child process that is replaced when its code changes.

    The socket stays open meanwhile: requests wait in place of being refused, and none is reset. A
    child that cannot start says why, on the terminal and to whoever asks over HTTP, until the
    next edit starts another one; a child that is killed is started again, and so is one that could
    not open a resource. Should this process be killed, the child leaves by itself.

    ```python
    place = find_place("shop.settings", Path.cwd())
    sock = bind("127.0.0.1", 8000)
    url = "http://127.0.0.1:8000"
    raise SystemExit(serve_with_reload(sock, place=place, url=url, settings_module="shop.settings"))
    ```

    Args:
        sock: A socket that listens, from `bind`.
        place: The project's folders: they are watched, and the application is imported from them.
        url: The address, for messages.
        application: `package.module:attribute`; else it is found beside the settings.
        settings_module: The dotted name of the settings.
        environment: The project's environment, for the banner.

    Returns:
        The exit code of the process: 0.
    """

    def orders(control: int, report: int) -> Orders:
        return Orders(
            application=application,
            settings_module=settings_module,
            root=str(place.root),
            import_folder=str(place.import_folder),
            sock=sock.fileno(),
            control=control,
            report=report,
            graceful_s=GRACEFUL_S,
            url=url,
            environment=environment,
            is_first=not supervisor.has_served,
        )

    supervisor = _Supervisor(sock, place, url)

    def start() -> Child:
        return Child(orders, sock.fileno(), dict(os.environ), supervisor.events.put)

    supervisor.start_child = start
    with _heard(supervisor):
        supervisor.run()
    return 0


@contextmanager
def _heard(supervisor: _Supervisor) -> Iterator[None]:
    before = {number: signal.signal(number, supervisor.hear) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Supervisor:
    """The holder of the child process.

    Attributes:
        start_child: Starts another child.
        events: What has happened, in the order in which it did.
        has_served: Whether a child has.
    """

    start_child: Callable[[], Child]

    def __init__(self, sock: socket.socket, place: Place, url: str) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.has_served = False
        self._sock = sock
        self._place = place
        self._url = url
        self._stopping = threading.Event()
        self._has_begun = threading.Event()
        self._is_told = False
        self._child: Child | None = None
        self._leaving: set[Child] = set()
        self._pause_s = 0.0
        self._due: threading.Timer | None = None
        self._stand_in: StandIn | None = None

    def run(self) -> None:
        """Keep a child running until a signal asks to stop."""
        started = time.time()
        self._start()
        watcher = threading.Thread(target=self._watch, args=(started,), daemon=True)
        watcher.start()
        while self._child or self._leaving or not self._stopping.is_set():
            word, about = self.events.get()
            getattr(self, f"_on_{word}")(about)
            self._has_begun.set()  # whatever it was
        if self._stand_in is not None:
            self._stand_in.close()

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first one stops, the second one does not wait."""
        # A signal may interrupt its own handler: nothing here takes a lock.
        self.events.put(("stop" if not self._is_told else "kill", None))
        self._is_told = True

    def _watch(self, since: float) -> None:
        def report(paths: list[str]) -> None:
            self.events.put(("edited", paths))

        # The child needs the machine more: what is edited meanwhile is found afterwards.
        self._has_begun.wait(WATCHES_AFTER_S)
        try:
            watch_edits(self._place, since=since, stopping=self._stopping, report=report)
        except OSError as error:
            self.events.put(("blind", error))

    def _start(self) -> None:
        child = self._child = self.start_child()
        if not self._leaving:
            child.let_start()

    def _dismiss(self) -> None:
        if self._child is not None:
            self._leaving.add(self._child)
            self._child.stop()
            self._child = None

    def _on_stop(self, _: object) -> None:
        self._stopping.set()
        self._cancel_restart()
        self._dismiss()

    def _on_kill(self, _: object) -> None:
        for child in self._leaving:
            child.kill()

    def _on_edited(self, paths: list[str]) -> None:
        if self._stopping.is_set():
            return
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        _say(f"{os.path.relpath(paths[0], self._place.root)}{more} changed: restarting")
        forget_bytecode(paths)
        self._pause_s = 0.0
        self._cancel_restart()
        self._dismiss()  # it drains while the next one loads
        self._restart()

    def _on_served(self, child: Child) -> None:
        self.has_served = True

    def _on_failed(self, child: Child) -> None:
        if child is self._child and child.failure is not None:
            self._show(child.failure)

    def _on_ended(self, child: Child) -> None:
        if child in self._leaving:
            self._leaving.remove(child)
            if not self._leaving and self._child is not None:
                self._child.let_start()
        elif child is self._child:
            self._child = None
            self._replace(child)

    def _replace(self, child: Child) -> None:
        """Start a child that was killed again; one that failed waits for an edit."""
        how = f"the server {_ending(child.code)}"
        if child.failure is None and (child.has_served or child.code < 0):
            if time.monotonic() - child.started > LIVED_LONG_S:
                self._pause_s = 0.0
            _say(f"{how}: starting again{_in(self._pause_s)}")
            if self._pause_s:
                self._show_line(f"{how.capitalize()}; it is started again soon")
            self._start_later()
        elif child.failure is not None and child.failure.may_pass:
            self._pause_s = max(self._pause_s, RETRY_S)
            _say(f"{how}: trying again{_in(self._pause_s)}; {self._url} shows why")
            self._start_later()
        else:
            _say(f"{how}: waiting for an edit; {self._url} shows why")
            if child.failure is None:
                self._show_line(f"{how.capitalize()} before it served")

    def _start_later(self) -> None:
        self._due = threading.Timer(self._pause_s, self.events.put, [("due", None)])
        self._due.daemon = True
        self._due.start()
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s or SHORTEST_PAUSE_S)

    def _on_due(self, _: object) -> None:
        if self._child is None and not self._stopping.is_set():
            self._restart()

    def _on_blind(self, error: OSError) -> None:
        _say(f"edits are not seen: the folder cannot be watched: {error}")

    def _restart(self) -> None:
        if self._stand_in is not None:
            self._stand_in.hide()  # from here on requests wait
        self._start()

    def _cancel_restart(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _show_line(self, line: str) -> None:
        from .failure import Failure

        self._show(Failure.saying(line))

    def _show(self, failure: Failure) -> None:
        if self._stand_in is None:
            from .standin import StandIn  # it brings asyncio along, for a rare case

            self._stand_in = StandIn(self._sock)
        self._stand_in.show(failure)


def _ending(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def _in(pause_s: float) -> str:
    return f" in {pause_s:g} s" if pause_s else ""


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
