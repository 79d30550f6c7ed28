"""Store: where sessions are kept, as an app brings it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from ...lifecycle import Container
from ..db import Session

__all__ = ["Change", "Db", "Lifetime", "Record", "SessionBackend", "SessionStore"]

Db: TypeAlias = Session
"""The session of the database in whose transaction a request stands."""
Data: TypeAlias = Mapping[str, Any]
Change: TypeAlias = Callable[[Data], Data]
"""Makes of what a session holds what it will hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A session as it is kept.

    Args:
        id: Its name in logs and for revocation; nothing can be done with it alone.
        user_id: Whose it is; None before anybody has logged in.
        user_version: The version that the user had then.
        data: What it holds, as JSON has it.
        created_at: When it began, or its user logged in; in seconds of the epoch, as `now_s` tells.
        seen_at: When it was used last.
    """

    id: str
    created_at: float
    seen_at: float
    user_id: str | None = None
    user_version: int | None = None
    data: Data = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long sessions are kept.

    Args:
        idle_s: Without a use.
        whole_s: At all.
    """

    idle_s: int
    whole_s: int

    @property
    def touch_s(self) -> float:
        """How old the time of the last use may be: not every request writes."""
        return min(60.0, self.idle_s / 20)

    def should_note(self, record: Record, now: float) -> bool:
        """Return whether a use is worth a write; one that comes too late wakes nothing up."""
        return now - record.seen_at >= self.touch_s and now < self.end_of(record)

    def end_of(self, record: Record) -> float:
        """Return when a session ends unless it is used again."""
        return min(record.seen_at + self.idle_s, record.created_at + self.whole_s)


class SessionStore(Protocol):
    """Keeps sessions under the keyed hashes of their secrets, of which it never learns one.

    Several hashes are those of one secret by several keys; at most one of them is there. `db` is
    the session of the database in whose transaction the request stands: a store elsewhere has no
    use for it, and keeps what it was given also when that transaction is rolled back after it.
    """

    async def load(self, db: Db, hashes: Sequence[bytes]) -> Record | None:
        """Return what there is, also what has expired."""
        ...

    async def insert(self, db: Db, key_hash: bytes, record: Record, *, expires_at: float) -> None:
        """Keep a new session."""
        ...

    async def change(self, db: Db, hashes: Sequence[bytes], change: Change) -> bool:
        """Change what one holds, one after the other for those who do it at once.

        Returns:
            Whether it is still there.
        """
        ...

    async def touch(
        self, db: Db, hashes: Sequence[bytes], *, now: float, lifetime: Lifetime
    ) -> None:
        """Note that one is used now, if `lifetime.should_note` says so of what there is."""
        ...

    async def delete(self, db: Db, hashes: Sequence[bytes]) -> Record | None:
        """Forget one; return what it was, or None where somebody else was faster."""
        ...

    async def delete_of(self, db: Db, user_id: str) -> Sequence[str]:
        """Forget all of a user; return the ids that they had."""
        ...

    async def delete_all(self, db: Db) -> int:
        """Forget all; return how many."""
        ...

    async def delete_expired(self, db: Db, *, now: float, most: int) -> int:
        """Forget some that have expired; return how many. 0 where the store does it by itself."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionBackend:
    """A store that SESSIONS.store can name, in an app's `session_stores.py`.

    Args:
        name: Unique in the project.
        open: Makes the store of a process, once, from its running resources.
    """

    name: str
    open: Callable[[Container], SessionStore]
