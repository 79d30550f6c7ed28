"""Create the log of what is not to be remembered any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "auth.0002_forgotten"
down_revision = "auth.0001_initial"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Create the table."""
    op.create_table(
        "auth_forgotten",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=True),
        sa.Column("token_id", sa.String(length=255), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_forgotten")),
        sqlite_autoincrement=True,
    )


def downgrade(op: Operations) -> None:
    """Drop the table; what was cached is then found until its time is over."""
    op.drop_table("auth_forgotten")
