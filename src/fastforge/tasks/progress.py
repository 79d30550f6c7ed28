"""Progress: how far a job is, said by the job itself."""

from __future__ import annotations

import math
from contextvars import ContextVar
from typing import Final

from ..exceptions import TaskError
from .records import Progress

__all__ = ["ProgressBox", "progress_box", "report_progress"]

MESSAGE_LIMIT: Final = 200


class ProgressBox:
    """The last thing that one running job has said, until its worker passes it on.

    Attributes:
        latest: What it said last.
        passed_on: What the backend knows.
    """

    __slots__ = ("latest", "passed_on")

    def __init__(self) -> None:
        self.latest: Progress | None = None
        self.passed_on: Progress | None = None

    @property
    def news(self) -> Progress | None:
        """What the backend does not know yet."""
        return self.latest if self.latest is not self.passed_on else None


progress_box: Final[ContextVar[ProgressBox | None]] = ContextVar("fastforge_progress", default=None)
"""Where the job that runs here says how far it is."""


def report_progress(done: float, total: float | None = None, message: str = "") -> None:
    """Say how far the job that runs here is: in a task, `async def` or `def`.

    ```python
    for number, row in enumerate(rows, start=1):
        ...
        report_progress(number, len(rows), "rows imported")
    ```

    Surprises: it costs next to nothing, because only the last value is kept; the worker passes it
    on twice a second. What was said right before the end may be passed on no more.

    Args:
        done: How much is done.
        total: How much there is to do; None where nobody knows.
        message: What it is doing, in a few words; cut off after 200 characters.

    Raises:
        TaskError: No job runs here, or a number is none.
    """
    box = progress_box.get()
    if box is None:
        raise TaskError(
            "report_progress was called where no job runs",
            code="tasks.E035",
            hint="call it in a task while a worker runs it, or in a function that the task calls",
        )
    if not math.isfinite(done) or not (total is None or math.isfinite(total)):
        raise TaskError(
            f"report_progress was given done={done!r} of total={total!r}, which is no progress",
            code="tasks.E036",
            hint="give numbers, and no total where nobody knows it",
        )
    box.latest = Progress(done=done, total=total, message=message[:MESSAGE_LIMIT])
