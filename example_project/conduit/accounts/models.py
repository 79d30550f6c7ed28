"""The rows of accounts."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from fastforge.contrib.db import Model


class User(Model):
    """Somebody who writes articles."""

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    bio: Mapped[str] = mapped_column(String(2000), default="")
    image: Mapped[str] = mapped_column(String(500), default="")
