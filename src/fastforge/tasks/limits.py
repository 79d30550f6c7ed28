"""Limits: how many jobs of a task run at once, how many in a time, and which exist only once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .._utils import calling_line
from ..exceptions import TaskError

__all__ = ["Concurrency", "Pace", "Rate", "Slots", "Unique", "UniqueKey", "key_of"]

LONGEST_KEY: Final = 200
LARGEST_LIMIT: Final = 2**31 - 1
LONGEST_TIME_S: Final = 36_500 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """In a job's envelope: at most `limit` jobs with this key run at the same time, anywhere."""

    key: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In a job's envelope: at most `limit` jobs with this key begin within `per_s` seconds."""

    key: str
    limit: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueKey:
    """In a job's envelope: while this key is taken, no other job that has it is enqueued.

    Args:
        key: What is compared.
        for_s: How long it is taken from the enqueueing on, in seconds; None until the job ends.
    """

    key: str
    for_s: float | None = None


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many jobs of a task run at the same time, in all workers together.

    Jobs that have to wait take no place in a worker meanwhile.

    ```python
    @task(concurrency=Concurrency(1, by="account_id"))
    async def settle(account_id: int) -> None: ...
    ```

    Args:
        limit: How many; at least 1.
        by: The argument, or the arguments, for whose values it is counted apart.

    Raises:
        TaskError: The limit is below 1.
    """

    limit: int
    by: str | tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _is_count(self.limit):
            raise TaskError(
                f"{self!r}: at least one job has to be able to run",
                code="tasks.E016",
                hint="give a limit of 1 or more",
                where=calling_line(),
            )


@dataclass(frozen=True, slots=True)
class Rate:
    """How many jobs of a task begin within a time, in all workers together.

    They begin evenly: with 60 in 60 seconds one a second, and never 60 at once.

    ```python
    @task(rate=Rate(10, per_s=1))
    async def notify(user_id: int) -> None: ...
    ```

    Args:
        limit: How many; at least 1.
        per_s: The time, in seconds.
        by: The argument, or the arguments, for whose values it is counted apart.

    Raises:
        TaskError: A number is not positive.
    """

    limit: int
    per_s: float = 1
    by: str | tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _is_count(self.limit) or not _is_time(self.per_s):
            raise TaskError(
                f"{self!r} lets no job begin, or has no time",
                code="tasks.E017",
                hint="give a limit of 1 or more, and per_s above 0",
                where=calling_line(),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """Which jobs of a task exist only once.

    Enqueueing a second one gives the handle of the first. Until a job has ended its key is taken;
    with `for_s` it is taken for that time from the enqueueing on, also when the job ends earlier.

    ```python
    @task(unique=Unique(by="order_id", for_s=3600))
    async def remind(order_id: int, text: str) -> None: ...
    ```

    Args:
        by: The argument, or the arguments, that are compared; all of them unless given.
        for_s: The period, in seconds.

    Raises:
        TaskError: The period is not positive.
    """

    by: str | tuple[str, ...] = ()
    for_s: float | None = None

    def __post_init__(self) -> None:
        if self.for_s is not None and not _is_time(self.for_s):
            raise TaskError(
                f"{self!r}: the period is not positive",
                code="tasks.E018",
                hint="leave for_s out: the key is then taken until the job has ended",
                where=calling_line(),
            )


def _is_count(limit: Any) -> bool:
    return isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= LARGEST_LIMIT


def _is_time(seconds: Any) -> bool:
    return isinstance(seconds, int | float) and 0 < seconds <= LONGEST_TIME_S


def key_of(task: str, payload: Mapping[str, Any], by: str | tuple[str, ...]) -> str:
    """Return the text that is equal for the jobs that are counted, or compared, together.

    Args:
        task: The task's name.
        payload: The arguments, as JSON values.
        by: The names of those that count; none stands for the task alone.
    """
    names = (by,) if isinstance(by, str) else by
    if not names:
        return task
    values = json.dumps([payload.get(name) for name in names], sort_keys=True)
    key = f"{task}:{values}"
    if len(key) <= LONGEST_KEY:
        return key
    return f"{task[:100]}:{hashlib.sha256(key.encode()).hexdigest()}"
