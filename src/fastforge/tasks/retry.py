"""Retry: when a job that failed is tried again, as a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, Final

from .._utils import calling_line
from ..exceptions import TaskError

__all__ = ["NoRetry", "Retry"]

ATTEMPTS: Final = range(1, 32_768)
"""What a column of the type `smallint` holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a failing job is tried, and how long it waits between the attempts.

    ```python
    @task(retry=Retry(max_attempts=5, base_s=10))
    async def charge(order_id: int) -> None: ...
    ```

    Args:
        max_attempts: The attempts in all; 1 means that nothing is tried again.
        base_s: The pause after the first failed attempt, in seconds.
        cap_s: The longest pause, in seconds.
        jitter: Shorten each pause at random by up to a half, so that jobs that failed together
            do not come back together.
        exponential: Double the pause with every attempt; else it stays `base_s`.
        never_for: Exceptions, by their classes, after which nothing is tried again: the job is
            dead at once.

    Raises:
        TaskError: A number is out of range, or something in `never_for` is no exception class.
    """

    max_attempts: int = 10
    base_s: float = 2
    cap_s: float = 600
    jitter: bool = True
    exponential: bool = True
    never_for: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        if not (_is_pause(self.base_s) and _is_pause(self.cap_s) and self.max_attempts in ATTEMPTS):
            raise TaskError(
                f"{self!r} has a number that is out of range",
                code="tasks.E001",
                hint="max_attempts is at least 1, base_s and cap_s are not negative",
                where=calling_line(),
            )
        self._refuse_no_exceptions()

    def gives_up_on(self, error: BaseException) -> bool:
        """Return whether an exception ends a job, whatever attempts are left.

        >>> Retry(never_for=(ValueError,)).gives_up_on(UnicodeError())
        True
        """
        return isinstance(error, (NoRetry, *self.never_for))

    def delay_s(self, attempt: int, *, chance: float) -> float:
        """Return the pause after a failed attempt, in seconds.

        >>> Retry(jitter=False).delay_s(3, chance=0)
        8.0

        Args:
            attempt: The number of the attempt that failed, from 1.
            chance: A random number from 0 to 1.
        """
        # The exponent is bounded because 2 ** 1100 is no float.
        doublings = min(attempt - 1, 64) if self.exponential else 0
        pause_s = min(self.base_s * 2.0**doublings, self.cap_s)
        return pause_s * (1 - chance / 2) if self.jitter else pause_s

    def _refuse_no_exceptions(self) -> None:
        given: Any = self.never_for
        for kind in given if isinstance(given, tuple) else (given,):
            is_exception = isinstance(kind, type) and issubclass(kind, BaseException)
            if not is_exception or not isinstance(given, tuple):
                raise TaskError(
                    f"never_for={given!r} is no tuple of exception classes",
                    code="tasks.E034",
                    hint="write them behind each other: never_for=(CardRefused, OrderGone)",
                    where=calling_line(),
                )


def _is_pause(pause_s: Any) -> bool:
    return isinstance(pause_s, int | float) and 0 <= pause_s < inf


class NoRetry(Exception):
    """Raised by a task to end its job as dead, whatever attempts are left.

    ```python
    try:
        await bank.charge(order)
    except CardRefused as refused:
        raise NoRetry(f"the card of order {order_id} was refused") from refused
    ```
    """
