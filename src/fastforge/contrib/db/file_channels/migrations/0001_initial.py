"""Create the tables of channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "file_channels.0001_initial"
down_revision = None
branch_labels = ("file_channels",)
depends_on = None

MESSAGE = "file_channels_message"
ROOM = "file_channels_room"
STANDING = "file_channels_standing"
ATTENDANCE = "file_channels_attendance"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade(op: Operations) -> None:
    """Create the tables and their indexes."""
    op.create_table(
        MESSAGE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("exclude", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("kept_until", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{MESSAGE}")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        f"ix_{MESSAGE}_history", MESSAGE, ["name", "id"], sqlite_where=sa.text("kept_until > 0")
    )
    op.create_index(op.f(f"ix_{MESSAGE}_expires_at"), MESSAGE, ["expires_at"])
    op.create_table(
        ROOM,
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("floor", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f(f"pk_{ROOM}")),
    )
    op.create_index(op.f(f"ix_{ROOM}_floor"), ROOM, ["floor"])
    op.create_table(
        STANDING,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("floor", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{STANDING}")),
    )
    op.create_table(
        ATTENDANCE,
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", "key", "process", name=op.f(f"pk_{ATTENDANCE}")),
    )


def downgrade(op: Operations) -> None:
    """Drop the tables, and with them what was said."""
    for table in (ATTENDANCE, STANDING, ROOM, MESSAGE):
        op.drop_table(table)
