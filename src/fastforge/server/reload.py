"""Reload: a supervisor that holds the socket and starts the server anew when code changes.

It imports little, so that the first child starts early; everything that takes long stands in
threads, and what they have to say arrives as events in one loop.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

from ..signals import SIGNALS, ending_of
from .inbox import Inbox
from .orders import Orders
from .place import Place
from .process import Child, Program
from .restarts import Restarts, say
from .watching import Watcher, forget_bytecode, named_edits

if TYPE_CHECKING:
    from .failure import Failure
    from .standin import StandIn

__all__ = ["heard_by", "serve_with_reload"]

CHILD: Final = "fastforge.server.child"
GRACEFUL_S: Final = 1.5


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

    def orders(control: int, report: int) -> str:
        told = Orders(
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
        return told.to_argument()

    program = Program(module=CHILD, orders=orders, inherited=(sock.fileno(),))
    supervisor = _Supervisor(sock, place, url, program)
    with heard_by(supervisor.hear):
        supervisor.run()
    return 0


@contextmanager
def heard_by(hear: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `hear` at each of SIGNALS; afterwards all is as before.

    One that whoever started us ignores stays ignored, as in a server without a supervisor.
    """
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, hear) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Supervisor:
    """The holder of the child process.

    Attributes:
        events: What has happened, in the order in which it did.
        has_served: Whether a child has.
    """

    def __init__(self, sock: socket.socket, place: Place, url: str, program: Program) -> None:
        self.events = Inbox()
        self.has_served = False
        self._sock = sock
        self._place = place
        self._url = url
        self._program = program
        self._is_stopping = False
        self._is_told = False
        self._child: Child | None = None
        self._leaving: set[Child] = set()
        self._restarts = Restarts(lambda: self.events.put(("due", None)))
        self._stand_in: StandIn | None = None

    def run(self) -> None:
        """Keep a child running until a signal asks to stop."""
        watcher = Watcher(self._place, self.events.put)
        self._start()
        watcher.start()
        while self._child or self._leaving or not self._is_stopping:
            word, about = self.events.get()
            getattr(self, f"_on_{word}")(about)
            watcher.hurry()  # whatever it was
        watcher.stop()
        if self._stand_in is not None:
            self._stand_in.close()

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first one stops, the second one does not wait."""
        # A signal may interrupt its own handler: nothing here takes a lock.
        self.events.put(("stop" if not self._is_told else "kill", None))
        self._is_told = True

    def _start(self) -> None:
        child = self._child = Child(self._program, self.events.put)
        if not self._leaving:
            child.let_start()

    def _dismiss(self) -> None:
        if self._child is not None:
            self._leaving.add(self._child)
            self._child.stop()
            self._child = None

    def _on_stop(self, _: object) -> None:
        self._is_stopping = True
        self._restarts.cancel()
        self._dismiss()

    def _on_kill(self, _: object) -> None:
        for child in self._leaving:
            child.kill()

    def _on_edited(self, paths: list[str]) -> None:
        if self._is_stopping:
            return
        say(f"{named_edits(paths, self._place)} changed: restarting")
        forget_bytecode(paths)
        self._restarts.forget()
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
        how = f"the server {ending_of(child.code)}"
        if child.failure is None and (child.has_served or child.code < 0):
            pause = self._restarts.later(child)
            say(f"{how}: starting again{pause}")
            if pause:
                self._show_line(f"{how.capitalize()}; it is started again soon")
        elif child.failure is not None and child.failure.may_pass:
            pause = self._restarts.retry()
            say(f"{how}: trying again{pause}; {self._url} shows why")
        else:
            say(f"{how}: waiting for an edit; {self._url} shows why")
            if child.failure is None:
                self._show_line(f"{how.capitalize()} before it served")

    def _on_due(self, _: object) -> None:
        if self._child is None and not self._is_stopping:
            self._restart()

    def _on_blind(self, error: OSError) -> None:
        say(f"edits are not seen: the folder cannot be watched: {error}")

    def _restart(self) -> None:
        if self._stand_in is not None:
            self._stand_in.hide()  # from here on requests wait
        self._start()

    def _show_line(self, line: str) -> None:
        from .failure import Failure

        self._show(Failure.saying(line))

    def _show(self, failure: Failure) -> None:
        if self._stand_in is None:
            from .standin import StandIn  # it brings asyncio along, for a rare case

            self._stand_in = StandIn(self._sock)
        self._stand_in.show(failure)
