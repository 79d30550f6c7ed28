"""Follows: who reads whom."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "accounts.0003_follows"
down_revision = "accounts.0002_passwords"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    op.create_table(
        "accounts_follow",
        sa.Column("follower_id", sa.Integer(), nullable=False),
        sa.Column("followed_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["followed_id"],
            ["accounts_user.id"],
            name=op.f("fk_accounts_follow_followed_id_accounts_user"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["follower_id"],
            ["accounts_user.id"],
            name=op.f("fk_accounts_follow_follower_id_accounts_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("follower_id", "followed_id", name=op.f("pk_accounts_follow")),
    )
    op.create_index(
        op.f("ix_accounts_follow_followed_id"),
        "accounts_follow",
        ["followed_id"],
        unique=False,
    )


def downgrade(op: Operations) -> None:
    op.drop_index(op.f("ix_accounts_follow_followed_id"), table_name="accounts_follow")
    op.drop_table("accounts_follow")
