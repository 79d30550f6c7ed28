"""Tracers: what a project that is traced has, for the server, the worker and our own code.

`fastforge.contrib.telemetry` gives it to the container; the rest of the framework asks there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from .tracing import Attributes

__all__ = ["ISOLATED_IN", "EndOfAttempt", "JobAttempt", "TracedRequests", "Tracing"]

ISOLATED_IN = "isolated_in"
"""The header of an envelope with the span of a worker whose other process runs the attempt."""

EndOfAttempt: TypeAlias = Callable[[str, str, str], None]
"""Is told how an attempt ended: the verdict, the error's type and its message, empty for none."""

TracedRequests: TypeAlias = Callable[..., Any]
"""Takes the place of FastAPI's telemetry: called as that is, with an application and its scope."""


class JobAttempt(NamedTuple):
    """An attempt at a job, as its span tells of it.

    Args:
        task: Its task.
        queue: Where it waited.
        uid: The job's.
        attempt: The number of the attempt, from 1.
        traceparent: The trace in which it was enqueued, if there was one.
        isolated_in: The span of the worker, where it runs in a process beside that.
    """

    task: str
    queue: str
    uid: str
    attempt: int
    traceparent: str | None
    isolated_in: str | None = None


class Tracing(Protocol):
    """What traces a running project."""

    @property
    def tracer(self) -> Tracer:
        """Begins the spans of our own code."""
        ...

    def requests(self, native: Any) -> TracedRequests:
        """Return what traces the requests of an application.

        Args:
            native: FastAPI's telemetry of the application.
        """
        ...

    def job(self, attempt: JobAttempt) -> AbstractContextManager[EndOfAttempt]:
        """Return a context manager: what runs inside is an attempt at a job."""
        ...

    def message(self, name: str, attributes: Attributes) -> AbstractContextManager[None]:
        """Return a context manager: what runs inside is about a message of a socket's client.

        Args:
            name: Of which there are few.
            attributes: What is known of the message.
        """
        ...
