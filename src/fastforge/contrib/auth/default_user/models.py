"""User: nothing but what every user has."""

from __future__ import annotations

from ..model import AbstractUser

__all__ = ["User"]


class User(AbstractUser):
    """A user who logs in by e-mail address."""

    __tablename__ = "auth_user"
    # Else SQLite gives the id of whoever is gone to the next one.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012
