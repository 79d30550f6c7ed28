"""Isolated: the process that a worker starts for jobs of `@task(isolate=True)`."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from .._utils import told
from ..ending import leave_behind
from ..exceptions import ForgeError
from ..lifecycle import Role
from ..project import Project
from ..signals import heard_signals
from ..tasks.backend import Claim
from ..tasks.isolation.logs import Forwarder, forward_all
from ..tasks.isolation.serving import WorkerPipe, serve_jobs
from ..tasks.threads import Threads
from .loop import loop_factory

__all__ = ["main"]


def main(orders: dict[str, Any]) -> None:
    """Load the project, and run the jobs that the worker sends, until that is gone.

    Args:
        orders: The number of a socket to the worker, the settings' module, a level of logging.
    """
    pipe = WorkerPipe(socket.socket(fileno=orders["socket"]))
    try:
        project = Project.load(orders["settings_module"])
        forward_all(Forwarder(lambda line: pipe.send(log=line)), level=orders["level"])
        threads = Threads(1)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(project, pipe, threads))
        leave_behind(threads.at_work)
    except Exception as error:
        pipe.send(failed=str(error) if isinstance(error, ForgeError) else told(error))


async def _serve(project: Project, pipe: WorkerPipe, threads: Threads) -> None:
    jobs: asyncio.Queue[Claim] = asyncio.Queue()
    main = asyncio.create_task(_run(project, pipe, jobs, threads))
    pipe.listen(jobs, main)

    def told_to_end(_: int) -> None:
        main.cancel()

    with heard_signals(told_to_end):
        await asyncio.wait({main})
    if not main.cancelled():
        main.result()


async def _run(
    project: Project, pipe: WorkerPipe, jobs: asyncio.Queue[Claim], threads: Threads
) -> None:
    async with project.running(Role.WORKER, services=False) as container:
        await serve_jobs(container, pipe, jobs, threads)
