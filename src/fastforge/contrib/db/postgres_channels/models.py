"""The tables of channels: what was said, and who is there."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .. import Model

__all__ = ["Attendance", "Message", "Process"]


class Message(Model):
    """A message of a channel with a history, or one that is too large for NOTIFY.

    Attributes:
        id: Larger than that of every message before it, in any room. The sequence behind it also
            numbers the messages that are in no row.
        name: The room, behind what tells projects apart that share a database.
        exclude: The id of the connection that does not get it.
        data: The JSON.
        keeps: How many the room keeps; 0 for a message that is only on its way.
        expires_at: When nobody asks for it any more.
    """

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True
    )
    name: Mapped[str] = mapped_column(sa.Text)
    exclude: Mapped[str] = mapped_column(sa.Text)
    data: Mapped[str] = mapped_column(sa.Text)
    keeps: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (sa.Index("ix_postgres_channels_message_name_id", "name", "id"),)


class Process(Model):
    """A process in which somebody is in a room that shows who is there.

    Attributes:
        until: For how long, unless it says so again.
    """

    id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    until: Mapped[datetime]


class Attendance(Model):
    """Somebody who is in a room, by one process.

    Attributes:
        name: The room, in the same way.
        key: Who it is.
        shown: What others see of them, as JSON.
    """

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    process_id: Mapped[str] = mapped_column(
        sa.ForeignKey(Process.id, ondelete="CASCADE"), primary_key=True, index=True
    )
    key: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    shown: Mapped[str] = mapped_column(sa.Text)
