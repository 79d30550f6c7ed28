"""What goes in and out of the articles API, shaped as RealWorld says."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from conduit.accounts.schemas import Profile
from conduit.text import Text

Title = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=180)]
TagName = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class Wire(BaseModel):
    """RealWorld writes names in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, from_attributes=True)


class NewArticle(Wire):
    """An article to publish."""

    title: Title
    description: Text = Field(max_length=500)
    body: Text = Field(max_length=100_000)
    tag_list: list[TagName] = Field(default=[], max_length=20)


class NewArticleRequest(BaseModel):
    """RealWorld wraps each body in an object with one member."""

    article: NewArticle


class ArticleSummary(Wire):
    """An article in a list: all but its body."""

    slug: str
    title: str
    description: str
    tag_list: list[str]
    created_at: datetime
    updated_at: datetime
    favorited: bool = False
    favorites_count: int = 0
    author: Profile


class ArticleOut(ArticleSummary):
    """One whole article."""

    body: str


class ArticleResponse(BaseModel):
    """One article."""

    article: ArticleOut


class ArticlesResponse(Wire):
    """A page of articles, and how many there are in all."""

    articles: list[ArticleSummary]
    articles_count: int


class TagsResponse(BaseModel):
    """Every tag, in order."""

    tags: list[str]
