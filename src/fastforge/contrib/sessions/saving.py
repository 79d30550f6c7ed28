"""Saving: how the changes of a request become those of its session."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...signing import now_s
from ..auth import forget_token
from ..db import Session as Db
from .errors import SessionEnded, SessionTooLarge
from .events import LOGGED_IN, LOGGED_OUT
from .secrets import USER
from .session import WebSession
from .store import Record
from .values import size_of

__all__ = ["Cookie", "save", "token_id_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """What the browser is told.

    Args:
        secret: What it keeps from now on; empty: it forgets what it has.
        max_age_s: For how long.
    """

    secret: str = ""
    max_age_s: int = 0


async def save(session: WebSession, db: Db) -> Cookie | None:
    """Write what was changed; return what the browser is told, if anything.

    Args:
        session: Whose changes.
        db: A session, in `atomic`.

    Raises:
        SessionEnded: Another request has ended it meanwhile.
        SessionTooLarge: It would hold too much.
    """
    changes = session.changes
    old = await session.record(db)
    if changes.ended:
        await _end(session, db)
        if not (changes.values or changes.secret):
            return Cookie() if session.secret else None
        return await _begin(session, db, None)
    if changes.secret and (old or changes.values or changes.user):
        if old is not None:
            old = await _taken(session, db)
        return await _begin(session, db, old)
    if old is None:
        return await _begin(session, db, None) if changes.values else None
    await _change(session, db)
    return None


async def _begin(session: WebSession, db: Db, old: Record | None) -> Cookie:
    """Keep a new session, with what an old one held."""
    changes, keeper = session.changes, session.keeper
    now, user = now_s(), changes.user
    if user is not None:
        await db.flush()  # a change that is written with it may count the version
    record = Record(
        id=str(uuid.uuid4()),
        data=_checked(session, {} if old is None else old.data),
        created_at=now,
        seen_at=now,
    )
    if user is not None:  # a login begins anew
        record = replace(record, user_id=str(user.id), user_version=user.version)
    elif old is not None:
        record = replace(old, id=record.id, data=record.data, seen_at=now)
    secret, end = _secret(session, record), keeper.lifetime.end_of(record)
    await session.store.insert(db, keeper.secrets.hashes(secret)[0], record, expires_at=end)
    if user is not None:
        LOGGED_IN.tell(user.id)
    return Cookie(secret=secret, max_age_s=_max_age(session, record, now))


def _secret(session: WebSession, record: Record) -> str:
    """Return the secret of a new session: the one that was made for it, if it is of its kind."""
    made, for_user = session.changes.secret, record.user_id is not None
    is_of_its_kind = made.startswith(USER) == for_user
    return made if made and is_of_its_kind else session.keeper.secrets.new(for_user=for_user)


async def _change(session: WebSession, db: Db) -> None:
    hashes = session.keeper.secrets.hashes(session.secret)
    if not await session.store.change(db, hashes, lambda data: _checked(session, data)):
        raise _ended()


async def _taken(session: WebSession, db: Db) -> Record | None:
    """Take away the session that another one follows; who comes second has nothing to follow.

    A login goes on without: of two at once, by a double click, none is refused.
    """
    old = await session.store.delete(db, session.keeper.secrets.hashes(session.secret))
    if old is None:
        if session.changes.user is None:
            raise _ended()
        return None
    await forget_token(db, token_id_of(old.id))
    return old


async def _end(session: WebSession, db: Db) -> None:
    if not session.secret:
        return
    old = await session.store.delete(db, session.keeper.secrets.hashes(session.secret))
    if old is not None and old.user_id is not None:
        await forget_token(db, token_id_of(old.id))
        LOGGED_OUT.tell(old.user_id)


def token_id_of(session_id: str) -> str:
    """Return what `Identity.token_id` is of a session."""
    return f"session:{session_id}"


def _checked(session: WebSession, data: Mapping[str, Any]) -> dict[str, Any]:
    merged = session.changes.merged(data)
    size = size_of(merged)
    if size > session.keeper.max_bytes:
        raise SessionTooLarge(
            f"the session would hold {size:,} bytes, and SESSIONS.max_bytes is"
            f" {session.keeper.max_bytes:,}",
            code="sessions.E012",
            hint="keep rows in a table of your own, and their ids in the session",
        )
    return merged


def _max_age(session: WebSession, record: Record, now: float) -> int:
    return max(1, round(record.created_at + session.keeper.lifetime.whole_s - now))


def _ended() -> SessionEnded:
    return SessionEnded(
        "the session was ended meanwhile, and what this request has changed is not kept",
        code="sessions.E016",
        hint="ask again; with a login where one is needed",
    )
