"""Running: one process that runs the jobs of a project until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from ..core.reach import refuse_apart
from ..ending import end_soon, leave_behind
from ..exceptions import StartError
from ..lifecycle import Container, Role
from ..observability.logging.projects import project_logging
from ..server.loading import resting_collector
from ..signals import heard_signals
from ..tasks.control import ConsumerOptions, Stop
from ..tasks.settings import Tasks
from ..tasks.working import options_of, threads_left, work
from .loop import loop_factory
from .patience import lose_patience
from .plan import WorkerPlan
from .queues import parse_queues
from .rule import tell_concurrency
from .state import WorkerState

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["Observer", "planned_options", "run_planned", "run_worker"]

logger = logging.getLogger("fastforge.worker")

RELOAD_DRAIN_S: Final = 2.0
"""How long running jobs may go on when the code has changed; then they are handed back."""


class Observer:
    """Whom a worker tells how far it has come; this one does nothing."""

    async def working(self, state: WorkerState, options: ConsumerOptions) -> None:
        """Hear that it takes jobs, in a task of its own that is cancelled at the end."""


def run_worker(
    project: Project,
    *,
    queues: Iterable[str] = (),
    concurrency: int | None = None,
    burst: bool = False,
    health: socket.socket | None = None,
) -> int:
    """Run jobs until SIGTERM or SIGINT, and return the exit code 0.

    At the signal it claims no more, lets running jobs end for TASKS.drain_s, then cancels them
    and hands them back: another worker starts them at once, and the attempt is not counted. A
    second signal skips the waiting. A signal that whoever started us ignores stays ignored, and
    outside of the main thread none is heard.

    ```python
    raise SystemExit(run_worker(Project.load("shop.settings"), queues=["mail", "reports:2"]))
    ```

    Args:
        project: The loaded project.
        queues: The queues to take jobs from, each with a colon and a limit if at most so many of
            its jobs are to run at the same time here; all that the project's tasks name unless
            given.
        concurrency: How many jobs run at the same time; TASKS.concurrency unless given.
        burst: End when nothing is due and nothing runs. Jobs that are due later stay. It does not
            wait for a backend that is away for longer than SERVER.start_deadline_s.
        health: A socket that listens, on which probes are answered meanwhile.

    Raises:
        StartError: The project could not be opened, the backend of a burst does not come back, or
            nobody would hear what jobs publish.
        TaskError: A queue that no task uses, a limit that is none, or a backend that is not
            installed.
    """
    plan = WorkerPlan(queues=tuple(queues), concurrency=concurrency, burst=burst)
    return run_planned(project, plan, health=health)


def run_planned(
    project: Project,
    plan: WorkerPlan,
    *,
    observer: Observer | None = None,
    health: socket.socket | None = None,
    ends_process: bool = False,
) -> int:
    """Do what `run_worker` does, by a plan.

    Args:
        observer: Whom to tell of the start.
        ends_process: Whether the process has nothing else to do. Told to stop, it then ends 3
            seconds after all is closed, also when a thread or a task of it does not.
    """
    refuse_apart(project)
    options = planned_options(project, plan)
    worker = _Worker(project, options, observer or _Announcer(plan), health)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        threads = runner.run(worker.run(ends_process=ends_process))
        if ends_process and worker.was_told:
            end_soon()
    if threads and threading.current_thread() is threading.main_thread():
        # Their jobs are handed back, and run elsewhere by now.
        logger.warning("%s", threads_left(len(threads)))
        leave_behind(threads)
    return 0


def planned_options(project: Project, plan: WorkerPlan) -> ConsumerOptions:
    """Return how one process works.

    Raises:
        TaskError: A queue that no task uses, or a limit that is none.
    """
    limits = parse_queues(plan.queues)
    drain_s = project.settings.section(Tasks).drain_s
    return options_of(
        project.registry,
        project.settings,
        queues=limits,
        limits={name: limit for name, limit in limits.items() if limit is not None},
        concurrency=plan.concurrency,
        drain_s=min(drain_s, RELOAD_DRAIN_S) if plan.reloads else drain_s,
        burst=plan.burst,
    )


class _Announcer(Observer):
    """Says how many jobs run at the same time, in a process that is alone."""

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan

    async def working(self, state: WorkerState, options: ConsumerOptions) -> None:
        if not self._plan.burst:
            tell_concurrency(self._plan.processes, options.concurrency)


class _Worker:
    """A worker from its first signal handler to its last.

    Attributes:
        was_told: Whether a signal has told it to stop.
    """

    def __init__(
        self,
        project: Project,
        options: ConsumerOptions,
        observer: Observer,
        health: socket.socket | None,
    ) -> None:
        self._project = project
        self._options = options
        self._observer = observer
        self._health = health
        self._stop = Stop()
        self._state = WorkerState(project.settings)
        self._failure: StartError | None = None
        self.was_told = False

    async def run(self, *, ends_process: bool) -> frozenset[threading.Thread]:
        """Work until told to stop; return the threads that are still at work then."""
        lines = project_logging(self._project.settings, "worker", for_ever=ends_process)
        with lines:
            return await self._run()

    async def _run(self) -> frozenset[threading.Thread]:
        async with self._answering():
            main = asyncio.create_task(self._work())

            def told_to_stop(_: int) -> None:
                self.was_told = True
                # Before it has started there is nothing to drain: what is open is closed at once.
                if self._state.container is None:
                    main.cancel()
                else:
                    self._state.container.drain()
                    self._stop.request()

            with heard_signals(told_to_stop):
                try:
                    return await main
                except asyncio.CancelledError:
                    return frozenset()

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Answer probes meanwhile, from before the start until after the end."""
        async with AsyncExitStack() as stack:
            if self._health is not None:
                from .health import answering, health_app, readiness_of, start_of

                app = health_app(ready=readiness_of(self._state).ask, started=start_of(self._state))
                await stack.enter_async_context(answering(self._health, app))
            yield

    async def _work(self) -> frozenset[threading.Thread]:
        with resting_collector() as wake_collector:
            return await self._work_within(wake_collector)

    async def _work_within(self, wake_collector: Callable[[], None]) -> frozenset[threading.Thread]:
        async with self._project.running(Role.WORKER) as container:
            wake_collector()
            self._state.container = container
            telling = asyncio.create_task(self._observer.working(self._state, self._options))
            watching = asyncio.create_task(self._give_up(container))
            try:
                threads = await work(
                    container, self._options, self._stop, on_start=self._state.consume
                )
            finally:
                container.drain()
                telling.cancel()
                watching.cancel()
            if self._failure is not None:
                raise self._failure
            return threads

    async def _give_up(self, container: Container) -> None:
        """Stop a burst whose backend is away for too long; others wait for it."""
        if self._options.burst:
            self._failure = await lose_patience(container, self._state)
            self._stop.request()
