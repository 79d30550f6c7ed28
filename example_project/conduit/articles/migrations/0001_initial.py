"""Initial."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "articles.0001_initial"
down_revision = None
branch_labels = ("articles",)
depends_on = ("accounts.0001_initial",)


def upgrade(op: Operations) -> None:
    op.create_table(
        "articles_tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles_tag")),
        sa.UniqueConstraint("name", name=op.f("uq_articles_tag_name")),
    )
    op.create_table(
        "articles_article",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=180), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["accounts_user.id"],
            name=op.f("fk_articles_article_author_id_accounts_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles_article")),
        sa.UniqueConstraint("slug", name=op.f("uq_articles_article_slug")),
    )
    op.create_index(
        op.f("ix_articles_article_author_id"),
        "articles_article",
        ["author_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_articles_article_created_at"),
        "articles_article",
        ["created_at"],
        unique=False,
    )
    op.create_table(
        "articles_article_tag",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles_article.id"],
            name=op.f("fk_articles_article_tag_article_id_articles_article"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"],
            ["articles_tag.id"],
            name=op.f("fk_articles_article_tag_tag_id_articles_tag"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", "tag_id", name=op.f("pk_articles_article_tag")),
    )


def downgrade(op: Operations) -> None:
    op.drop_table("articles_article_tag")
    op.drop_index(op.f("ix_articles_article_created_at"), table_name="articles_article")
    op.drop_index(op.f("ix_articles_article_author_id"), table_name="articles_article")
    op.drop_table("articles_article")
    op.drop_table("articles_tag")
