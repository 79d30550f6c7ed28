"""The tables of channels in a file: what was said, how far rooms forget, and who is there."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .. import Model

__all__ = ["Attendance", "Message", "Room", "Standing"]

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Message(Model):
    """A message on its way, which a room may keep for longer. Times are seconds since 1970.

    Attributes:
        id: Larger than that of every message before it, in any room; SQLite writes one at a time.
        name: The room.
        exclude: The id of the connection that does not get it.
        data: The JSON; empty for a note that somebody came to the room, or went.
        kept_until: Until when it is in the history of its room; 0 where it is in none.
        expires_at: When it is deleted: no process has to look for it any more.
    """

    id: Mapped[int] = mapped_column(BIG, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text)
    exclude: Mapped[str] = mapped_column(sa.Text)
    data: Mapped[str] = mapped_column(sa.Text)
    kept_until: Mapped[float]
    expires_at: Mapped[float] = mapped_column(index=True)

    __table_args__ = (
        sa.Index(
            "ix_file_channels_message_history", "name", "id", sqlite_where=sa.text("kept_until > 0")
        ),
        {"sqlite_autoincrement": True},  # an id is never given twice
    )


class Room(Model):
    """How much of a room's history is gone.

    Attributes:
        floor: The id of the latest message that was in it and is no more.
    """

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    floor: Mapped[int] = mapped_column(BIG, index=True)


class Standing(Model):
    """What holds for all rooms, in one row.

    Attributes:
        epoch: Ids of another file, or of one that was emptied, mean nothing.
        floor: That of the rooms of which nothing is known any more.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(sa.Text)
    floor: Mapped[int] = mapped_column(BIG)


class Attendance(Model):
    """Somebody who is in a room, by one process.

    Attributes:
        key: Who it is.
        process: The process.
        shown: What others see of them, as JSON.
        until: For how long, unless the process says so again.
    """

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    key: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    process: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    shown: Mapped[str] = mapped_column(sa.Text)
    until: Mapped[float]
