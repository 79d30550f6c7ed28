"""The rows of articles."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conduit.accounts.models import User
from fastforge.contrib.db import Model, utcnow

article_tags = Table(
    "articles_article_tag",
    Model.metadata,
    Column("article_id", ForeignKey("articles_article.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "tag_id", ForeignKey("articles_tag.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)


class Tag(Model):
    """A word that articles are found by."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class Article(Model):
    """Something that somebody wrote."""

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(200), unique=True)
    title: Mapped[str] = mapped_column(String(180))
    description: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)
    announced_at: Mapped[datetime | None]
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))

    author: Mapped[User] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=article_tags, order_by=Tag.name)

    __table_args__ = (Index("ix_articles_article_of_author", "author_id", "created_at", "id"),)

    @property
    def tag_list(self) -> list[str]:
        """The names of its tags, which have to be loaded."""
        return [tag.name for tag in self.tags]


class Favorite(Model):
    """Somebody likes an article."""

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey(Article.id, ondelete="CASCADE"), primary_key=True, index=True
    )


class Comment(Model):
    """What somebody says about an article."""

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)
    article_id: Mapped[int] = mapped_column(ForeignKey(Article.id, ondelete="CASCADE"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)

    author: Mapped[User] = relationship()
