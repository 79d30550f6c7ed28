"""Keeper: what all requests of one process share about sessions."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from ...signing import now_s
from .cookies import Cookies
from .csrf import Csrf
from .secrets import Secrets
from .store import Lifetime, Record, SessionStore

__all__ = ["Cleaning", "Keeper", "Touches"]

MOST_TOUCHES: Final = 10_000
BETWEEN_CLEANINGS_S: Final = 600.0


class Touches:
    """Remembers which sessions this process has noted as used lately: a note is a write."""

    __slots__ = ("_noted", "_touch_s")

    def __init__(self, touch_s: float) -> None:
        self._touch_s = touch_s
        self._noted: OrderedDict[bytes, float] = OrderedDict()

    def is_due(self, key_hash: bytes) -> bool:
        """Return whether one has to be noted; whoever asks does it."""
        now = time.monotonic()
        noted = self._noted.get(key_hash)
        if noted is not None and now - noted < self._touch_s:
            return False
        self._noted[key_hash] = now
        self._noted.move_to_end(key_hash)
        if len(self._noted) > MOST_TOUCHES:
            self._noted.popitem(last=False)
        return True


class Cleaning:
    """Says when this process deletes what has expired: now and then, while sessions are used."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Return whether it has to be done; whoever asks does it."""
        now = time.monotonic()
        if now - self._last < BETWEEN_CLEANINGS_S:
            return False
        self._last = now
        return True


@dataclass(slots=True, kw_only=True)
class Keeper:
    """The rules of a project's sessions, made once in each process.

    Args:
        secrets: Makes and knows what stands in cookies.
        cookies: Reads and writes them.
        csrf: Whose pages may act.
        lifetime: How long sessions are kept.
        max_bytes: How much one may hold.

    Attributes:
        touches: Which were noted as used lately.
        cleaning: When those are deleted that have expired.
        store: Where they are kept; None until it is used first.
    """

    secrets: Secrets
    cookies: Cookies
    csrf: Csrf
    lifetime: Lifetime
    max_bytes: int
    touches: Touches = field(init=False)
    cleaning: Cleaning = field(init=False, default_factory=Cleaning)
    store: SessionStore | None = None

    def __post_init__(self) -> None:
        self.touches = Touches(self.lifetime.touch_s)

    def is_alive(self, record: Record) -> bool:
        """Return whether a session has not ended by its age."""
        return now_s() < self.lifetime.end_of(record)
