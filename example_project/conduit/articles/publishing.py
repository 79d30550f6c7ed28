"""Publishing: how an article becomes rows, and changes."""

import re
import secrets
from collections.abc import Iterable

from sqlalchemy import select

from conduit.accounts.models import User
from fastforge.contrib.db import Session

from .models import Article, Tag
from .schemas import NewArticle, UpdateArticle


async def publish(db: Session, new: NewArticle, author: User) -> Article:
    """Store an article and those of its tags that are new, and return it with its id."""
    article = Article(
        slug=make_slug(new.title),
        title=new.title,
        description=new.description,
        body=new.body,
        author=author,
        tags=await _tags(db, new.tag_list),
    )
    db.add(article)
    await db.flush()
    return article


async def change(db: Session, article: Article, changes: UpdateArticle) -> None:
    """Change what is given of an article; with another title it has another address."""
    changed = changes.model_dump(exclude_unset=True)
    if "tag_list" in changed:
        await db.refresh(article, ["tags"])
        article.tags = await _tags(db, changed.pop("tag_list"))
    if changed.get("title", article.title) != article.title:
        article.slug = make_slug(changed["title"])
    for name, value in changed.items():
        setattr(article, name, value)
    await db.flush()


def make_slug(title: str) -> str:
    """Return a name for the address of an article; two articles never share one."""
    words = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")
    return f"{words or 'article'}-{secrets.token_hex(4)}"


async def _tags(db: Session, names: Iterable[str]) -> list[Tag]:
    """Return tags, those among them that are new too, which others may bring at the same time."""
    wanted = list(dict.fromkeys(names))
    rows = ({"name": name} for name in sorted(wanted))  # in one order: nobody waits for each other
    await db.bulk_insert(Tag, rows, on_conflict="ignore")
    found = {tag.name: tag for tag in await db.scalars(select(Tag).where(Tag.name.in_(wanted)))}
    return [found[name] for name in wanted]
