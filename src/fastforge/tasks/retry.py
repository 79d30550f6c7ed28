"""Retry: when a job that failed is tried again, as a pure function."""

from __future__ import annotations

from dataclasses import dataclass

from ..exceptions import TaskError

__all__ = ["NoRetry", "Retry"]


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

    Raises:
        TaskError: A number is out of range.
    """

    max_attempts: int = 10
    base_s: float = 2
    cap_s: float = 600
    jitter: bool = True
    exponential: bool = True

    def __post_init__(self) -> None:
        if self.max_attempts < 1 or self.base_s < 0 or self.cap_s < 0:
            raise TaskError(
                f"{self!r} has a number that is out of range",
                code="tasks.E001",
                hint="max_attempts is at least 1, base_s and cap_s are not negative",
            )

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


class NoRetry(Exception):
    """Raised by a task to end its job as dead, whatever attempts are left.

    ```python
    try:
        await bank.charge(order)
    except CardRefused as refused:
        raise NoRetry(f"the card of order {order_id} was refused") from refused
    ```
    """
