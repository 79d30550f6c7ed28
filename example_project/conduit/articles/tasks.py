"""What happens after an article has been published."""

import logging

from fastforge import injected, task
from fastforge.contrib.db import DbSession, utcnow

from .models import Article

logger = logging.getLogger(__name__)


@task(timeout_s=30)
async def announce(article_id: int, *, db: DbSession = injected) -> None:
    """Announce one article. Run twice it announces once, as a job may run again after a crash."""
    async with db.atomic():
        article = await db.get(Article, article_id, with_for_update=True)
        if article is None or article.announced_at is not None:
            return
        article.announced_at = utcnow()
    logger.info("announced %s", article.slug)
