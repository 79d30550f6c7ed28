"""Run the jobs that wait, until told to stop."""

from __future__ import annotations

import logging
from typing import Annotated

from ...commands import Context, command
from ...exceptions import CommandError

__all__ = ["runworker"]


@command(starts="nothing")
def runworker(
    *,
    queues: Annotated[str, "Names with commas between; all queues unless given."] = "",
    concurrency: Annotated[
        int | None, "How many jobs run at the same time; TASKS.concurrency unless given."
    ] = None,
    burst: Annotated[bool, "End when nothing is due."] = False,
    context: Context,
) -> int:
    """Take jobs and run them; SIGTERM lets running jobs end, a second one does not wait."""
    from ...signals import remembered_termination

    if concurrency is not None and concurrency < 1:
        raise CommandError(
            f"--concurrency is {concurrency}",
            code="management.E013",
            hint="at least one job has to run at a time",
        )
    with remembered_termination():  # to load the project takes longest
        from ...worker import run_worker

        project = context.load_project()
        # Whoever configured logging in the settings has handlers already; then this does nothing.
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        return run_worker(
            project,
            queues=[name.strip() for name in queues.split(",") if name.strip()],
            concurrency=concurrency,
            burst=burst,
        )
