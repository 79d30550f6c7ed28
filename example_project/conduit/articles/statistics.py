"""Statistics: how much there is of everything."""

from pydantic import BaseModel
from sqlalchemy import func, select

from conduit.accounts.models import Follow, User
from fastforge.contrib.db import Session

from .models import Article, Comment, Favorite, Tag


class Statistics(BaseModel):
    """How many rows there are."""

    users: int
    follows: int
    articles: int
    announced: int
    comments: int
    favorites: int
    tags: int


async def count_everything(db: Session) -> Statistics:
    """Count in one statement."""
    counts = {
        "users": func.count(User.id),
        "follows": func.count(Follow.follower_id),
        "articles": func.count(Article.id),
        "announced": func.count(Article.announced_at),
        "comments": func.count(Comment.id),
        "favorites": func.count(Favorite.user_id),
        "tags": func.count(Tag.id),
    }
    columns = [select(count).scalar_subquery().label(name) for name, count in counts.items()]
    return Statistics.model_validate((await db.execute(select(*columns))).one()._asdict())
