"""Whoever has chosen another password is told so: somebody else may have been it."""

from __future__ import annotations

from ...listeners import password_listener
from ...model import AbstractUser
from .tasks import mail_password_changed

__all__ = ["tell_the_owner"]


@password_listener
async def tell_the_owner(user: AbstractUser) -> None:
    """Enqueue the mail that tells it."""
    await mail_password_changed.enqueue(str(user.id))
