"""The notifications API, which is no part of RealWorld."""

from fastapi import APIRouter
from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload

from conduit.articles.models import Article
from fastforge.contrib.auth import CurrentIdentity
from fastforge.contrib.db import DbSession, utcnow
from fastforge.contrib.db.pagination import OffsetPage, paginate

from .models import Notification
from .schemas import NotificationOut, NotificationsResponse

router = APIRouter(prefix="/notifications", tags=["notifications"])


@router.get("")
async def list_notifications(
    db: DbSession, me: CurrentIdentity, page: OffsetPage
) -> NotificationsResponse:
    """List what somebody was told, the newest first."""
    mine = select(Notification).where(Notification.user_id == me.id)
    newest = mine.order_by(Notification.id.desc()).options(
        joinedload(Notification.article).joinedload(Article.author)
    )
    found = await paginate(db, newest, page)
    unseen = mine.where(Notification.seen_at.is_(None))
    count = await db.scalar(unseen.with_only_columns(func.count()))
    return NotificationsResponse(
        notifications=[NotificationOut.of(each) for each in found.items],
        unseen_count=count or 0,
        channel=f"notifications:{me.id}",
    )


@router.post("/seen", status_code=204)
async def see_notifications(db: DbSession, me: CurrentIdentity) -> None:
    """Note that somebody has seen what they were told."""
    is_unseen = (Notification.user_id == me.id, Notification.seen_at.is_(None))
    await db.execute(update(Notification).where(*is_unseen).values(seen_at=utcnow()))
