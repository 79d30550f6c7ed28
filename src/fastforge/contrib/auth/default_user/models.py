"""User: nothing but what every user has."""

from __future__ import annotations

from ..model import AbstractUser

__all__ = ["User"]


class User(AbstractUser):
    """A user who logs in by e-mail address."""

    __tablename__ = "auth_user"
