"""The rows of notes."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from fastforge.contrib.db import Model


class Note(Model):
    """A short text."""

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    words: Mapped[int | None]
