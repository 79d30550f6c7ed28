"""Drop the index of author_id: the one of an author's articles begins with it."""

from alembic.operations import Operations

revision = "articles.0004_drop_index_of_author_id"
down_revision = "articles.0003_index_of_author"
branch_labels = None
depends_on = None
atomic = False


def upgrade(op: Operations) -> None:
    op.drop_index(
        "ix_articles_article_author_id",
        table_name="articles_article",
        postgresql_concurrently=True,
    )


def downgrade(op: Operations) -> None:
    op.create_index(
        "ix_articles_article_author_id",
        "articles_article",
        ["author_id"],
        postgresql_concurrently=True,
    )
