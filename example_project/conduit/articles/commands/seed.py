"""Fill an empty database with users, articles and what they like, to try the site with.

All of them have the password that is printed. The same number gives the same texts.
"""

from typing import Annotated

from conduit.articles.seeding import PASSWORD, seed_articles, seed_people
from conduit.articles.statistics import count_everything
from fastforge import injected
from fastforge.commands import Context, command
from fastforge.contrib.auth import Passwords
from fastforge.contrib.db import DbSession
from fastforge.exceptions import CommandError


@command
async def seed(
    *,
    articles: Annotated[int, "How many articles."] = 10_000,
    users: Annotated[int, "How many users."] = 100,
    context: Context,
    db: DbSession = injected,
    passwords: Passwords = injected,
) -> None:
    """Write all rows in one transaction."""
    if (await count_everything(db)).users:
        raise CommandError(
            "there are users already", code="conduit.E001", hint="seed a database without any"
        )
    password_hash = await passwords.hash(PASSWORD)
    async with db.atomic():
        await seed_articles(db, articles, await seed_people(db, users, password_hash))
    context.echo(f"log in as user1@conduit.test with {PASSWORD!r}")
