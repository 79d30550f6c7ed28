"""Child: one of the worker processes of a supervisor; `python -m fastforge.worker.child`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..conf.finding import make_importable
from ..core.timeline import Timeline
from ..exceptions import ForgeError
from ..observability.logging.light import begin_logging
from ..observability.logging.refusals import tell_refusal
from ..observability.tracebacks import tracebacks_are_wanted
from ..project import Project
from ..server.link import Link
from ..tasks.control import ConsumerOptions
from .plan import WorkerOrders
from .rule import tell_concurrency
from .running import Observer, planned_options, run_planned
from .state import WorkerState

__all__ = ["main"]

HEALTH_EVERY_S: Final = 1.0


def main(arguments: list[str]) -> int:
    """Run jobs until SIGTERM, or until the supervisor is gone.

    Args:
        arguments: One: `WorkerOrders` as JSON.
    """
    orders = WorkerOrders.from_argument(arguments[0])
    # Ctrl-C reaches the whole process group. The supervisor decides what it means for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    link = Link(orders.control, orders.report)
    make_importable(Path.cwd())
    if orders.import_folder not in sys.path:
        sys.path.insert(0, orders.import_folder)
    begin_logging("worker")
    try:
        return _work(orders, link)
    except ForgeError as error:
        # The supervisor says it, once for all processes; only the traceback is told here.
        if tracebacks_are_wanted():
            tell_refusal(error)
        link.failed(error)
        return error.exit_code
    except Exception as error:
        link.failed(error)
        raise


def _work(orders: WorkerOrders, link: Link) -> int:
    project = Project.load(orders.settings_module)
    try:
        planned_options(project, orders.plan)
    except ForgeError:  # told before anything opens
        link.report("refused")
        raise
    link.wait_for_start()
    return run_planned(
        project, orders.plan, observer=_Reporter(project, orders, link), ends_process=True
    )


class _Reporter(Observer):
    """Tells the supervisor of the start and, if it wants that, of the health."""

    def __init__(self, project: Project, orders: WorkerOrders, link: Link) -> None:
        self._project = project
        self._orders = orders
        self._link = link

    async def working(self, state: WorkerState, options: ConsumerOptions) -> None:
        limit_s = self._timeline(options).kill_after_s
        self._link.orphan_limit_s = limit_s
        self._link.report("served", json.dumps({"kill_after_s": limit_s}))
        plan = self._orders.plan
        if self._orders.is_first and not plan.burst:
            tell_concurrency(plan.processes, options.concurrency)
        if self._orders.tells_health:
            await self._tell_health(state)

    def _timeline(self, options: ConsumerOptions) -> Timeline:
        # One that reloads gives its jobs less time than the settings do.
        return replace(Timeline.of_worker(self._project), graceful_s=options.drain_s)

    async def _tell_health(self, state: WorkerState) -> None:
        from .health import readiness_of  # for those alone who ask

        readiness = readiness_of(state)
        while True:
            self._link.report("health", json.dumps(await readiness.ask()))
            await asyncio.sleep(HEALTH_EVERY_S)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
