"""Limiter: how many calls of one kind run at the same time."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import OffloadError

__all__ = ["Limiter"]


@dataclass(frozen=True, slots=True)
class Limiter:
    """A limit of its own for what a library, a file or a device bears.

    It is a value: what runs and waits at present belongs to the running project, so that two
    projects in one process, or two tests, do not share it.

    Surprises: it limits within SERVER.threads and adds no threads. Whoever waits for a limiter
    takes no thread meanwhile.

    ```python
    PRINTER = Limiter("printer", 2, max_waiting=20)

    await offload(render, order, limiter=PRINTER)
    ```

    Args:
        name: What gauges and messages call it; unique in the project.
        limit: How many calls run at the same time, in one process.
        max_waiting: How many more may wait; the next one is refused with OffloadBusy. None: any
            number.

    Raises:
        OffloadError: The limit is less than 1, or `max_waiting` less than 0.
    """

    name: str
    limit: int
    max_waiting: int | None = None

    def __post_init__(self) -> None:
        if self.limit < 1 or (self.max_waiting or 0) < 0:
            raise OffloadError(
                f"the limiter {self.name!r} has limit={self.limit} and"
                f" max_waiting={self.max_waiting}",
                code="offloading.E002",
                hint="at least one call has to run at a time, and max_waiting is 0 or more",
            )
