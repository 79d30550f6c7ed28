"""Listeners: functions of a project that are told what happens to jobs."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from ..exceptions import Location, TaskError
from ..lifecycle import plan
from ..observability.events import ENQUEUED, EVENTS, Event
from .envelope import Envelope
from .outcome import AttemptError

__all__ = ["JobEvent", "JobListener", "event_parameter", "on_job"]

TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """Something that happened to a job, as a listener is told.

    Args:
        event: What happened.
        envelope: The job.
        worker_id: Where it happened. Of an attempt whose worker has vanished that one, although
            another tells of it.
        attempt: The number of the attempt, from 1.
        error: What ended the attempt, if an error did.
        duration_s: How long the attempt ran, in seconds; 0 when it began, and where nobody knows.
    """

    event: Event
    envelope: Envelope
    worker_id: str
    attempt: int
    error: AttemptError | None = None
    duration_s: float = 0

    @property
    def task(self) -> str:
        """The name of the job's task."""
        return self.envelope.task

    @property
    def uid(self) -> str:
        """The id of the job."""
        return self.envelope.uid


@dataclass(frozen=True, slots=True, kw_only=True)
class JobListener:
    """A function that is told of some events.

    Args:
        name: Unique in the project; the module and name of the function.
        events: What it is told of.
        function: Takes the JobEvent; its other parameters are injected.
        timeout_s: How long one call may take, in seconds.
    """

    name: str
    events: tuple[Event, ...]
    function: Callable[..., Awaitable[None]]
    timeout_s: float = TIMEOUT_S

    def __repr__(self) -> str:
        return f"<JobListener({self.name})>"


def on_job(
    *events: Event, timeout_s: float = TIMEOUT_S
) -> Callable[[Callable[..., Awaitable[None]]], JobListener]:
    """Declare a listener, in an app's `listeners.py`.

    It is called in the worker, once the backend has recorded what it is told of, with its other
    parameters injected as in a task.

    ```python
    @on_job(DEAD)
    async def tell_operators(event: JobEvent, *, chat: Chat = injected) -> None:
        await chat.say(f"{event.task} {event.uid} is dead: {event.error}")
    ```

    Surprises: it runs beside the jobs and changes nothing about them. What it raises is logged,
    and when it is too slow it is cancelled. It is told at most once: a worker that is killed right
    after a job has ended tells nobody. Of an attempt that ends with its worker another one tells,
    when it finds that the lease has run out.

    Args:
        events: Of `fastforge.observability.events`; all but `ENQUEUED`, which happens elsewhere.
        timeout_s: How long one call may take, in seconds.

    Raises:
        TaskError: It does not decorate an async function, or what it names is no event of a worker.
    """

    def declare(function: Callable[..., Awaitable[None]]) -> JobListener:
        _refuse_events(function, events)
        if not inspect.iscoroutinefunction(function):
            raise TaskError(
                f"@on_job decorates {function!r}, which is no async function",
                code="tasks.E038",
                hint="write async def with the event as a parameter",
                where=Location.of(function),
            )
        name = f"{function.__module__}.{function.__qualname__}"
        return JobListener(name=name, events=events, function=function, timeout_s=timeout_s)

    return declare


def event_parameter(listener: JobListener) -> str:
    """Return the name of the parameter that takes the event; refuse a listener without one.

    Raises:
        DependencyError: A parameter needs a request, or cannot be filled.
        TaskError: It does not take the event alone besides what is injected.
    """
    planned = plan(listener.function, takes_arguments=True)
    signature = inspect.signature(listener.function)
    own = [signature.parameters[name] for name in planned.arguments]
    first = next(iter(planned.arguments), "")
    try:
        signature.replace(parameters=own).bind(**{first: None})
    except TypeError:
        raise TaskError(
            f"the listener {listener.function.__name__} cannot be called with an event alone",
            code="tasks.E039",
            hint="take the event, and inject all else: write `= injected`",
            where=Location.of(listener.function),
        ) from None
    return first


def _refuse_events(function: Callable[..., Any], events: tuple[Any, ...]) -> None:
    told = [event for event in EVENTS if event is not ENQUEUED]
    wrong = next((event for event in events if event not in told), None)
    if wrong is not None or not events:
        names = ", ".join(event.name.removeprefix("job.").upper() for event in told)
        raise TaskError(
            f"@on_job names {wrong!r}, of which no worker tells"
            if events
            else "@on_job names no event",
            code="tasks.E037",
            hint=f"name events of fastforge.observability.events: {names}",
            where=Location.of(function),
        )
