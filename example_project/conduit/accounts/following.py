"""Following: who reads whom."""

from sqlalchemy import ColumnElement, delete, exists, false

from fastforge.contrib.db import Session

from .models import Follow, User


def is_followed_by(reader_id: int | None) -> ColumnElement[bool]:
    """Return what tells, in a statement that reads users, whether somebody follows them."""
    if reader_id is None:
        return false()
    return exists().where(Follow.follower_id == reader_id, Follow.followed_id == User.id)


async def follow(db: Session, follower_id: int, followed_id: int) -> None:
    """Let somebody follow somebody; twice is as good as once."""
    row = {"follower_id": follower_id, "followed_id": followed_id}
    await db.bulk_insert(Follow, [row], on_conflict="ignore")


async def unfollow(db: Session, follower_id: int, followed_id: int) -> None:
    """Let somebody follow somebody no more."""
    is_it = (Follow.follower_id == follower_id, Follow.followed_id == followed_id)
    await db.execute(delete(Follow).where(*is_it))
