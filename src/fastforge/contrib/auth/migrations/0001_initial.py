"""Create the tables of logins and of API keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "auth.0001_initial"
down_revision = None
branch_labels = ("auth",)
depends_on = None

TIME = sa.DateTime(timezone=True)
UID = sa.Uuid(as_uuid=False)


def upgrade(op: Operations) -> None:
    """Create the tables."""
    op.create_table(
        "auth_token_family",
        sa.Column("id", UID, nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("user_created_at", TIME, nullable=False),
        sa.Column("user_version", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("handle_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("refreshed_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_token_family")),
        sa.UniqueConstraint("handle_hash", name=op.f("uq_auth_token_family_handle_hash")),
    )
    _create_index(op, "auth_token_family", "user_id")
    _create_index(op, "auth_token_family", "expires_at")
    op.create_table(
        "auth_api_key",
        sa.Column("id", UID, nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("user_created_at", TIME, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_auth_api_key_key_hash")),
    )
    _create_index(op, "auth_api_key", "user_id")


def downgrade(op: Operations) -> None:
    """Drop the tables, and with them every login and every key."""
    op.drop_table("auth_api_key")
    op.drop_table("auth_token_family")


def _create_index(op: Operations, table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
