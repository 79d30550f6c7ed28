"""Breaker: calls of a service that is away fail at once, and one at a time finds it back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import ClassVar, Final

from .._utils import told
from ..exceptions import ForgeError, ResourceUnavailable
from .backoff import Backoff

__all__ = [
    "Breaker",
    "BreakerGauges",
    "BreakerOpen",
    "BreakerState",
]

logger = logging.getLogger("fastforge.lifecycle")

OPENS_AFTER: Final = 5
WITHIN_S: Final = 10.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 5.0


class BreakerOpen(ResourceUnavailable):
    """A call was not made: those before it have failed, and it would only wait and fail too."""

    retry_after_s: ClassVar[int] = 1


class BreakerState(StrEnum):
    """What becomes of a call."""

    CLOSED = "closed"
    """It is made."""
    OPEN = "open"
    """It fails at once."""
    HALF_OPEN = "half-open"
    """It fails at once, while one that was let through finds out whether the service is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerGauges:
    """What a breaker does at this moment. `fastforge.observability.events` has the names.

    Attributes:
        state: Whether calls are made.
        opened: How often it has opened.
        refused: How many calls it has not let through.
        failure: The error that opened it, in a line; empty while it is closed.
    """

    state: BreakerState
    opened: int
    refused: int
    failure: str


