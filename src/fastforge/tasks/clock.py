"""Clock: what time it is for a task backend, and a later one for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["Clock"]


class Clock:
    """Tells the time. A test moves it on in place of waiting for a backoff or a schedule.

    A backend whose own server tells the time adds `ahead` to that.

    ```python
    clock = Clock()
    clock.advance(timedelta(hours=1))
    ```

    Attributes:
        ahead: How much later it is than outside.
    """

    __slots__ = ("ahead",)

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC) + self.ahead

    def advance(self, by: timedelta) -> None:
        """Let it be later from now on."""
        self.ahead += by
