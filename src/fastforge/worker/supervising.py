"""Supervising: several processes of a worker, restarted when they die, replaced when code changes.

It imports little, so that the processes start early.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import StartError
from ..server.inbox import Inbox
from ..server.process import Child, Program
from ..server.reload import heard_by
from ..server.restarts import say, tell
from ..server.watching import Watcher, forget_bytecode, named_edits
from ..signals import ending_of
from .plan import WorkerOrders, WorkerPlan
from .seats import Seat, end, live_state, ready_state

if TYPE_CHECKING:
    from ..server.place import Place

__all__ = ["supervise"]

CHILD: Final = "fastforge.worker.child"


def supervise(
    plan: WorkerPlan, *, settings_module: str, place: Place, health: socket.socket | None = None
) -> int:
    """Keep the processes of a worker running until told to stop.

    One that dies is started again, after a pause when it dies again soon. The first SIGTERM or
    SIGINT drains all of them side by side, the second one lets them hand back what runs, the
    third one kills them. Should this process be killed, they drain and leave by themselves.

    Surprises: with `plan.reloads` it gives up for nothing but a plan that the project refuses at
    the start: what cannot start waits for an edit.

    ```python
    place = find_place("shop.settings", Path.cwd())
    plan = WorkerPlan(processes=4)
    raise SystemExit(supervise(plan, settings_module="shop.settings", place=place))
    ```

    Args:
        plan: How they work.
        settings_module: The dotted name of the settings.
        place: The project's folders: it is imported from them, and they are watched.
        health: A socket that listens, on which probes are answered for all of them.

    Returns:
        The exit code: 0, or that of a process that could not start, which is 3 most often.
    """
    supervisor = _Supervisor(plan, settings_module, place, tells_health=health is not None)
    with heard_by(supervisor.hear), _answering(supervisor, health):
        return supervisor.run()


@contextmanager
def _answering(supervisor: _Supervisor, health: socket.socket | None) -> Iterator[None]:
    if health is None:
        yield
        return
    from ..web.health import started_state
    from .probing import probed

    async def ready() -> dict[str, Any]:
        return ready_state(supervisor.seats, is_stopping=supervisor.is_stopping)

    async def live() -> dict[str, Any]:
        return live_state(supervisor.seats)

    async def started() -> dict[str, Any]:
        return started_state(is_over=all(seat.has_started for seat in supervisor.seats))

    with probed(health, ready=ready, started=started, live=live):
        yield


class _Supervisor:
    """The holder of the processes.

    Attributes:
        events: What has happened, in the order in which it did.
        seats: The places of the processes.
        is_stopping: Whether it was told to stop, or gives up.
    """

    def __init__(
        self, plan: WorkerPlan, settings_module: str, place: Place, *, tells_health: bool
    ) -> None:
        self.events = Inbox()
        self.seats = [Seat(number, self.events.put) for number in range(1, plan.processes + 1)]
        self.is_stopping = False
        self._plan = plan
        self._settings_module = settings_module
        self._place = place
        self._tells_health = tells_health
        self._leaving: set[Child] = set()
        self._has_served = False
        self._told: set[str] = set()
        self._signals = 0
        self._code = 0

    def run(self) -> int:
        """Keep the processes running; return the exit code."""
        watcher = Watcher(self._place, self.events.put) if self._plan.reloads else None
        for seat in self.seats:
            self._start(seat)
        if watcher:
            watcher.start()
        while not self._is_over():
            word, about = self.events.get()
            getattr(self, f"_on_{word}")(about)
            if watcher:
                watcher.hurry()
        if watcher:
            watcher.stop()
        return self._code

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        # A signal may interrupt its own handler: nothing here takes a lock.
        self.events.put(("told", None))

    def _is_over(self) -> bool:
        if self._leaving or any(seat.child for seat in self.seats):
            return False
        return self.is_stopping or all(seat.is_done for seat in self.seats)

    def _start(self, seat: Seat) -> None:
        is_first = seat.number == 1 and not self._has_served

        def orders(control: int, report: int) -> str:
            told = WorkerOrders(
                plan=self._plan,
                settings_module=self._settings_module,
                import_folder=str(self._place.import_folder),
                control=control,
                report=report,
                is_first=is_first,
                tells_health=self._tells_health,
            )
            return told.to_argument()

        seat.child = Child(Program(module=CHILD, orders=orders), self.events.put)
        if not self._leaving:
            seat.child.let_start()

    def _dismiss_all(self) -> None:
        for seat in self.seats:
            if seat.child is not None:
                self._leaving.add(seat.child)
                end(seat.child)
                seat.child = None

    def _stop(self) -> None:
        self.is_stopping = True
        for seat in self.seats:
            seat.restarts.cancel()
        self._dismiss_all()

    def _on_told(self, _: object) -> None:
        self._signals += 1
        if self._signals == 1:
            self._stop()
            return
        for child in self._leaving:
            if self._signals == 2:
                end(child)  # a second SIGTERM: it hands back what runs
            else:
                child.kill()

    def _on_edited(self, paths: list[str]) -> None:
        if self.is_stopping:
            return
        say(f"{named_edits(paths, self._place)} changed: restarting")
        forget_bytecode(paths)
        self._told.clear()
        self._dismiss_all()  # they drain while the next ones load
        for seat in self.seats:
            seat.restarts.forget()
            self._start(seat)

    def _on_blind(self, error: OSError) -> None:
        say(f"edits are not seen: the folder cannot be watched: {error}")

    def _on_served(self, child: Child) -> None:
        self._has_served = True
        for seat in self.seats:
            seat.has_started |= seat.child is child

    def _on_failed(self, child: Child) -> None:
        for mistake in child.failure.mistakes if child.failure else ():
            if mistake.line not in self._told:  # all processes fail alike
                self._told.add(mistake.line)
                tell(mistake)

    def _on_due(self, seat: Seat) -> None:
        if seat.child is None and not self.is_stopping:
            self._start(seat)

    def _on_ended(self, child: Child) -> None:
        if child in self._leaving:
            self._leaving.remove(child)
            if not self._leaving:
                self._let_start()
            return
        for seat in self.seats:
            if seat.child is child:
                seat.child = None
                self._replace(seat, child)

    def _let_start(self) -> None:
        for seat in self.seats:
            if seat.child is not None:
                seat.child.let_start()

    def _replace(self, seat: Seat, child: Child) -> None:
        """Start a process that died again; one that cannot start ends all, or waits for an edit."""
        how = f"worker process {seat.number} (pid {child.pid}) {ending_of(child.code)}"
        failure = child.failure
        retries = not self._plan.burst and (self._has_served or self._plan.reloads)
        if self._plan.burst and child.has_served and child.code == 0:
            seat.is_done = True
        elif "refused" in child.said and not self._has_served:
            self._give_up(child)  # of wrong usage the error says enough
        elif failure is None and (child.has_served or child.code < 0):
            self._told.clear()
            say(f"{how}: starting again{seat.restarts.later(child)}", level=logging.WARNING)
        elif failure is not None and failure.may_pass and retries:
            say(f"{how}: trying again{seat.restarts.retry()}", level=logging.WARNING)
        elif self._plan.reloads:
            say(f"{how}: waiting for an edit", level=logging.ERROR)
        else:
            verb = "go on" if child.has_served else "start"
            say(f"{how}: it cannot {verb}", level=logging.ERROR)
            self._give_up(child)

    def _give_up(self, child: Child) -> None:
        self._code = self._code or child.code or StartError.exit_code
        self._stop()
