"""Count the articles, and those that have been announced."""

from sqlalchemy import func, select

from conduit.articles.models import Article
from fastforge import injected
from fastforge.commands import Context, command
from fastforge.contrib.db import DbSession


@command
async def article_stats(context: Context, *, db: DbSession = injected) -> None:
    """Print both numbers."""
    counts = select(func.count(), func.count(Article.announced_at)).select_from(Article)
    articles, announced = (await db.execute(counts)).one()
    context.echo(f"{articles} articles, {announced} announced")
