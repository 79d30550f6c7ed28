"""The articles API."""

from fastapi import APIRouter
from sqlalchemy import delete, select

from conduit.accounts.errors import LISTED
from conduit.accounts.models import User
from conduit.accounts.reader import Reader
from conduit.notifications.tasks import notify_followers
from conduit.text import Text
from fastforge.contrib.auth import CurrentIdentity, CurrentUser, requires_superuser
from fastforge.contrib.db import DbSession
from fastforge.contrib.db.pagination import OffsetPage, paginate

from .comments import router as comments
from .models import Article, Favorite, Tag
from .own import HeldArticle, OwnArticle
from .publishing import change, publish
from .reading import article_seen_by, articles_seen_by, has_tag, is_by, is_in_feed_of, is_liked_by
from .schemas import (
    ArticleResponse,
    ArticlesResponse,
    NewArticleRequest,
    TagsResponse,
    UpdateArticleRequest,
)
from .statistics import Statistics, count_everything

MOST_TAGS = 1000
"""No list of ours is without an end."""

router = APIRouter(tags=["articles"], responses=LISTED)


@router.post("/articles", status_code=201)
async def create_article(
    body: NewArticleRequest, author: CurrentUser[User], db: DbSession
) -> ArticleResponse:
    """Publish an article: its rows and the job that tells followers, or neither."""
    article = await publish(db, body.article, author)
    await notify_followers.enqueue(article_id=article.id)
    return ArticleResponse.of(await article_seen_by(db, article.slug, author.id))


@router.get("/articles")
async def list_articles(
    db: DbSession,
    reader_id: Reader,
    page: OffsetPage,
    tag: Text | None = None,
    author: Text | None = None,
    favorited: Text | None = None,
) -> ArticlesResponse:
    """List articles, the newest first; three queries, whatever the size of the page."""
    matching = articles_seen_by(reader_id)
    if tag is not None:
        matching = matching.where(has_tag(tag))
    if author is not None:
        matching = matching.where(is_by(author))
    if favorited is not None:
        matching = matching.where(is_liked_by(favorited))
    return ArticlesResponse.of(await paginate(db, matching, page, total=True))


@router.get("/articles/feed")
async def list_feed(db: DbSession, me: CurrentIdentity, page: OffsetPage) -> ArticlesResponse:
    """List what those write whom somebody follows, the newest first."""
    matching = articles_seen_by(me.id).where(is_in_feed_of(me.id))
    return ArticlesResponse.of(await paginate(db, matching, page, total=True))


@router.get("/articles/{slug}")
async def show_article(slug: Text, db: DbSession, reader_id: Reader) -> ArticleResponse:
    """Show one article."""
    return ArticleResponse.of(await article_seen_by(db, slug, reader_id))


@router.put("/articles/{slug}")
async def change_article(
    body: UpdateArticleRequest, article: OwnArticle, db: DbSession
) -> ArticleResponse:
    """Change an article of one's own."""
    await change(db, article, body.article)
    seen = await article_seen_by(db, article.slug, article.author_id)
    return ArticleResponse.of(seen)


@router.delete("/articles/{slug}", status_code=204)
async def delete_article(article: OwnArticle, db: DbSession) -> None:
    """Delete an article of one's own, with its comments."""
    await db.execute(delete(Article).where(Article.id == article.id))


@router.post("/articles/{slug}/favorite")
async def like_article(
    slug: Text, me: CurrentIdentity, article_id: HeldArticle, db: DbSession
) -> ArticleResponse:
    """Like an article; twice is as good as once."""
    row = {"user_id": me.id, "article_id": article_id}
    await db.bulk_insert(Favorite, [row], on_conflict="ignore")
    return ArticleResponse.of(await article_seen_by(db, slug, me.id))


@router.delete("/articles/{slug}/favorite")
async def unlike_article(
    slug: Text, me: CurrentIdentity, article_id: HeldArticle, db: DbSession
) -> ArticleResponse:
    """Like an article no more."""
    is_it = (Favorite.user_id == me.id, Favorite.article_id == article_id)
    await db.execute(delete(Favorite).where(*is_it))
    return ArticleResponse.of(await article_seen_by(db, slug, me.id))


@router.get("/tags")
async def list_tags(db: DbSession) -> TagsResponse:
    """List the tags, or the newest of very many."""
    newest = select(Tag.name).order_by(Tag.id.desc()).limit(MOST_TAGS)
    return TagsResponse(tags=sorted(await db.scalars(newest)))


@router.get("/statistics", dependencies=[requires_superuser()])
async def show_statistics(db: DbSession) -> Statistics:
    """Show superusers how much there is of everything."""
    return await count_everything(db)


router.include_router(comments)
