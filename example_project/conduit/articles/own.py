"""Own: what somebody may change, since they wrote it.

Whoever changes something holds it until the commit: nobody else deletes it meanwhile.
"""

from typing import Annotated

from fastapi import Depends, HTTPException
from sqlalchemy import select

from conduit.text import Text
from fastforge.contrib.auth import CurrentIdentity
from fastforge.contrib.db import DbSession

from .models import Article, Comment


async def held_article(slug: Text, db: DbSession) -> int:
    """Return the id of the article of the path, to which something is added, or answer with 404."""
    by_slug = select(Article.id).where(Article.slug == slug)
    return await db.get_or_404(by_slug.with_for_update(read=True, key_share=True))


async def own_article(slug: Text, db: DbSession, me: CurrentIdentity) -> Article:
    """Return an article of whoever asks; of others it is a 403, and a 404 where there is none."""
    by_slug = select(Article).where(Article.slug == slug)
    article = await db.get_or_404(by_slug.with_for_update())
    if article.author_id != me.id:
        raise HTTPException(403, "only its author may change an article")
    return article


async def own_comment(slug: Text, id: int, db: DbSession, me: CurrentIdentity) -> Comment:
    """Return a comment of whoever asks; of others it is a 403, and a 404 where there is none."""
    of_article = select(Article.id).where(Article.slug == slug)
    comment = await db.get_or_404(Comment, id, with_for_update=True)
    if comment.article_id != await db.get_or_404(of_article):
        raise HTTPException(404, "the article has no such comment")
    if comment.author_id != me.id:
        raise HTTPException(403, "only its author may delete a comment")
    return comment


HeldArticle = Annotated[int, Depends(held_article)]
"""The id of the article of the path, which is there until the commit."""
OwnArticle = Annotated[Article, Depends(own_article)]
"""The article of the path, which whoever asks has written."""
OwnComment = Annotated[Comment, Depends(own_comment)]
"""The comment of the path, which whoever asks has written."""
