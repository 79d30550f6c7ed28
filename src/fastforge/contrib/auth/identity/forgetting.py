"""Forgetting: lines of the log, written in the transaction of the change that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event, orm

from ....lifecycle.container import container_here
from ...db import Session
from ..models import Forgotten

if TYPE_CHECKING:
    from ..model import AbstractUser

__all__ = ["forget_everybody", "forget_token", "forget_user", "note_user"]

_WAITING: Final = "fastforge_forgotten"
_ONE_AT_A_TIME: Final = 0x666F7267_6574  # "forget"


async def forget_user(db: Session, user_id: object) -> None:
    """Let every process check all credentials of a user anew, from the commit on.

    A change of the user by its object does that by itself. It is for what passes by it:

    ```python
    async with db.atomic():
        await db.execute(update(User).where(User.id == 7).values(is_active=False))
        await forget_user(db, 7)
    ```

    Args:
        db: A session; outside `atomic` it is a transaction of its own.
        user_id: Whose.
    """
    await _write(db, user_id=str(user_id))


async def forget_token(db: Session, token_id: str) -> None:
    """Let every process check one credential anew, from the commit on.

    Args:
        db: A session; outside `atomic` it is a transaction of its own.
        token_id: Its name: `Identity.token_id`.
    """
    await _write(db, token_id=token_id)


async def forget_everybody(db: Session) -> None:
    """Let every process check all credentials anew, from the commit on.

    Args:
        db: A session; outside `atomic` it is a transaction of its own.
    """
    await _write(db)


def note_user(user: AbstractUser) -> None:
    """Forget a user with the transaction that is being flushed."""
    session, identity = orm.object_session(user), sa.inspect(user).identity
    assert session is not None
    assert identity is not None
    _note(session, user_id=str(identity[0]))


async def _write(db: Session, *, user_id: str | None = None, token_id: str | None = None) -> None:
    async with db.atomic(savepoint=False):
        _ = await db.connection()  # a transaction in which nothing happened is not committed
        _note(db.sync_session, user_id=user_id, token_id=token_id)


def _note(session: orm.Session, *, user_id: str | None = None, token_id: str | None = None) -> None:
    if _WAITING not in session.info:
        session.info[_WAITING] = {}
        event.listen(session, "before_commit", _insert)
        event.listen(session, "after_commit", _tell)
        event.listen(session, "after_soft_rollback", _drop)
    session.info[_WAITING][user_id, token_id] = None


def _insert(session: orm.Session) -> None:
    """Write the lines last of all, so that others wait for a COMMIT and for nothing else."""
    waiting: dict[Any, None] = session.info[_WAITING]
    if session.in_nested_transaction() or not waiting:
        return
    if session.get_bind().dialect.name == "postgresql":
        # Ids are given in the order of commits: whoever has the lock commits before the next.
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    for user_id, token_id in waiting:
        session.execute(sa.insert(Forgotten).values(user_id=user_id, token_id=token_id))


def _tell(session: orm.Session) -> None:
    """Let this process read the log before it believes anything."""
    if session.in_nested_transaction() or not session.info[_WAITING]:
        return
    session.info[_WAITING].clear()
    from ..resources import identities

    container = container_here.get(None)
    if container is not None and identities in container:
        container[identities].log.outdated()


def _drop(session: orm.Session, undone: orm.SessionTransaction) -> None:
    """Drop the lines of a transaction that is undone.

    Those of a savepoint stay, as do those before it: after one line too many somebody is checked
    anew, after one too few somebody stays in who was shut out.
    """
    if undone.parent is None:
        session.info[_WAITING].clear()
