"""Rule: how many jobs run at the same time, and what to raise when they are too few."""

from __future__ import annotations

import logging
import os

from .._utils import counted

__all__ = ["concurrency_rule", "tell_concurrency"]

logger = logging.getLogger("fastforge.worker")


def tell_concurrency(processes: int, concurrency: int) -> None:
    """Write the rule to the log."""
    for line in concurrency_rule(processes, concurrency):
        logger.info("%s", line)


def concurrency_rule(processes: int, concurrency: int) -> tuple[str, str]:
    """Return two lines: what there is, and which of the two to raise for which kind of job."""
    count = counted(processes, "process", "processes")
    have = counted(_processors(), "processor is", "processors are")
    waiting = (
        f"{count} x {counted(concurrency, 'job')} = {processes * concurrency} at the same time;"
        " jobs that wait for a network or a database: raise the concurrency"
    )
    computing = (
        f"jobs that compute: raise the processes ({have} here), or declare them with"
        " @task(isolate=True)"
    )
    return waiting, computing


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))  # what a container was given
    except AttributeError:
        return os.cpu_count() or 1
