"""Envelope: a job on its way, as plain data that any backend can keep."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ..observability.context import request_id
from ..observability.tracing import trace_here
from .limits import Pace, Slots, UniqueKey

__all__ = ["REQUEST_ID", "VERSION", "Envelope", "headers_here", "new_uid"]

VERSION: Final = 1
"""The version of envelopes that this code writes, and the newest that it can run."""
REQUEST_ID: Final = "request_id"
"""The header of a job that has the id of the request that enqueued it."""
TRACEPARENT: Final = "traceparent"


def new_uid() -> str:
    """Return a new id of a job, unique everywhere."""
    return str(uuid.uuid4())


def headers_here() -> dict[str, str]:
    """Return what a job remembers of the execution that enqueues it."""
    here = {REQUEST_ID: request_id.get(), TRACEPARENT: trace_here()}
    return {name: value for name, value in here.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is known of a job before it runs. Everything in it is JSON, except the two moments.

    Args:
        task: The name of the task.
        payload: The task's arguments by name.
        queue: The queue that it waits in.
        uid: Unique everywhere, known before the job is written.
        headers: What the job remembers of where it was enqueued: `request_id`, `traceparent`.
        run_at: When it is due, with a time zone; None means `delay_s` from now, by the backend's
            clock.
        delay_s: How long after its enqueueing it is due, in seconds.
        max_attempts: How often it is tried.
        version: The form of the envelope. A worker puts back what is newer than itself.
        priority: Smaller runs first among what is due.
        expires_at: Not begun after that moment, with a time zone: then it is dead.
        unique: What may be enqueued only once.
        slots: How many may run at the same time.
        pace: How many may begin within a time.
        batch: The id of the batch that it belongs to.
    """

    task: str
    payload: Mapping[str, Any]
    queue: str = "default"
    uid: str = field(default_factory=new_uid)
    headers: Mapping[str, str] = field(default_factory=headers_here)
    run_at: datetime | None = None
    delay_s: float = 0
    max_attempts: int = 10
    version: int = VERSION
    priority: int = 0
    expires_at: datetime | None = None
    unique: UniqueKey | None = None
    slots: Slots | None = None
    pace: Pace | None = None
    batch: str | None = None

    @property
    def request_id(self) -> str | None:
        """The id of the request that enqueued it, if one did."""
        return self.headers.get(REQUEST_ID)

    @property
    def traceparent(self) -> str | None:
        """The trace in which it was enqueued, if there was one."""
        return self.headers.get(TRACEPARENT)
