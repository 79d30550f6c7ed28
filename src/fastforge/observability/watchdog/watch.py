"""Watch: the thread beside an event loop, which looks at it while it does not go on."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Hashable
from typing import Any, Final

from ..metrics.recording import record_loop_block, record_loop_lag
from .block import Block, Cause
from .clocks import Look, ThreadClock, Throttling
from .collector import CollectorClock
from .current import RouteOf, who_runs
from .frames import stack_of
from .heart import Heart
from .reports import Reports
from .settings import Watchdog

__all__ = ["Watch", "is_debugged"]

logger = logging.getLogger("fastforge.watchdog")

STOP_LIMIT_S: Final = 0.5
THINNING: Final = 40
"""A block is looked at each tick, and once it lasts for long, each fortieth part of that."""
THROTTLING_EVERY_S: Final = 1.0


class Watch:
    """Watches the event loop that runs here.

    What it finds is written as `event_loop_blocked`, `garbage_collection_paused` and
    `cpu_starved`. It never raises.

    Args:
        settings: What it goes by.
        route_of: What reads the route of the scope of a request.
        record_lag: Told by how much the loop is late, in seconds, each tick.
    """

    def __init__(
        self,
        settings: Watchdog,
        route_of: RouteOf,
        record_lag: Callable[[float], None] = record_loop_lag,
    ) -> None:
        self.reports = Reports(settings.report_every_s)
        self._settings = settings
        self._route_of = route_of
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._heart = Heart(
            self._loop,
            tick_s=settings.tick_s,
            late_s=settings.threshold_s,
            record=record_lag,
        )
        self._clock = ThreadClock()
        self._collector = CollectorClock()
        self._throttling = Throttling()
        self._throttled: tuple[float, float] = (0.0, 0.0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fastforge-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._collector.start()
        self._heart.start()
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopping.set()
        self._heart.stop()
        self._collector.stop()
        self._thread.join(STOP_LIMIT_S)
        if not self._thread.is_alive():
            self._clock.close()

    def _run(self) -> None:
        try:
            self._watch()
        except Exception:  # it is there to help, and nobody waits for it
            if not sys.is_finalizing():
                logger.warning("the watchdog of the event loop has failed", exc_info=True)

    def _watch(self) -> None:
        # A block is suspected early: what is seen of a short one would come too late.
        suspect_s = self._settings.tick_s + self._settings.threshold_s / 2
        wait_s = suspect_s
        before = self._clock.look()
        while not self._stopping.wait(wait_s):
            look = self._clock.look()
            self._read_throttling(look.at)
            last = self._heart.last
            if look.at - last < suspect_s:
                wait_s = max(self._settings.tick_s, last + suspect_s - look.at)
                before = look
                continue
            block = Block(
                began=last,
                before=before,
                collected_s=self._collector.total_s,
                throttled_s=self._throttled[1],
            )
            block.pass_time(look, wanted_s=wait_s)
            self._follow(block)
            wait_s, before = self._settings.tick_s, block.before

    def _follow(self, block: Block) -> None:
        """Look at the loop until it goes on, or for as long as this process runs."""
        marks = sorted(self._settings.lasting_s)
        may_tell: dict[str, Any] | None = None
        while self._heart.last == block.began:
            self._sample(block)
            lasted_s = block.before.at - block.began - self._settings.tick_s
            if marks and lasted_s >= marks[0]:
                while marks and lasted_s >= marks[0]:
                    marks.pop(0)
                may_tell = self._tell(block, lasted_s, may_tell, lasts=True)
            wait_s = max(self._settings.tick_s, lasted_s / THINNING)
            if self._stopping.wait(wait_s):
                return
            block.pass_time(self._clock.look(), wanted_s=wait_s)
        ends = [end for began, end in self._heart.gaps if began == block.began]
        self._heart.gaps.clear()
        if ends:
            self._tell(block, ends[0] - block.began - self._settings.tick_s, may_tell)

    def _sample(self, block: Block) -> None:
        stack = stack_of(self._thread_id, self._heart.base)
        task = asyncio.current_task(self._loop)
        if self._heart.last != block.began or stack is None:
            return  # it has gone on meanwhile: that is somebody else
        block.add(stack, id(task))
        if stack.places and not block.who.get(id(task)):
            block.who[id(task)] = who_runs(task, self._route_of)

    def _tell(
        self,
        block: Block,
        duration_s: float,
        may_tell: dict[str, Any] | None,
        *,
        lasts: bool = False,
    ) -> dict[str, Any] | None:
        """Write what is known of a block; return what was left out before it, if it may be told."""
        if block.is_debugged or not block.samples:
            return None
        look = block.before
        cause = self._cause(block, duration_s, look)
        event, key = _event_of(cause, block)
        if not event:
            return may_tell
        if not lasts:
            record_loop_block(cause)
        if may_tell is None:
            may_tell = self.reports.may_tell(key, duration_s)
        if may_tell is not None:
            fields = self._fields(block, cause, duration_s) | ({"lasts": True} if lasts else {})
            self.reports.write(event, fields | may_tell)
        return may_tell

    def _cause(self, block: Block, duration_s: float, look: Look) -> Cause:
        return block.cause(
            duration_s,
            look,
            collected_s=self._collector.total_s,
            throttled_s=self._throttling.total_s(),
            threshold_s=self._settings.threshold_s,
        )

    def _fields(self, block: Block, cause: Cause, duration_s: float) -> dict[str, Any]:
        fields: dict[str, Any] = {"duration_s": round(duration_s, 3)}
        collected_s = block.collected_until(self._collector.total_s)
        if cause is not Cause.CODE:  # what ran meanwhile is told, and is not to blame
            fields["cause"] = str(cause)
        fields |= block.told()
        parts = {"starved_s": block.starved_s, "collected_s": collected_s}
        return fields | {
            name: round(part_s, 3) for name, part_s in parts.items() if part_s > duration_s / 10
        }

    def _read_throttling(self, now: float) -> None:
        if now - self._throttled[0] >= THROTTLING_EVERY_S:
            self._throttled = (now, self._throttling.total_s())


def _event_of(cause: Cause, block: Block) -> tuple[str, Hashable]:
    """Return what a block is called, and what is told of once a minute; no name: of nothing."""
    if cause is Cause.CODE:
        guilty = block.guilty
        return ("event_loop_blocked", guilty) if guilty else ("", None)
    if cause is Cause.COLLECTOR:
        return "garbage_collection_paused", cause
    return ("", None) if cause is Cause.NOBODY else ("cpu_starved", cause)


def is_debugged() -> bool:
    """Return whether somebody debugs this process: what waits for him blocks nothing."""
    trace = sys.gettrace()
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID):
        return True
    return trace is not None and not type(trace).__module__.startswith("coverage")
