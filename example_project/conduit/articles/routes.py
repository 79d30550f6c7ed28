"""The articles API."""

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from conduit.accounts.models import User
from conduit.text import Text
from fastforge.contrib.auth import CurrentUser
from fastforge.contrib.db import DbSession
from fastforge.contrib.db.pagination import OffsetPage, paginate

from .models import Article, Tag
from .publishing import publish
from .schemas import (
    ArticleOut,
    ArticleResponse,
    ArticlesResponse,
    ArticleSummary,
    NewArticleRequest,
    TagsResponse,
)
from .tasks import announce

router = APIRouter(tags=["articles"])

WITH_AUTHOR_AND_TAGS = (selectinload(Article.author), selectinload(Article.tags))


@router.post("/articles", status_code=201)
async def create_article(
    body: NewArticleRequest, author: CurrentUser[User], db: DbSession
) -> ArticleResponse:
    """Publish an article: its rows and the job that announces it, or neither."""
    article = await publish(db, body.article, author)
    await announce.enqueue(article_id=article.id)
    return ArticleResponse(article=ArticleOut.model_validate(article))


@router.get("/articles")
async def list_articles(
    db: DbSession, page: OffsetPage, tag: Text | None = None, author: Text | None = None
) -> ArticlesResponse:
    """List articles, the newest first; four queries, whatever the size of the page."""
    matching = select(Article).order_by(Article.created_at.desc()).options(*WITH_AUTHOR_AND_TAGS)
    if tag is not None:
        matching = matching.where(Article.tags.any(Tag.name == tag))
    if author is not None:
        matching = matching.where(Article.author.has(User.username == author))
    found = await paginate(db, matching, page, total=True)
    articles = [ArticleSummary.model_validate(article) for article in found.items]
    return ArticlesResponse(articles=articles, articles_count=found.total or 0)


@router.get("/articles/{slug}")
async def show_article(slug: Text, db: DbSession) -> ArticleResponse:
    """Show one article."""
    query = select(Article).where(Article.slug == slug).options(*WITH_AUTHOR_AND_TAGS)
    article = await db.get_or_404(query)
    return ArticleResponse(article=ArticleOut.model_validate(article))


@router.get("/tags")
async def list_tags(db: DbSession) -> TagsResponse:
    """List every tag."""
    return TagsResponse(tags=list(await db.scalars(select(Tag.name).order_by(Tag.name))))
