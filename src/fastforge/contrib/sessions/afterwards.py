"""Afterwards: what is noted and cleaned up when an answer has been sent, and nobody waits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from ...signing import now_s
from ..db import session as new_unit
from .resources import store_here
from .store import Db
from .visit import Visit

__all__ = ["look_after"]

logger = logging.getLogger("fastforge.sessions")

MOST_EXPIRED: Final = 1000


async def look_after(visit: Visit) -> None:
    """Note that a session is used, and delete some that have expired.

    A failure is a line in the log: the answer has been sent. It is noted by the way and not with
    the request, whose transaction may be a read, or wait for somebody.
    """
    if not visit.is_used:
        return
    keeper = visit.keeper
    hashes = keeper.secrets.hashes(visit.secret) if visit.secret else ()
    is_due, is_dirty = bool(hashes) and keeper.touches.is_due(hashes[0]), keeper.cleaning.is_due()
    if not (is_due or is_dirty):
        return
    try:
        async with new_unit() as db:
            if is_due:
                await _note_use(visit, hashes, db)
            if is_dirty:
                async with db.atomic():
                    await store_here().delete_expired(db, now=now_s(), most=MOST_EXPIRED)
    except Exception:
        logger.warning("sessions could not be looked after", exc_info=True)


async def _note_use(visit: Visit, hashes: Sequence[bytes], db: Db) -> None:
    """Write that a session is used, if it is time to; to find that out it is read at most."""
    store, lifetime, now = store_here(), visit.keeper.lifetime, now_s()
    record = None if visit.opened is None else visit.opened.known
    record = record or await store.load(db, hashes)
    if record is not None and lifetime.should_note(record, now):
        async with db.atomic():
            await store.touch(db, hashes, now=now, lifetime=lifetime)
