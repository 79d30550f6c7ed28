"""Rule: how many jobs run at the same time, and what to raise when they are too few."""

from __future__ import annotations

import logging
import math

from .._utils import counted
from ..core.processes import cpu_quota

__all__ = ["concurrency_rule", "tell_concurrency"]

logger = logging.getLogger("fastforge.worker")


def tell_concurrency(processes: int, concurrency: int) -> None:
    """Write the rule to the log."""
    for line in concurrency_rule(processes, concurrency):
        logger.info("%s", line)


def concurrency_rule(processes: int, concurrency: int) -> tuple[str, str]:
    """Return two lines: what there is, and which of the two to raise for which kind of job."""
    count = counted(processes, "process", "processes")
    have = counted(math.ceil(cpu_quota()), "processor is", "processors are")
    waiting = (
        f"{count} x {counted(concurrency, 'job')} = {processes * concurrency} at the same time;"
        " jobs that wait for a network or a database: raise the concurrency"
    )
    computing = (
        f"jobs that compute: raise the processes ({have} here), or declare them with"
        " @task(isolate=True)"
    )
    return waiting, computing
