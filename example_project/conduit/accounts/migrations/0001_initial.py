"""Initial."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "accounts.0001_initial"
down_revision = None
branch_labels = ("accounts",)
depends_on = None


def upgrade(op: Operations) -> None:
    op.create_table(
        "accounts_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("bio", sa.String(length=2000), nullable=False),
        sa.Column("image", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_user")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_user_email")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_user_username")),
    )


def downgrade(op: Operations) -> None:
    op.drop_table("accounts_user")
