"""Run the jobs that wait, until told to stop; several processes, reloads in development.

More than one process, and those that start anew when the code changes, are children of a small
supervisor, which restarts one that dies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from ..._modules import find_module
from ...commands import Context, command
from ...exceptions import CommandError
from ...observability.logging.light import logging_begun

if TYPE_CHECKING:
    import socket

    from ...worker.plan import WorkerPlan

__all__ = ["runworker"]

HEALTH_HOST: Final = "127.0.0.1"


@command(starts="nothing")
def runworker(
    *,
    queues: Annotated[
        str,
        "NAME or NAME:LIMIT with commas between: mail,reports:2 runs at most 2 jobs of reports at"
        " the same time in each process; all queues unless given.",
    ] = "",
    concurrency: Annotated[
        int | None,
        "How many jobs run at the same time in each process; TASKS.concurrency unless given.",
    ] = None,
    processes: Annotated[int, "How many processes run jobs; one that dies is restarted."] = 1,
    burst: Annotated[bool, "End when nothing is due."] = False,
    reload: Annotated[
        bool | None,
        "Start anew when the code changes; on in development unless given, never with --burst.",
    ] = None,
    health_port: Annotated[
        int | None,
        "Answer /startupz, /livez and /readyz on this port, for all processes; not unless given.",
    ] = None,
    health_host: Annotated[str, "The address for that; 0.0.0.0 for every one."] = HEALTH_HOST,
    context: Context,
) -> int:
    """Take jobs and run them; SIGTERM lets running jobs end, a second one does not wait."""
    _refuse_less_than_one("--concurrency", concurrency, "at least one job has to run at a time")
    _refuse_less_than_one("--processes", processes, "at least one process has to run jobs")
    from ...worker.plan import WorkerPlan
    from ...worker.queues import parse_queues

    names = tuple(name.strip() for name in queues.split(",") if name.strip())
    if queues.strip() and not names:
        names = ("",)  # commas alone are no wish for all queues: it is refused
    parse_queues(names)  # what is wrong with them is told before anything starts
    module = _settings_module(context)
    reloads = _reloads(module, reload) and not burst
    plan = WorkerPlan(
        queues=names, concurrency=concurrency, burst=burst, processes=processes, reloads=reloads
    )
    with _listening(health_host, health_port) as health:
        if processes == 1 and not reloads:
            return _work_here(context, plan, health)
        from ...server.place import find_place
        from ...worker.supervising import supervise

        # While somebody develops, a supervisor is as light as it can be.
        lines = nullcontext() if reloads else logging_begun("manager")
        place = find_place(module, Path.cwd())
        with lines:
            return supervise(plan, settings_module=module, place=place, health=health)


def _refuse_less_than_one(option: str, count: int | None, hint: str) -> None:
    if count is not None and count < 1:
        raise CommandError(f"{option} is {count}", code="management.E013", hint=hint)


def _settings_module(context: Context) -> str:
    from ...conf.finding import find_settings_module, make_importable

    make_importable(Path.cwd())
    return context.settings_module or find_settings_module(Path.cwd(), os.environ)[0]


def _reloads(module: str, wanted: bool | None) -> bool:
    """Return whether to reload. A name that leads nowhere is no mistake that an edit would cure."""
    if wanted is None:
        from ...conf.environment import read_environment
        from ...server.place import find_place

        root = find_place(module, Path.cwd()).root
        wanted = read_environment(root).name == "development"
    return wanted and find_module(module) is not None


@contextmanager
def _listening(host: str, port: int | None) -> Iterator[socket.socket | None]:
    if port is None:
        yield None
        return
    from ...server.listening import bind

    with bind(host, port) as sock:
        yield sock


def _work_here(context: Context, plan: WorkerPlan, health: socket.socket | None) -> int:
    """Run jobs in this process."""
    from ...signals import remembered_termination

    with logging_begun("worker"), remembered_termination():  # to load the project takes longest
        from ...worker.running import run_planned

        project = context.load_project()
        return run_planned(project, plan, health=health, ends_process=True)
