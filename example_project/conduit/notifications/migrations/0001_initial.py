"""Initial."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "notifications.0001_initial"
down_revision = None
branch_labels = ("notifications",)
depends_on = ("accounts.0001_initial", "articles.0001_initial")


def upgrade(op: Operations) -> None:
    op.create_table(
        "notifications_notification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles_article.id"],
            name=op.f("fk_notifications_notification_article_id_articles_article"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["accounts_user.id"],
            name=op.f("fk_notifications_notification_user_id_accounts_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications_notification")),
    )
    op.create_index(
        op.f("ix_notifications_notification_article_id"),
        "notifications_notification",
        ["article_id"],
        unique=False,
    )
    op.create_index(
        "uq_notifications_notification_once",
        "notifications_notification",
        ["user_id", "article_id"],
        unique=True,
    )


def downgrade(op: Operations) -> None:
    op.drop_index("uq_notifications_notification_once", table_name="notifications_notification")
    op.drop_index(
        op.f("ix_notifications_notification_article_id"),
        table_name="notifications_notification",
    )
    op.drop_table("notifications_notification")
