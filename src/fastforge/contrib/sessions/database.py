"""The database store: rows, written by the transaction of the request that changes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Executable, delete, insert, select, update

from ..db import Session as Db
from .models import StoredSession
from .store import Change, Lifetime, Record

__all__ = ["DatabaseSessions"]

_ROW = StoredSession.__table__.c
_COLUMNS = (
    _ROW.id, _ROW.user_id, _ROW.user_version, _ROW.data, _ROW.created_at, _ROW.seen_at,
)  # fmt: skip


class DatabaseSessions:
    """Keeps sessions in the default database."""

    async def load(self, db: Db, hashes: Sequence[bytes]) -> Record | None:
        """Return what there is, also what has expired."""
        row = (await db.execute(select(*_COLUMNS).where(_ROW.key_hash.in_(hashes)))).one_or_none()
        return None if row is None else _record(row)

    async def insert(self, db: Db, key_hash: bytes, record: Record, *, expires_at: float) -> None:
        """Keep a new session."""
        await db.execute(
            insert(StoredSession).values(
                id=record.id,
                key_hash=key_hash,
                user_id=record.user_id,
                user_version=record.user_version,
                data=dict(record.data),
                created_at=_moment(record.created_at),
                seen_at=_moment(record.seen_at),
                expires_at=_moment(expires_at),
            )
        )

    async def change(self, db: Db, hashes: Sequence[bytes], change: Change) -> bool:
        """Change what one holds; its row is locked, so that nobody's change is lost."""
        question = select(_ROW.id, _ROW.data).where(_ROW.key_hash.in_(hashes)).with_for_update()
        row = (await db.execute(question)).one_or_none()
        if row is None:
            return False
        values = {"data": dict(change(row.data))}
        await db.execute(update(StoredSession).where(_ROW.id == row.id).values(values))
        return True

    async def touch(
        self, db: Db, hashes: Sequence[bytes], *, now: float, lifetime: Lifetime
    ) -> None:
        """Note that one is used now, if it has not ended and nobody has noted it lately."""
        record = await self.load(db, hashes)
        if record is None or not lifetime.should_note(record, now):
            return
        end = min(now + lifetime.idle_s, record.created_at + lifetime.whole_s)
        values = {"seen_at": _moment(now), "expires_at": _moment(end)}
        await db.execute(update(StoredSession).where(_ROW.id == record.id).values(values))

    async def delete(self, db: Db, hashes: Sequence[bytes]) -> Record | None:
        """Forget one; return what it was, or None where somebody else was faster."""
        gone = delete(StoredSession).where(_ROW.key_hash.in_(hashes)).returning(*_COLUMNS)
        row = (await db.execute(gone)).one_or_none()
        return None if row is None else _record(row)

    async def delete_of(self, db: Db, user_id: str) -> Sequence[str]:
        """Forget all of a user; return the ids that they had."""
        gone = delete(StoredSession).where(_ROW.user_id == user_id).returning(_ROW.id)
        return (await db.scalars(gone)).all()

    async def delete_all(self, db: Db) -> int:
        """Forget all; return how many."""
        return await _count(db, delete(StoredSession))

    async def delete_expired(self, db: Db, *, now: float, most: int) -> int:
        """Forget some that have expired; return how many."""
        expired = select(_ROW.id).where(_ROW.expires_at < _moment(now)).limit(most)
        return await _count(db, delete(StoredSession).where(_ROW.id.in_(expired)))


async def _count(db: Db, statement: Executable) -> int:
    return cast("CursorResult[Any]", await db.execute(statement)).rowcount


def _record(row: Any) -> Record:
    return Record(
        id=row.id,
        user_id=row.user_id,
        user_version=row.user_version,
        data=row.data,
        created_at=row.created_at.timestamp(),
        seen_at=row.seen_at.timestamp(),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
