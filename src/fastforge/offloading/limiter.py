"""Limiter: how many calls of one kind run at the same time."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import OffloadError

__all__ = ["Limiter", "refuse_other"]


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
        OffloadError: The limit is less than 1, `max_waiting` less than 0, or one no whole number.
    """

    name: str
    limit: int
    max_waiting: int | None = None

    def __post_init__(self) -> None:
        numbers: tuple[object, ...] = (self.limit, self.max_waiting or 0)
        whole = all(isinstance(number, int) for number in numbers)
        if not whole or self.limit < 1 or (self.max_waiting or 0) < 0:
            raise OffloadError(
                f"the limiter {self.name!r} has limit={self.limit!r} and"
                f" max_waiting={self.max_waiting!r}",
                code="offloading.E002",
                hint="at least one call has to run at a time, and max_waiting is 0 or more",
            )


def refuse_other(limiter: object) -> None:
    """Refuse what is given for a limiter and is none, such as its name.

    Raises:
        OffloadError: It is neither a Limiter nor None.
    """
    if limiter is not None and not isinstance(limiter, Limiter):
        raise OffloadError(
            f"{limiter!r} is no limiter",
            code="offloading.E002",
            hint='write limiter=PRINTER, and PRINTER = Limiter("printer", 2) above',
        )
