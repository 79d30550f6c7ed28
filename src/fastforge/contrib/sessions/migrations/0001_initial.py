"""Create the table of sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "sessions.0001_initial"
down_revision = None
branch_labels = ("sessions",)
depends_on = None


def upgrade(op: Operations) -> None:
    """Create the table and its indexes."""
    op.create_table(
        "sessions_stored_session",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=True),
        sa.Column("user_version", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions_stored_session")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_sessions_stored_session_key_hash")),
    )
    for column in ("user_id", "expires_at"):
        op.create_index(
            op.f(f"ix_sessions_stored_session_{column}"), "sessions_stored_session", [column]
        )


def downgrade(op: Operations) -> None:
    """Drop the table, and with it every session."""
    op.drop_table("sessions_stored_session")
