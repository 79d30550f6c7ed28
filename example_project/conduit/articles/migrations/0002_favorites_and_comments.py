"""Favorites and comments."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "articles.0002_favorites_and_comments"
down_revision = "articles.0001_initial"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    op.create_table(
        "articles_favorite",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles_article.id"],
            name=op.f("fk_articles_favorite_article_id_articles_article"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["accounts_user.id"],
            name=op.f("fk_articles_favorite_user_id_accounts_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "article_id", name=op.f("pk_articles_favorite")),
    )
    op.create_index(
        op.f("ix_articles_favorite_article_id"),
        "articles_favorite",
        ["article_id"],
        unique=False,
    )
    op.create_table(
        "articles_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles_article.id"],
            name=op.f("fk_articles_comment_article_id_articles_article"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["accounts_user.id"],
            name=op.f("fk_articles_comment_author_id_accounts_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles_comment")),
    )
    op.create_index(
        op.f("ix_articles_comment_article_id"),
        "articles_comment",
        ["article_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_articles_comment_author_id"),
        "articles_comment",
        ["author_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_articles_article_tag_tag_id"),
        "articles_article_tag",
        ["tag_id"],
        unique=False,
    )


def downgrade(op: Operations) -> None:
    op.drop_index(op.f("ix_articles_article_tag_tag_id"), table_name="articles_article_tag")
    op.drop_index(op.f("ix_articles_comment_author_id"), table_name="articles_comment")
    op.drop_index(op.f("ix_articles_comment_article_id"), table_name="articles_comment")
    op.drop_table("articles_comment")
    op.drop_index(op.f("ix_articles_favorite_article_id"), table_name="articles_favorite")
    op.drop_table("articles_favorite")