class Breaker:
    """Stands before the calls of one service, and keeps them from waiting for it while it is away.

    It is closed while calls succeed. Some failures in a row open it: from then on calls fail at
    once with `BreakerOpen`, which in a request is a 503. After a pause one call is let through; if
    it succeeds the breaker is closed, else the next pause is twice as long, up to a limit.

    ```python
    breaker = Breaker("search", failures=(httpx.TransportError,))

    async def search(words: str) -> httpx.Response:
        with breaker:
            return await http.get("http://search.internal/", params={"q": words})
    ```

    Surprises: it belongs to one process and to one event loop; each process finds out for itself.
    One line in the log tells that it has opened, and one that it is closed again. Only errors of
    the classes in `failures` count, since any other one is an answer; a call that is cancelled
    tells nothing. Closed, it costs a tenth of a microsecond a call.

    Args:
        name: What it is called in the log, in readiness and in metrics.
        failures: The errors that mean that the service is away.
        opens_after: How many of them open it, with no success between.
        within_s: The time in which they have to come, in seconds.
        first_pause_s: How long it refuses calls before it lets one through, in seconds.
        longest_pause_s: What that time grows to; each is shortened at random by up to a half.
        describe: Makes the line that tells an error; the error's own words unless given.
        is_needed: Says, while it is not closed, whether the process cannot serve for that: then
            readiness fails. Never unless given; readiness warns.

    Attributes:
        state: Whether calls are made.
        is_troubled: Whether it is not closed, or calls have failed since the last success.
        opened: How often it has opened.
        refused: How many calls it has not let through.
    """

    __slots__ = (
        "_describe",
        "_failed_at",
        "_failures",
        "_opened_at",
        "_pause_s",
        "_pauses",
        "_reason",
        "_try_at",
        "_within_s",
        "is_needed",
        "is_troubled",
        "name",
        "opened",
        "refused",
        "state",
    )

    def __init__(
        self,
        name: str,
        *,
        failures: tuple[type[BaseException], ...] = (OSError, TimeoutError, ResourceUnavailable),
        opens_after: int = OPENS_AFTER,
        within_s: float = WITHIN_S,
        first_pause_s: float = FIRST_PAUSE_S,
        longest_pause_s: float = LONGEST_PAUSE_S,
        describe: Callable[[BaseException], str] | None = None,
        is_needed: Callable[[], bool] = bool,
    ) -> None:
        self.name = name
        self.is_needed = is_needed
        self.state = BreakerState.CLOSED
        self.is_troubled = False
        self.opened = 0
        self.refused = 0
        self._failures = failures
        self._within_s = within_s
        self._describe = describe or _described
        self._failed_at: deque[float] = deque(maxlen=opens_after)
        self._pauses = Backoff(first_pause_s, longest_pause_s)
        self._pause_s = self._try_at = self._opened_at = 0.0
        self._reason = ""

    # --- around a call ---

    def __enter__(self) -> None:
        """Let a call through, or not.

        Raises:
            BreakerOpen: It is not made.
        """
        if self.is_troubled:
            self.check()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Note how the call ended."""
        if error is None:
            if self.is_troubled:
                self.succeeded()
        elif isinstance(error, BreakerOpen):
            return  # of a breaker inside: nobody was asked
        elif isinstance(error, self._failures):
            self.failed(error)
        elif isinstance(error, Exception):
            self.succeeded()

    # --- for a client that knows better than `with` what has succeeded ---

    def check(self) -> None:
        """Return if a call may be made now. Whoever calls it says afterwards how that ended.

        Raises:
            BreakerOpen: It may not.
        """
        if self.state is BreakerState.CLOSED:
            return
        now = time.monotonic()
        if now < self._try_at:
            self.refused += 1
            raise BreakerOpen(
                f"the breaker {self.name!r} is open: {self._reason}",
                code="lifecycle.E016",
                hint="it is tried again by itself",
            )
        # One whose end nobody tells, because it was cancelled, is followed by another one.
        self._pause_s = self._pauses.next_s()
        self._try_at = now + self._pause_s
        self.state = BreakerState.HALF_OPEN

    def succeeded(self) -> None:
        """Note that the service has answered; this closes it, unless no call was let through."""
        self._failed_at.clear()
        if self.state is BreakerState.CLOSED:
            self.is_troubled = False
        elif self.state is BreakerState.HALF_OPEN:
            self._close()

    def _close(self) -> None:
        self.state = BreakerState.CLOSED
        self.is_troubled = False
        self._reason = ""
        self._pauses.reset()
        away_s = time.monotonic() - self._opened_at
        logger.info("the breaker %r is closed: it works again, after %.1f s", self.name, away_s)

    def failed(self, error: BaseException) -> None:
        """Note that the service has not answered; this opens it, once it has happened often."""
        now = time.monotonic()
        if self.state is BreakerState.HALF_OPEN:
            self.state = BreakerState.OPEN
            self._try_at = now + self._pause_s
        elif self.state is BreakerState.CLOSED:
            self.is_troubled = True
            self._failed_at.append(now)
            is_often = len(self._failed_at) == self._failed_at.maxlen
            if is_often and now - self._failed_at[0] <= self._within_s:
                self.trip(error)

    def trip(self, error: BaseException) -> None:
        """Open it because of one error, as when the service is away at the start."""
        if self.state is not BreakerState.CLOSED:
            return
        self._failed_at.clear()
        self.is_troubled = True
        self.state = BreakerState.OPEN
        self.opened += 1
        self._opened_at = time.monotonic()
        self._pause_s = self._pauses.next_s()
        self._try_at = self._opened_at + self._pause_s
        self._reason = self._describe(error)
        logger.warning(
            "the breaker %r is open: %s; calls fail at once, and one in a while tries it again",
            self.name,
            self._reason,
        )

    # --- for what is held open to the service, and made anew beside the calls ---

    def lost(self, error: BaseException) -> None:
        """Note that it is lost: one loss opens the breaker, and keeps one open that is."""
        if self.state is BreakerState.CLOSED:
            self.trip(error)
        else:
            self.failed(error)

    async def next_try(self) -> None:
        """Wait until the service may be tried. Whoever does it says afterwards how that ended."""
        while True:
            await asyncio.sleep(self.pause_left_s)
            try:
                self.check()
            except BreakerOpen:  # a clock has woken us early
                continue
            return

    @property
    def reason(self) -> str:
        """Why it is open; empty while it is closed. It may name hosts."""
        return self._reason

    @property
    def pause_left_s(self) -> float:
        """How long it refuses calls before it lets one through, in seconds; 0 while it is closed.

        For whoever tries the service beside the calls, so that none of them has to.
        """
        if self.state is BreakerState.CLOSED:
            return 0
        return max(0, self._try_at - time.monotonic())

    @property
    def gauges(self) -> BreakerGauges:
        """What it does at this moment."""
        return BreakerGauges(
            state=self.state, opened=self.opened, refused=self.refused, failure=self._reason
        )

    def __repr__(self) -> str:
        return f"<Breaker({self.name!r}, {self.state})>"


def _described(error: BaseException) -> str:
    return str(error) if isinstance(error, ForgeError) else told(error)
