"""UniqueKeys: which keys are taken, by which job, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from ..limits import UniqueKey

__all__ = ["UniqueKeys"]


@dataclass(slots=True)
class _Taken:
    uid: str
    until: datetime | None


class UniqueKeys:
    """The keys that are taken. One without a period is until its job has ended.

    Jobs of one test may be enqueued in several threads: that of a live server is another.
    """

    def __init__(self) -> None:
        self._taken: dict[str, _Taken] = {}
        self._lock = Lock()

    def holder(self, key: UniqueKey, now: datetime) -> str | None:
        """Return the job that takes a key; None when it is free."""
        taken = self._taken.get(key.key)
        if taken is None or (taken.until is not None and taken.until <= now):
            return None
        return taken.uid

    def take(self, key: UniqueKey, uid: str, now: datetime) -> str:
        """Let a job take a key if it is free; return the job that has it then."""
        with self._lock:
            holder = self.holder(key, now)
            if holder is None:
                until = None if key.for_s is None else now + timedelta(seconds=key.for_s)
                self._taken[key.key] = _Taken(uid, until)
            return holder or uid

    def release(self, key: UniqueKey, uid: str, *, forget: bool) -> None:
        """Free the key of a job that has ended.

        Args:
            key: Its key.
            uid: The job. One that does not take the key (any more) frees nothing.
            forget: Free it also when it is taken for a period.
        """
        taken = self._taken.get(key.key)
        if taken is not None and taken.uid == uid and (forget or taken.until is None):
            del self._taken[key.key]
