"""Families: what the statements about logins have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Row, delete, select, update

from ....signing import now_s
from ...db import Session
from ..errors import InvalidToken
from ..events import API_KEY_REVOKED
from ..models import ApiKey, TokenFamily

__all__ = [
    "delete_some_expired",
    "end_api_keys",
    "end_families",
    "family_of_handle",
    "moment",
    "now",
    "refuse_ended",
]

DELETED_AT_ONCE: Final = 20


def moment(seconds: float) -> datetime:
    """Return a moment of the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def now() -> datetime:
    """Return this moment, which is not earlier because a clock was set back."""
    return moment(now_s())


def refuse_ended(family: TokenFamily) -> None:
    """Refuse a login that is over.

    Raises:
        InvalidToken: It was revoked, or has ended.
    """
    if family.revoked_at is not None:
        raise InvalidToken("its login was revoked")
    if family.expires_at <= now():
        raise InvalidToken("its login has ended")


async def family_of_handle(db: Session, hashes: Sequence[bytes]) -> TokenFamily:
    """Return the login that an access token belongs to.

    Raises:
        InvalidToken: There is none, or it is over.
    """
    found = await db.scalars(select(TokenFamily).where(TokenFamily.handle_hash.in_(hashes)))
    family = found.one_or_none()
    if family is None:
        raise InvalidToken("its login is not known any more")
    refuse_ended(family)
    return family


async def end_families(db: Session, *which: ColumnElement[bool]) -> Sequence[Row[str, str]]:
    """Revoke the logins of which all of this holds; return those that were not over, and whose."""
    done = await db.execute(
        update(TokenFamily)
        .where(TokenFamily.revoked_at.is_(None), TokenFamily.expires_at > now(), *which)
        .values(revoked_at=now())
        .returning(TokenFamily.id, TokenFamily.user_id)
        .execution_options(synchronize_session=False)
    )
    return done.all()


async def end_api_keys(db: Session, *which: ColumnElement[bool]) -> Sequence[Row[str, str]]:
    """Revoke the keys of which all of this holds; return those that were good, and whose."""
    done = await db.execute(
        update(ApiKey)
        .where(ApiKey.revoked_at.is_(None), *which)
        .values(revoked_at=now())
        .returning(ApiKey.id, ApiKey.user_id)
        .execution_options(synchronize_session=False)
    )
    ended = done.all()
    for key in ended:
        API_KEY_REVOKED.tell(key.user_id)
    return ended


async def delete_some_expired(db: Session) -> None:
    """Delete a few logins that have ended: more than one login adds, so that none is left for long.

    Rows that somebody else is deleting are left to them.
    """
    over = (
        select(TokenFamily.id)
        .where(TokenFamily.expires_at <= now())
        .order_by(TokenFamily.expires_at)
        .limit(DELETED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    await db.execute(
        delete(TokenFamily)
        .where(TokenFamily.id.in_(over))
        .execution_options(synchronize_session=False)
    )
