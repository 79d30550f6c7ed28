"""Context: what is known of the execution that runs here, for log lines and outgoing calls."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import MutableMapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from .spans import span_ids

__all__ = [
    "RunningJob",
    "channel",
    "connection_id",
    "context_fields",
    "new_request_id",
    "request_headers",
    "request_id",
    "request_scope",
    "running_job",
    "traceparent",
    "user_id",
]

request_id: Final[ContextVar[str | None]] = ContextVar("fastforge_request_id", default=None)
"""The id of the request or socket that runs here, or of what else began the work: of the request
that enqueued a job, of the firing of a schedule, of a command."""

request_headers: Final[ContextVar[Sequence[tuple[bytes, bytes]]]] = ContextVar(
    "fastforge_request_headers", default=()
)
"""The headers of the request or socket that runs here, as the server gave them."""

request_scope: Final[ContextVar[MutableMapping[str, Any] | None]] = ContextVar(
    "fastforge_request_scope", default=None
)
"""The ASGI scope of the request or socket that runs here; its route is found later than its id."""

user_id: Final[ContextVar[str | None]] = ContextVar("fastforge_user_id", default=None)
"""Who asks, as log lines name him; None unless that is known and somebody has opted in."""

channel: Final[ContextVar[str | None]] = ContextVar("fastforge_channel", default=None)
"""The name of the channel that what runs here is about."""

connection_id: Final[ContextVar[str | None]] = ContextVar("fastforge_connection_id", default=None)
"""The id of the channel's connection that what runs here is about."""

traceparent: Final[ContextVar[str | None]] = ContextVar("fastforge_traceparent", default=None)
"""The trace that the job which runs here is a part of. Everything's: `tracing.trace_here`."""


class RunningJob(NamedTuple):
    """A job: its task, of which there are few, and itself, of which there are many.

    Args:
        attempt: The number of the attempt, from 1.
        link: The trace in which it was enqueued, for an attempt that is not a part of it: the
            first one is, and each later one is a trace of its own.
    """

    task: str
    uid: str
    attempt: int = 1
    link: str | None = None


running_job: Final[ContextVar[RunningJob | None]] = ContextVar(
    "fastforge_running_job", default=None
)
"""The job that runs here."""


def context_fields() -> dict[str, Any]:
    """Return the ids of what runs here, as they stand in a log line: only those that exist.

    ```python
    logger.info("paid", extra=context_fields())
    ```
    """
    fields: dict[str, Any] = {}
    if (request := request_id.get()) is not None:
        fields["request_id"] = request
    if (span := span_ids()) is not None:
        fields["trace_id"], fields["span_id"] = span
    if (user := user_id.get()) is not None:
        fields["user_id"] = user
    if (job := running_job.get()) is not None:
        fields |= {"job_id": job.uid, "task": job.task, "attempt": job.attempt}
    if (name := channel.get()) is not None:
        fields["channel"] = name
    if (connection := connection_id.get()) is not None:
        fields["connection_id"] = connection
    return fields


def new_request_id() -> str:
    """Return a UUID of version 7: ids that are made later sort later.

    It is not for secrets: ids of the same millisecond follow one another. Their beginning comes
    from the generator that Python seeds anew in forked children, for a fraction of what
    `uuid.uuid4` costs.
    """
    millisecond = time.time_ns() // 1_000_000
    latest, prefix, numbers = _ids.latest
    if latest != millisecond:
        _ids.latest = _, prefix, numbers = _first_of(millisecond)
    return f"{prefix}{next(numbers)}"


def _first_of(millisecond: int) -> tuple[int, str, itertools.count[int]]:
    moment, chance = f"{millisecond:012x}", f"{random.getrandbits(24):06x}"
    # 7 is the version, 8 the variant. The last group is a number of twelve decimal digits: hex
    # digits as well, which cost a third. It begins so low that it has no more in a millisecond.
    prefix = f"{moment[:8]}-{moment[8:]}-7{chance[:3]}-8{chance[3:]}-"
    return millisecond, prefix, itertools.count(10**11 + random.getrandbits(39))


class _Ids:
    """The ids of the latest millisecond; one assignment, so that threads need no lock."""

    __slots__ = ("latest",)

    def __init__(self) -> None:
        self.latest = _first_of(0)


_ids: Final = _Ids()
