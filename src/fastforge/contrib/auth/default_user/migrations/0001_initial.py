"""Create the table of users."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "default_user.0001_initial"
down_revision = None
branch_labels = ("default_user",)
depends_on = None


def upgrade(op: Operations) -> None:
    """Create the table."""
    op.create_table(
        "auth_user",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_auth_user_email_folded")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_user")),
        sa.UniqueConstraint("email", name=op.f("uq_auth_user_email")),
        sqlite_autoincrement=True,
    )


def downgrade(op: Operations) -> None:
    """Drop the table, and with it every user."""
    op.drop_table("auth_user")
