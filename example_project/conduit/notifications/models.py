"""The rows of notifications."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conduit.accounts.models import User
from conduit.articles.models import Article
from fastforge.contrib.db import Model, utcnow


class Notification(Model):
    """Somebody is told of an article, once."""

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    article_id: Mapped[int] = mapped_column(ForeignKey(Article.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]

    article: Mapped[Article] = relationship()

    __table_args__ = (
        Index("uq_notifications_notification_once", "user_id", "article_id", unique=True),
    )
