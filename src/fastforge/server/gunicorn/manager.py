"""Manager: gunicorn's arbiter with other manners when workers are replaced, fail and end."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import queue
import signal
import sys
import time
from pathlib import Path
from typing import Final

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from ..._utils import counted
from ...core.timeline import MARGIN_S
from ...exceptions import StartError
from ...signals import end_at_signal, ending_of
from ..announcement import write_line
from ..paths import remove_path
from .application import Managed
from .crew import Member, next_steps
from .logs import LOG
from .orders import read_anew
from .pauses import Pauses
from .worker import Worker

__all__ = ["Manager"]

ENDING: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGQUIT})
START_ENDS_WITHIN_S: Final = 10
"""What a worker that has not said how long it needs may take to end."""
BUSY_TICK_S: Final = 0.1

logger = logging.getLogger(LOG)


class Manager(Arbiter):
    """Keeps so many workers serving, whatever happens to single ones.

    What gunicorn's own arbiter does otherwise: a restart (SIGHUP) tells the old workers to stop
    before the new ones serve, blocks its loop until they have gone, and ends the whole server when
    the new code does not start; every failing worker writes its own traceback; a worker that is
    told to stop twice is killed in the middle of its requests.

    Here old workers go on until new ones serve in their place, a quarter of them at a time, and
    they all go on when the first of the new ones cannot start. Workers that have answered their
    number of requests are replaced in the same way, one after the other.
    """

    def __init__(self, app: Managed) -> None:
        self._app = app
        self._outdated: set[int] = set()
        self._leaving: dict[int, float] = {}
        self._served: set[int] = set()
        self._started: dict[int, float] = {}
        self._pauses = Pauses()
        self._has_announced = self._has_served = False
        self._is_replacing = self._is_stopping = False
        self._insists: int | None = None
        self._path = _path_in(app.orders.url)
        self._inode = self._path.stat().st_ino if self._path else 0
        super().__init__(app)

    # --- the loop of the arbiter calls these ---

    def wait_for_signals(self, timeout: float | None = 1.0) -> list[int]:
        """Wait for signals; not for long while workers come and go."""
        is_busy = self._leaving or self._outdated or len(self._served) < self.num_workers
        return super().wait_for_signals(BUSY_TICK_S if is_busy else timeout)

    def manage_workers(self) -> None:
        """Start the workers that are missing, and let those go that are not needed any more."""
        self._look()
        steps = next_steps(self._members(), wanted=self.num_workers, at_once=self._at_once())
        for pid in steps.dismiss:
            self._dismiss(pid)
        # Not both at once: whether the next one may be replaced depends on who leaves by then.
        if steps.start and not steps.dismiss and self._pauses.is_over:
            self._app.voice.renew()
            for _ in range(steps.start):
                self.spawn_worker()
        self._kill_overdue()

    def spawn_worker(self) -> int:
        """Start a worker; a signal that comes meanwhile waits until it can be heard."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            pid = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        self._started[pid] = time.monotonic()
        return pid

    def reap_workers(self) -> None:
        """Hear of the workers that have ended."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                worker = self.WORKERS.pop(pid, None)
                # Else an orphan: it has come to the first process of a container.
                if isinstance(worker, Worker):
                    self._on_end(pid, os.waitstatus_to_exitcode(status))
                    worker.tmp.close()
                    worker.slot.close()
                    self.cfg.child_exit(self, worker)

    def reload(self) -> None:
        """Replace all workers, and go by what the settings say by now."""
        orders = read_anew(self._app.orders)
        if orders is None:
            logger.error("no restart: the settings cannot be read; the processes go on as they are")
            return
        gc.collect()  # the workers that were replaced; little else happens here
        self._app.orders = orders
        self._app.reload()
        self.setup(self._app)
        self._pauses.forget()
        self._outdated = {pid for pid in self.WORKERS if pid not in self._leaving}
        self._is_replacing = True
        logger.info("replacing %s", counted(len(self._outdated), "process", "processes"))

    def stop(self, graceful: bool = True) -> None:
        """Let all workers end within their timeline; a second signal kills them."""
        self._is_stopping = True
        self._look()
        for listener in self.LISTENERS:
            listener.close()
        for pid, worker in self._workers():
            worker.slot.is_last = True
            worker.slot.hurries = not self._has_announced
            if not graceful:
                self.kill_worker(pid, signal.SIGKILL)
            elif pid not in self._leaving:
                self._dismiss(pid)
        while self.WORKERS:
            if self._is_told_again():
                self.kill_workers(signal.SIGKILL)
            self.reap_workers()
            self.murder_workers()
            self._kill_overdue()

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """End the workers, then this process."""
        self.stop()
        if self.pidfile is not None:
            self.pidfile.unlink()
        if self._path is not None:
            remove_path(self._path, self._inode)
        self.cfg.on_exit(self)
        if self._insists is not None:  # it dies of the signal, as a single server does
            end_at_signal(self._insists)
            signal.raise_signal(self._insists)
        sys.exit(exit_status)

    def handle_int(self) -> None:
        """Handle Ctrl-C: once it is like SIGTERM."""
        raise StopIteration

    def handle_usr2(self) -> None:
        """Handle the signal by which gunicorn runs a new manager beside the old one."""
        logger.warning("SIGUSR2 is not taken: SIGHUP replaces the workers and takes up new code")

    # --- what happens to workers ---

    def _look(self) -> None:
        """Take up what the workers have said since the last look."""
        for pid, worker in self._workers():
            if worker.slot.leaves and pid not in self._leaving:  # it was told by somebody else
                self._leaving[pid] = self._deadline(worker)
            if worker.slot.serves and pid not in self._served:
                self._served.add(pid)
                self._has_served = True
        serving = sum(pid not in self._leaving for pid in self._served)
        if not self._has_announced and serving >= self.num_workers:
            self._announce()
        if self._is_replacing and not self._outdated and serving >= self.num_workers:
            self._is_replacing = False
            logger.info("replaced: %s", counted(serving, "process serves", "processes serve"))

    def _workers(self) -> list[tuple[int, Worker]]:
        found = self.WORKERS.items()
        return [(pid, worker) for pid, worker in found if isinstance(worker, Worker)]

    def _members(self) -> list[Member]:
        return [
            Member(
                pid=pid,
                age=worker.age,
                serves=worker.slot.serves,
                leaves=pid in self._leaving,
                is_outdated=pid in self._outdated or worker.slot.is_tired,
            )
            for pid, worker in self._workers()
        ]

    def _at_once(self) -> int:
        if self._outdated:
            return max(1, self.num_workers // 4)
        return 0 if self._leaving else 1  # of those that are tired, one after the other

    def _dismiss(self, pid: int) -> None:
        worker = self.WORKERS[pid]
        assert isinstance(worker, Worker)
        self._leaving[pid] = self._deadline(worker)
        self._outdated.discard(pid)
        if worker.slot.is_tired:
            logger.info("process %d has answered its number of requests and was replaced", pid)
        self.kill_worker(pid, signal.SIGTERM)

    def _deadline(self, worker: Worker) -> float:
        return time.monotonic() + (worker.slot.stop_s or START_ENDS_WITHIN_S) + MARGIN_S

    def _kill_overdue(self) -> None:
        for pid, deadline in self._leaving.items():
            if time.monotonic() > deadline and pid in self.WORKERS:
                logger.error("process %d has not ended in its time: killed", pid)
                self.kill_worker(pid, signal.SIGKILL)

    def _is_told_again(self) -> bool:
        """Wait a moment; return whether a signal has asked to end at once."""
        with contextlib.suppress(queue.Empty):
            number = self.SIG_QUEUE.get(timeout=BUSY_TICK_S)
            if number in ENDING:
                self._insists = number
                return True
        return False

    def _on_end(self, pid: int, code: int) -> None:
        was_leaving = self._leaving.pop(pid, None) is not None
        was_replacing = bool(self._outdated)
        lived_s = time.monotonic() - self._started.pop(pid)
        has_served = pid in self._served
        self._served.discard(pid)
        self._outdated.discard(pid)
        how = f"process {pid} {ending_of(code)}"
        if self._is_stopping or was_leaving:
            if has_served and code not in (0, -signal.SIGTERM):
                logger.warning("%s when it was to stop", how)
        elif has_served:
            logger.warning("%s: starting another one%s", how, self._pauses.after_service(lived_s))
        elif code > 0 and not self._has_served:
            if self._app.voice.take():  # it has not said why
                logger.error("%s before it served: it cannot start", how)
            raise HaltServer("a worker cannot start", StartError.exit_code)
        else:
            self._on_failure(how, was_replacing=was_replacing)

    def _on_failure(self, how: str, *, was_replacing: bool) -> None:
        pause = self._pauses.after_failure()
        if was_replacing:
            self._outdated.clear()
            self._is_replacing = False
            logger.error("%s before it served: the old processes go on", how)
        else:
            logger.error("%s before it served: trying again%s", how, pause)

    def _announce(self) -> None:
        self._has_announced = True
        orders, plan = self._app.orders, self._app.orders.plan
        facts = filter(None, (orders.settings_module, orders.environment))
        count = counted(plan.number, "process", "processes")
        write_line(f"{orders.url} ({', '.join((*facts, count))}; Ctrl-C stops)")
        for line in plan.rule:
            logger.info("%s", line)


def _path_in(url: str) -> Path | None:
    """Return the path of a socket that has one in place of a port."""
    return Path(url.removeprefix("unix:")) if url.startswith("unix:") else None
