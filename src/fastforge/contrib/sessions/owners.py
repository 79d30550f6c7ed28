"""Owners: the user of a session, if they are still let in by it."""

from __future__ import annotations

from typing import Final

from ..auth import AbstractUser
from ..auth.model import key_in
from ..auth.users import user_model
from ..db import Session as Db
from .store import Record

__all__ = ["owner_of"]

CLOCKS_MAY_DIFFER_S: Final = 10.0
"""Of two machines: one makes a user who logs in at the other at once."""


async def owner_of(db: Db, record: Record) -> AbstractUser | None:
    """Return the user of a session; None where they may not use it any more.

    They have to be active, and to be what they were at the login: another password, other rights
    or a revocation make another version. And they have to be who they were: SQLite gives the id of
    whoever is gone to the next one, and people choose names that others had.
    """
    if record.user_id is None:
        return None
    model = user_model()
    key = key_in(model, record.user_id)
    user = None if key is None else await db.get(model, key)
    if user is None or not user.is_active or user.version != record.user_version:
        return None
    is_older = record.created_at < user.created_at.timestamp() - CLOCKS_MAY_DIFFER_S
    return None if is_older else user
