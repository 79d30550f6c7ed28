"""Create the tables of channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "postgres_channels.0001_initial"
down_revision = None
branch_labels = ("postgres_channels",)
depends_on = None

MESSAGE = "postgres_channels_message"
PROCESS = "postgres_channels_process"
ATTENDANCE = "postgres_channels_attendance"
TIME = sa.DateTime(timezone=True)


def upgrade(op: Operations) -> None:
    """Create the tables and their indexes."""
    op.create_table(
        MESSAGE,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("exclude", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("keeps", sa.Integer(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{MESSAGE}")),
    )
    op.create_index(f"ix_{MESSAGE}_name_id", MESSAGE, ["name", "id"])
    op.create_index(op.f(f"ix_{MESSAGE}_expires_at"), MESSAGE, ["expires_at"])
    op.create_table(
        PROCESS,
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{PROCESS}")),
    )
    op.create_table(
        ATTENDANCE,
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["process_id"],
            [f"{PROCESS}.id"],
            name=op.f(f"fk_{ATTENDANCE}_process_id_{PROCESS}"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("name", "process_id", "key", name=op.f(f"pk_{ATTENDANCE}")),
    )
    op.create_index(op.f(f"ix_{ATTENDANCE}_process_id"), ATTENDANCE, ["process_id"])


def downgrade(op: Operations) -> None:
    """Drop the tables, and with them what was said."""
    for table in (ATTENDANCE, PROCESS, MESSAGE):
        op.drop_table(table)
