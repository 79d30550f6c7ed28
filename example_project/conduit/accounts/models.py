"""The rows of accounts."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from fastforge.contrib.auth import AbstractUser
from fastforge.contrib.db import Model


class User(AbstractUser):
    """Somebody who writes articles; they log in by their e-mail address."""

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    bio: Mapped[str] = mapped_column(String(2000), default="")
    image: Mapped[str] = mapped_column(String(500), default="")


class Follow(Model):
    """Somebody wants to read what somebody else writes."""

    follower_id: Mapped[int] = mapped_column(
        ForeignKey(User.id, ondelete="CASCADE"), primary_key=True
    )
    followed_id: Mapped[int] = mapped_column(
        ForeignKey(User.id, ondelete="CASCADE"), primary_key=True, index=True
    )
