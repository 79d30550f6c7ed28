"""Passwords: accounts that nobody could log in to become users of contrib.auth, and are kept."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "accounts.0002_passwords"
down_revision = "accounts.0001_initial"
branch_labels = None
depends_on = None


# An address is the same in any letters from now on. Who came later with it keeps the account and
# the articles, under an address that nobody can have.
TELL_APART = """
    UPDATE accounts_user SET email = email || '.' || CAST(id AS VARCHAR(20)) || '.invalid'
    WHERE EXISTS (
        SELECT 1 FROM accounts_user AS earlier
        WHERE lower(earlier.email) = lower(accounts_user.email) AND earlier.id < accounts_user.id
    )
"""


def upgrade(op: Operations) -> None:
    op.execute(TELL_APART)
    op.execute("UPDATE accounts_user SET email = lower(email)")
    with op.batch_alter_table("accounts_user") as batch_op:
        batch_op.add_column(sa.Column("password_hash", sa.String(length=255), nullable=True))
        batch_op.add_column(
            sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        )
        batch_op.add_column(
            sa.Column("is_superuser", sa.Boolean(), server_default=sa.false(), nullable=False),
        )
        batch_op.add_column(sa.Column("scopes", sa.JSON(), nullable=True))
        batch_op.add_column(
            sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        )
        batch_op.add_column(sa.Column("created_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_accounts_user_email_folded"),
            "email = lower(email)",
        )
    op.execute("UPDATE accounts_user SET scopes = '[]' WHERE scopes IS NULL")
    op.execute("UPDATE accounts_user SET created_at = CURRENT_TIMESTAMP WHERE created_at IS NULL")
    with op.batch_alter_table("accounts_user") as batch_op:
        batch_op.alter_column("scopes", existing_type=sa.JSON(), nullable=False)
        batch_op.alter_column(
            "created_at",
            existing_type=sa.DateTime(timezone=True),
            nullable=False,
        )


def downgrade(op: Operations) -> None:
    with op.batch_alter_table("accounts_user") as batch_op:
        batch_op.alter_column(
            "created_at",
            existing_type=sa.DateTime(timezone=True),
            nullable=True,
        )
        batch_op.alter_column("scopes", existing_type=sa.JSON(), nullable=True)
    with op.batch_alter_table("accounts_user") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_accounts_user_email_folded"), type_="check")
        batch_op.drop_column("email_verified_at")
        batch_op.drop_column("last_login_at")
        batch_op.drop_column("created_at")
        batch_op.drop_column("version")
        batch_op.drop_column("scopes")
        batch_op.drop_column("is_superuser")
        batch_op.drop_column("is_active")
        batch_op.drop_column("password_hash")
