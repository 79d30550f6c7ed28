"""What the page of somebody is told while it is open."""

from typing import Literal

from pydantic import BaseModel

from fastforge.channels import Channel, Connection


class ArticlePublished(BaseModel):
    """Somebody whom the reader follows has published an article."""

    type: Literal["article_published"] = "article_published"
    slug: str
    title: str
    author: str


class Notifications(Channel, pattern="notifications:{user_id:int}", history=100):
    """The notifications of one user: nobody else may join. Who comes back has missed nothing."""

    Outgoing = ArticlePublished

    async def authorize(self, connection: Connection, user_id: int) -> bool:
        """Let somebody join their own."""
        return connection.user is not None and connection.user.id == user_id
