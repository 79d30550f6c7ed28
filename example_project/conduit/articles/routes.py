"""The articles API."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from conduit.accounts.models import User
from conduit.text import Text
from fastforge.contrib.db import DbSession

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
async def create_article(body: NewArticleRequest, db: DbSession) -> ArticleResponse:
    """Publish an article: its rows and the job that announces it, or neither."""
    author = await db.scalar(select(User).where(User.username == body.article.author))
    if author is None:
        raise HTTPException(422, "no such author")
    article = await publish(db, body.article, author)
    await announce.enqueue(article_id=article.id)
    return ArticleResponse(article=ArticleOut.model_validate(article))


@router.get("/articles")
async def list_articles(
    db: DbSession,
    tag: Text | None = None,
    author: Text | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> ArticlesResponse:
    """List articles, the newest first; four queries, whatever the size of the page."""
    matching = select(Article)
    if tag is not None:
        matching = matching.where(Article.tags.any(Tag.name == tag))
    if author is not None:
        matching = matching.where(Article.author.has(User.username == author))
    count = await db.scalar(select(func.count()).select_from(matching.subquery()))
    newest_first = matching.order_by(Article.created_at.desc(), Article.id.desc())
    page = await db.scalars(newest_first.limit(limit).offset(offset).options(*WITH_AUTHOR_AND_TAGS))
    articles = [ArticleSummary.model_validate(article) for article in page]
    return ArticlesResponse(articles=articles, articles_count=count or 0)


@router.get("/articles/{slug}")
async def show_article(slug: Text, db: DbSession) -> ArticleResponse:
    """Show one article."""
    query = select(Article).where(Article.slug == slug).options(*WITH_AUTHOR_AND_TAGS)
    article = await db.scalar(query)
    if article is None:
        raise HTTPException(404, "no such article")
    return ArticleResponse(article=ArticleOut.model_validate(article))


@router.get("/tags")
async def list_tags(db: DbSession) -> TagsResponse:
    """List every tag."""
    return TagsResponse(tags=list(await db.scalars(select(Tag.name).order_by(Tag.name))))
