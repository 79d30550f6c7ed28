"""Call: what a job is made of, before it is enqueued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .clock import Clock
from .envelope import Envelope
from .keys import key_for
from .limits import Concurrency, Pace, Rate, Slots, Unique, UniqueKey
from .options import Options
from .settings import Tasks

if TYPE_CHECKING:
    from .declaration import Task

__all__ = ["Call"]

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[R_co]):
    """A task, its arguments and what was said about the job, to be enqueued once or many times.

    `task.call(...)` makes one. The arguments have been checked then, where the mistake is.

    ```python
    reminders = [remind.call(order_id=order.id) for order in orders]
    await remind.enqueue_many(reminders, then=report.call(day=today))
    ```

    Args:
        task: The task.
        payload: The arguments by name, as JSON values.
        options: What `using` said.
    """

    task: Task[..., R_co]
    payload: Mapping[str, Any] = field(hash=False)
    options: Options

    def completed(self, options: Options) -> Call[R_co]:
        """Return the same call with options where it has none."""
        return replace(self, options=self.options.over(options))

    def envelope(self, settings: Tasks, clock: Clock, *, batch: str | None = None) -> Envelope:
        """Return a new job.

        Args:
            settings: What holds where the task says nothing.
            clock: What time it is for the backend.
            batch: The id of the batch that the job belongs to.

        Raises:
            TaskError: It has expired by now.
        """
        task, options = self.task, self.options
        return Envelope(
            task=task.name,
            payload=self.payload,
            queue=options.queue or task.queue,
            run_at=options.run_at,
            delay_s=options.delay_s,
            max_attempts=(task.retry or settings).max_attempts,
            priority=task.priority if options.priority is None else options.priority,
            expires_at=options.expires_at(clock.now()),
            unique=self._unique(),
            slots=self._slots(),
            pace=self._pace(),
            batch=batch,
        )

    def _unique(self) -> UniqueKey | None:
        asked = self.options.unique
        unique = self.task.unique if asked is None else asked
        if not unique:
            return None
        unique = Unique() if unique is True else unique
        return UniqueKey(key=self._key(unique), for_s=unique.for_s)

    def _slots(self) -> Slots | None:
        limit = self.task.concurrency
        return None if limit is None else Slots(key=self._key(limit), limit=limit.limit)

    def _pace(self) -> Pace | None:
        rate = self.task.rate
        if rate is None:
            return None
        return Pace(key=self._key(rate), limit=rate.limit, per_s=rate.per_s)

    def _key(self, limit: Concurrency | Rate | Unique) -> str:
        return key_for(self.task.name, self.task.function, self.payload, limit)
