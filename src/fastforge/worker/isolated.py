"""Isolated: the process that a worker starts for jobs of `@task(isolate=True)`."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from .._utils import told
from ..ending import leave_behind
from ..exceptions import ForgeError
from ..lifecycle import Role
from ..observability.logging.configuration import Configuration
from ..observability.logging.current import current
from ..observability.logging.process import enter_logging
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
        orders: The number of a socket to the worker, the settings' module, a level of logging,
            and how lines look.
    """
    pipe = WorkerPipe(socket.socket(fileno=orders["socket"]))
    try:
        _write_lines(orders["lines"])
        project = Project.load(orders["settings_module"])
        forward_all(Forwarder(lambda line: pipe.send(log=line)), level=orders["level"])
        threads = Threads(1)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(project, pipe, threads))
        leave_behind(threads.at_work)
    except Exception as error:
        pipe.send(failed=str(error) if isinstance(error, ForgeError) else told(error))


def _write_lines(lines: str | None) -> None:
    """Let what is printed, and what nobody handles, be lines as those of the worker are.

    What is logged goes to the worker, whose handlers count; events of structlog as records.
    """
    structlog_alone = Configuration(role="worker", shape="json", reach="structlog")
    enter_logging(structlog_alone if lines is None else Configuration.from_json(lines))
    current.stream = None


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
