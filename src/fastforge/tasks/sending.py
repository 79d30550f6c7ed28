"""Sending: turns calls into jobs of the backend, and gives their handles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from .._utils import calling_line
from ..exceptions import TaskError
from ..lifecycle import Container, current_container
from ..observability.events import ENQUEUED
from ..observability.tracing import Attributes, span
from .backend import Enqueued, NewBatch, TaskBackend, backend_of
from .batches import Batch
from .calls import Call
from .envelope import Envelope, new_uid
from .gauges import meter_of
from .handles import JobHandle
from .options import meant_queue
from .settings import Tasks

__all__ = ["enqueue_many", "listed_calls", "send"]

R = TypeVar("R")


async def enqueue_many(calls: Iterable[Call[R]], *, then: Call[Any] | None = None) -> Batch[R]:
    """Put many jobs into the queue at once, of whatever tasks, as one batch.

    ```python
    await enqueue_many([resize.call("a.png"), scan.call("a.png")], then=publish.call("a.png"))
    ```

    Surprises: a call whose unique job is there already adds none. Its handle is that of the job
    that is there, and the batch does not wait for it.

    Args:
        calls: The jobs; there may be none.
        then: What is enqueued, once, when all of them have ended, well or not.

    Raises:
        TaskError: One of them is no call, or has expired.
        ContainerMissing: No project runs here.
    """
    listed = listed_calls(calls)
    with span("enqueue a batch", kind="producer", attributes=_told_of("", len(listed))):
        return await _enqueue_listed(listed, then)


async def _enqueue_listed(listed: list[Call[R]], then: Call[Any] | None) -> Batch[R]:
    container = current_container()
    backend = backend_of(container)
    uid = new_uid()
    last = None
    if then is not None:
        (then,) = listed_calls((then,))
        last = _envelope(then, container, backend)
    envelopes = [_envelope(call, container, backend, batch=uid) for call in listed]
    kept: Iterable[Enqueued] = ()
    if envelopes:
        kept = await backend.enqueue(envelopes, batch=NewBatch(uid=uid, then=last))
        _count(container, envelopes, kept)
    elif last is not None:
        _count(container, (last,), await backend.enqueue((last,)))
    return Batch(uid=uid, handles=tuple(map(_handle, listed, envelopes, kept)))


async def send(call: Call[R]) -> JobHandle[R]:
    container = current_container()
    backend = backend_of(container)
    name = call.task.name
    # Around the envelope too: the job remembers the span as where it comes from.
    with span(f"enqueue {name}", kind="producer", attributes=_told_of(name)) as enqueueing:
        envelope = _envelope(call, container, backend)
        (kept,) = await backend.enqueue((envelope,))
        enqueueing.set_attribute("messaging.destination.name", envelope.queue)
        enqueueing.set_attribute("messaging.message.id", kept.uid)
    _count(container, (envelope,), (kept,))
    return _handle(call, envelope, kept)


def _told_of(task: str, jobs: int = 1) -> Attributes:
    told: dict[str, str | int] = {
        "messaging.system": "fastforge",
        "messaging.operation.name": "enqueue",
        "messaging.operation.type": "send",
    }
    return told | ({"fastforge.task": task} if task else {"messaging.batch.message_count": jobs})


def _count(container: Container, envelopes: Iterable[Envelope], kept: Iterable[Enqueued]) -> None:
    meter = meter_of(container)
    for envelope, its in zip(envelopes, kept, strict=True):
        if its.is_new:
            meter.count(ENQUEUED, envelope.task, envelope.queue)


def _envelope(
    call: Call[Any], container: Container, backend: TaskBackend, *, batch: str | None = None
) -> Envelope:
    if call.options.queue is not None:
        _refuse_misspelt(call.options.queue, container)
    return call.envelope(container.settings.section(Tasks), backend.clock, batch=batch)


def _handle(call: Call[R], envelope: Envelope, kept: Enqueued) -> JobHandle[R]:
    return JobHandle(
        uid=kept.uid,
        task=envelope.task,
        queue=envelope.queue,
        is_new=kept.is_new,
        function=call.task.function,
    )


def listed_calls(calls: Iterable[Call[R]]) -> list[Call[R]]:
    """Return calls as a list.

    Raises:
        TaskError: One of them is no call, or it is a single one.
    """
    listed: list[Any] = [] if isinstance(calls, Call) else list(calls)
    wrong = [calls] if isinstance(calls, Call) else [c for c in listed if not isinstance(c, Call)]
    if wrong:
        raise TaskError(
            f"a batch was given {wrong[0]!r} in place of a list of calls",
            code="tasks.E029",
            hint="give calls: enqueue_many([send_receipt.call(order_id=7), ...])",
            where=calling_line(),
        )
    return listed


def _refuse_misspelt(queue: str, container: Container) -> None:
    known = {"default", *(task.queue for task in container.registry.values("tasks"))}
    if queue in known:
        return
    meant = meant_queue(queue, known)
    if meant is not None:
        raise TaskError(
            f"queue={queue!r}: no task of the project uses a queue of that name",
            code="tasks.E027",
            hint=f"did you mean {meant!r}? If not, name it in a task: @task(queue={queue!r})",
            where=calling_line(),
        )
