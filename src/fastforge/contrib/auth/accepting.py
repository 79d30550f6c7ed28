"""Accepting: a new password that the rules let pass, and who else is to know of it."""

from __future__ import annotations

from pydantic import SecretStr

from ...lifecycle import current_container
from ..db import Session
from .errors import refused
from .kinds import PASSWORD_LISTENERS
from .model import AbstractUser
from .resources import passwords
from .weaknesses import weaknesses_of

__all__ = ["accepted_hash", "save_chosen"]


async def accepted_hash(user: AbstractUser, password: str) -> SecretStr:
    """Return the hash of a password that a user has chosen.

    Raises:
        PasswordRefused: It breaks rules.
        HashingBusy: As many wait to be hashed as may.
    """
    weaknesses = weaknesses_of(password, user)
    if weaknesses:
        raise refused(weaknesses)
    return await current_container()[passwords].hash(password)


async def save_chosen(db: Session, user: AbstractUser, hashed: SecretStr) -> None:
    """Save the password that a user has chosen, in the transaction that runs, and tell of it."""
    user.password_hash = hashed
    await db.flush()
    for listener in current_container().registry.values(PASSWORD_LISTENERS):
        await listener.function(user)
