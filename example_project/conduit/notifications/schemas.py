"""What goes out of the notifications API."""

from typing import Self

from conduit.articles.schemas import Wire
from conduit.text import Moment

from .models import Notification


class NotificationOut(Wire):
    """That an article was published."""

    id: int
    slug: str
    title: str
    author: str
    created_at: Moment
    seen: bool

    @classmethod
    def of(cls, notification: Notification) -> Self:
        """Return what somebody is told; its article and the author have to be loaded."""
        article = notification.article
        return cls(
            id=notification.id,
            slug=article.slug,
            title=article.title,
            author=article.author.username,
            created_at=notification.created_at,
            seen=notification.seen_at is not None,
        )


class NotificationsResponse(Wire):
    """A page of notifications, the newest first, and how many have not been seen."""

    notifications: list[NotificationOut]
    unseen_count: int
    channel: str
    """Where the next ones are told."""
