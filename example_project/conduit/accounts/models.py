"""The rows of accounts."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from fastforge.contrib.auth import AbstractUser


class User(AbstractUser):
    """Somebody who writes articles; they log in by their e-mail address."""

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    bio: Mapped[str] = mapped_column(String(2000), default="")
    image: Mapped[str] = mapped_column(String(500), default="")
