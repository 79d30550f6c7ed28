"""Plan: how a worker works, as its command line says it, and on its way to another process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

__all__ = ["WorkerOrders", "WorkerPlan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlan:
    """How the processes of a worker work.

    Args:
        queues: `name` or `name:limit`; all queues of the project unless given.
        concurrency: How many jobs run at the same time in each; TASKS.concurrency unless given.
        burst: End when nothing is due and nothing runs.
        processes: How many processes there are.
        reloads: Whether they are replaced when the code changes, and so have little time to end.
    """

    queues: tuple[str, ...] = ()
    concurrency: int | None = None
    burst: bool = False
    processes: int = 1
    reloads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOrders:
    """What a supervisor wants of one worker process: one argument on the command line.

    Args:
        plan: How it works.
        settings_module: The dotted name of the settings.
        import_folder: The folder to import from.
        control: The number of a pipe's reading end: GO lets the worker start, and its end means
            that the supervisor is gone.
        report: The number of a pipe's writing end.
        is_first: Whether it speaks for all of them at the start.
        tells_health: Whether it reports its health every second.
    """

    plan: WorkerPlan
    settings_module: str
    import_folder: str
    control: int
    report: int
    is_first: bool = True
    tells_health: bool = False

    def to_argument(self) -> str:
        """Return it as one word."""
        return json.dumps(asdict(self))

    @classmethod
    def from_argument(cls, text: str) -> WorkerOrders:
        """Return what `to_argument` has written."""
        members = json.loads(text)
        plan = members.pop("plan")
        plan["queues"] = tuple(plan["queues"])
        return cls(plan=WorkerPlan(**plan), **members)
