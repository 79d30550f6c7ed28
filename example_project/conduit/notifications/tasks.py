"""The jobs: followers are told of an article, and reminded by mail of what they have not seen."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.orm import joinedload

from conduit.accounts.models import Follow, User
from conduit.articles.models import Article
from fastforge import injected, task
from fastforge.contrib.db import DbSession, utcnow
from fastforge.contrib.mail import Mailer, Message

from .channels import ArticlePublished, Notifications
from .models import Notification

FOLLOWERS_AT_A_TIME = 500
DIGESTS_AT_A_TIME = 500
MOST_TITLES = 20
DIGEST_AGE = timedelta(hours=1)
"""Who is told right now may be reading it: that is for the next digest."""


@task(timeout_s=30)
async def notify_followers(article_id: int, *, db: DbSession = injected) -> None:
    """Tell those who follow the author of an article, some of them and then the others.

    Run twice it tells nobody twice, as a job may run again after a crash. What the channel says
    waits for the commit of the rows.
    """
    async with db.atomic():
        article = await db.get(Article, article_id, options=[joinedload(Article.author)])
        if article is None:
            return
        followers = list(await db.scalars(_not_told(article)))
        rows = [{"user_id": each, "article_id": article.id} for each in followers]
        await db.bulk_insert(Notification, rows)
        news = ArticlePublished(
            slug=article.slug, title=article.title, author=article.author.username
        )
        for follower_id in followers:
            await Notifications.publish(news, user_id=follower_id)
        if len(followers) == FOLLOWERS_AT_A_TIME:
            await notify_followers.enqueue(article_id=article_id)
        else:
            article.announced_at = utcnow()


@task(timeout_s=60)
async def send_digests(after_id: int = 0, *, db: DbSession = injected) -> None:
    """Enqueue a mail for each who has not seen something, some of them and then the others."""
    async with db.atomic():
        waiting = (
            select(Notification.user_id)
            .where(Notification.user_id > after_id, *_to_be_mailed())
            .distinct()
            .order_by(Notification.user_id)
            .limit(DIGESTS_AT_A_TIME)
        )
        users = list(await db.scalars(waiting))
        if users:
            await send_digest.enqueue_many([send_digest.call(user_id=each) for each in users])
            await send_digests.enqueue(after_id=users[-1])


@task(timeout_s=30)
async def send_digest(user_id: int, *, db: DbSession = injected, mailer: Mailer = injected) -> None:
    """Mail somebody what they have not seen, once: the mail is a job of the same transaction."""
    async with db.atomic():
        user = await db.get(User, user_id, with_for_update=True)
        of_user = (Notification.user_id == user_id, *_to_be_mailed())
        count = await db.scalar(select(func.count()).select_from(Notification).where(*of_user))
        if user is None or not count:
            return
        newest = select(Article.title).join(Notification, Notification.article_id == Article.id)
        newest = newest.where(*of_user).order_by(Notification.id.desc()).limit(MOST_TITLES)
        await mailer.send(_digest(user, list(await db.scalars(newest)), count))
        await db.execute(update(Notification).where(*of_user).values(mailed_at=utcnow()))


def _not_told(article: Article) -> Select[int]:
    is_told = exists().where(
        Notification.user_id == Follow.follower_id, Notification.article_id == article.id
    )
    followers = select(Follow.follower_id).where(Follow.followed_id == article.author_id, ~is_told)
    return followers.limit(FOLLOWERS_AT_A_TIME)


def _to_be_mailed() -> tuple[ColumnElement[bool], ...]:
    return (
        Notification.seen_at.is_(None),
        Notification.mailed_at.is_(None),
        Notification.created_at < utcnow() - DIGEST_AGE,
    )


def _digest(user: User, titles: list[str], count: int) -> Message:
    lines = [f"* {title}" for title in titles]
    if count > len(titles):
        lines.append(f"and {count - len(titles)} more")
    subject = "1 new article" if count == 1 else f"{count} new articles"
    text = f"Hello {user.username},\n\nthose whom you follow have written:\n\n" + "\n".join(lines)
    return Message(to=user.email, subject=subject, text=text)
