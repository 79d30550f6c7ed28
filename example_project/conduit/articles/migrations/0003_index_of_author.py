"""Index of an author's articles: their list is read from it, the newest first."""

from alembic.operations import Operations

revision = "articles.0003_index_of_author"
down_revision = "articles.0002_favorites_and_comments"
branch_labels = None
depends_on = None
atomic = False  # on PostgreSQL articles are written while it is built


def upgrade(op: Operations) -> None:
    op.create_index(
        "ix_articles_article_of_author",
        "articles_article",
        ["author_id", "created_at", "id"],
        postgresql_concurrently=True,
    )


def downgrade(op: Operations) -> None:
    op.drop_index(
        "ix_articles_article_of_author",
        table_name="articles_article",
        postgresql_concurrently=True,
    )
