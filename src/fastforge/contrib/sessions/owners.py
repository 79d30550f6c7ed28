"""Owners: the user of a session, if they are still let in by it."""

from __future__ import annotations

from ..auth import AbstractUser
from ..auth.users import user_model
from ..db import Session as Db
from .store import Record

__all__ = ["owner_of"]


async def owner_of(db: Db, record: Record) -> AbstractUser | None:
    """Return the user of a session; None where they may not use it any more.

    They have to be active, and to be what they were at the login: another password, other rights
    or a revocation make another version.
    """
    if record.user_id is None:
        return None
    model = user_model()
    key = model.__table__.c.id.type.python_type
    try:
        user = await db.get(model, key(record.user_id))
    except (TypeError, ValueError):  # the project has another model now, with keys of another type
        return None
    if user is None or not user.is_active or user.version != record.user_version:
        return None
    return user
