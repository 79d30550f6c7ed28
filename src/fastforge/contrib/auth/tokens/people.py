"""People: the users of tokens, and what a token allows them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ...db import Session
from ..errors import AuthError, InvalidToken
from ..identity.principal import Identity
from ..model import AbstractUser, key_in
from ..models import ApiKey, TokenFamily
from ..users import user_model

__all__ = ["active_user", "allowed", "identity_of", "refuse_nobody"]


async def active_user(db: Session, given: TokenFamily | ApiKey) -> AbstractUser:
    """Return the user whom something was given to, as they are now.

    Args:
        db: A session.
        given: A login or a key.

    Raises:
        InvalidToken: There is none, they are not active, or they have changed since.
    """
    model = user_model()
    key = key_in(model, given.user_id)
    user = None if key is None else await db.get(model, key)
    if user is None or not user.is_active:
        raise InvalidToken("its user is gone or not active")
    if user.created_at != given.user_created_at:
        # SQLite gives an id again, and so do people who choose their names themselves.
        raise InvalidToken("its user is gone, and another one has the id")
    if isinstance(given, TokenFamily) and given.user_version != user.version:
        raise InvalidToken("its user has changed")
    return user


def allowed(user: AbstractUser, wanted: Iterable[str] | None) -> frozenset[str]:
    """Return what somebody may do of what is wanted; None: whatever they may."""
    mine = frozenset(user.scopes)
    if wanted is None:
        return mine
    return frozenset(wanted) if user.is_superuser else mine.intersection(wanted)


def identity_of(
    user: AbstractUser,
    scopes: Iterable[str] | None,
    *,
    kind: str,
    token_id: str,
    expires_at: float | None,
) -> Identity:
    """Return who a token makes somebody.

    A token with scopes of its own allows those alone, also when its user may do everything.
    """
    return Identity(
        id=str(user.id),
        version=user.version,
        scopes=allowed(user, scopes),
        is_superuser=user.is_superuser and scopes is None,
        kind=kind,
        token_id=token_id,
        expires_at=expires_at,
    )


def refuse_nobody(user: AbstractUser) -> None:
    """Refuse to give something to a user who could not use it.

    Raises:
        AuthError: They are not saved, or not active.
    """
    if sa.inspect(user).identity is None or not user.is_active:
        raise AuthError(
            f"something was to be given to {user!r}, who is not saved or not active",
            code="auth.E030",
            hint="give what `authenticate` returned, or flush whom you have just made",
        )
