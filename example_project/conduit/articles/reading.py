"""Reading: articles and comments as somebody sees them, without a query for each of them."""

from typing import TypeAlias

from sqlalchemy import ColumnElement, Row, Select, exists, false, func, select
from sqlalchemy.orm import contains_eager, selectinload

from conduit.accounts.following import is_followed_by
from conduit.accounts.models import Follow, User
from fastforge.contrib.db import Session

from .models import Article, Comment, Favorite, Tag

SeenArticle: TypeAlias = Row[Article, int, bool, bool]
"""An article, how many like it, and whether the reader likes it and follows its author."""
SeenComment: TypeAlias = Row[Comment, bool]
"""A comment, and whether the reader follows its author."""


def articles_seen_by(reader_id: int | None) -> Select[Article, int, bool, bool]:
    """Select articles with all that an answer says of them: the newest first."""
    count = select(func.count()).select_from(Favorite).where(Favorite.article_id == Article.id)
    return (
        select(Article, count.scalar_subquery(), _likes(reader_id), is_followed_by(reader_id))
        .join(Article.author)
        .options(contains_eager(Article.author), selectinload(Article.tags))
        .order_by(Article.created_at.desc(), Article.id.desc())
    )


async def article_seen_by(db: Session, slug: str, reader_id: int | None) -> SeenArticle:
    """Return one article, or answer with 404."""
    return await db.get_or_404(articles_seen_by(reader_id).where(Article.slug == slug))


def comments_seen_by(reader_id: int | None) -> Select[Comment, bool]:
    """Select comments with their authors: the newest first."""
    return (
        select(Comment, is_followed_by(reader_id))
        .join(Comment.author)
        .options(contains_eager(Comment.author))
        .order_by(Comment.created_at.desc(), Comment.id.desc())
    )


def has_tag(name: str) -> ColumnElement[bool]:
    """Return what tells whether an article has a tag."""
    return Article.tags.any(Tag.name == name)


def is_by(username: str) -> ColumnElement[bool]:
    """Return what tells whether somebody has written an article."""
    author = select(User.id).where(User.username == username).correlate(None)
    return Article.author_id == author.scalar_subquery()


def is_liked_by(username: str) -> ColumnElement[bool]:
    """Return what tells whether somebody likes an article."""
    liked = select(Favorite.article_id).join(User, User.id == Favorite.user_id)
    return Article.id.in_(liked.where(User.username == username).correlate(None))


def is_in_feed_of(reader_id: int) -> ColumnElement[bool]:
    """Return what tells whether somebody follows the author of an article."""
    followed = select(Follow.followed_id).where(Follow.follower_id == reader_id)
    return Article.author_id.in_(followed)


def _likes(reader_id: int | None) -> ColumnElement[bool]:
    if reader_id is None:
        return false()
    return exists().where(Favorite.user_id == reader_id, Favorite.article_id == Article.id)
