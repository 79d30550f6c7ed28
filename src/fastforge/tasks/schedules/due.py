"""Due: for which of a schedule's times a job runs, as the job itself may ask."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime
from typing import Final

__all__ = ["DUE_AT", "due_text", "scheduled_for"]

DUE_AT: Final = "due_at"
"""The header of a job that says which of its schedule's times it stands for, ISO 8601 in UTC."""

due_text: Final[ContextVar[str | None]] = ContextVar("fastforge_due_text", default=None)
"""The due time that the job that runs here stands for, ISO 8601."""


def scheduled_for() -> datetime | None:
    """Return the due time for which a schedule enqueued the job that runs here, in UTC.

    For jobs that are about a time: what runs late, or again, is about the same one.

    ```python
    @task
    async def send_report() -> None:
        day = (scheduled_for() or datetime.now(UTC)).date()
    ```

    Returns:
        None in a job that no schedule enqueued, and outside of jobs.
    """
    text = due_text.get()
    return None if text is None else datetime.fromisoformat(text)
