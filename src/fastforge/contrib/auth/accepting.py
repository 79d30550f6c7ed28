"""The hash of a new password that the rules of the project let pass."""

from __future__ import annotations

from pydantic import SecretStr

from ...lifecycle import current_container
from .errors import refused
from .model import AbstractUser
from .resources import passwords
from .weaknesses import weaknesses_of

__all__ = ["accepted_hash"]


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
