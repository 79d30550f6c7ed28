"""Seeding: users and articles to try the site with, the same ones each time."""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import product
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import select

from conduit.accounts.models import Follow, User
from fastforge.contrib.db import Session, utcnow

from .models import Article, Favorite, Tag, article_tags

PASSWORD: Final = "conduit-of-many-words"
WORDS: Final = (
    "anchor", "bridge", "compass", "engine", "garden", "harbor", "lantern", "letter", "meadow",
    "mirror", "orchard", "pattern", "ribbon", "signal", "station", "timber", "valve", "winter",
)  # fmt: skip
TAGS: Final = ("python", "databases", "queues", "travel", "books", "music", "cooking", "science")


async def seed_people(db: Session, count: int, password_hash: SecretStr) -> list[int]:
    """Write users, of whom each follows the next three, and return their ids."""
    people = (
        {
            "username": f"user{number}",
            "email": f"user{number}@conduit.test",
            "bio": f"Writes about every {WORDS[number % len(WORDS)]}.",
            "password_hash": password_hash,
        }
        for number in range(1, count + 1)
    )
    await db.bulk_insert(User, people)
    ids = list(await db.scalars(select(User.id).order_by(User.id)))
    steps = range(1, min(4, count))
    follows = (
        {"follower_id": each, "followed_id": ids[(place + step) % count]}
        for (place, each), step in product(enumerate(ids), steps)
    )
    await db.bulk_insert(Follow, follows)
    return ids


async def seed_articles(db: Session, count: int, authors: Sequence[int]) -> None:
    """Write articles, the last one a minute ago, with their tags and those who like them."""
    chance = random.Random(count)
    await db.bulk_insert(Tag, ({"name": name} for name in TAGS))
    await db.bulk_insert(Article, _articles(count, authors, chance))
    tags = list(await db.scalars(select(Tag.id).order_by(Tag.id)))
    articles = list(await db.scalars(select(Article.id).order_by(Article.id)))
    tagged = [
        {"article_id": article, "tag_id": tag}
        for article in articles
        for tag in chance.sample(tags, k=2)
    ]
    await db.execute(article_tags.insert(), tagged)
    likes = (
        {"article_id": article, "user_id": user}
        for article in articles
        for user in chance.sample(authors, k=chance.randrange(min(4, len(authors))))
    )
    await db.bulk_insert(Favorite, likes)


def _articles(
    count: int, authors: Sequence[int], chance: random.Random
) -> Iterator[dict[str, Any]]:
    now = utcnow()
    for number in range(1, count + 1):
        words = chance.sample(WORDS, k=5)
        moment = now - timedelta(minutes=count - number + 1)
        yield {
            "slug": f"{'-'.join(words[:3])}-{number}",
            "title": f"The {' '.join(words[:3])}",
            "description": f"About the {words[3]} and the {words[4]}.",
            "body": "\n\n".join(_paragraph(chance) for _ in range(4)),
            "author_id": chance.choice(authors),
            "created_at": moment,
            "updated_at": moment,
            "announced_at": moment,
        }


def _paragraph(chance: random.Random) -> str:
    *some, last = chance.sample(WORDS, k=8)
    return f"What the {', the '.join(some)} and the {last} have in common."
