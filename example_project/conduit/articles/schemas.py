"""What goes in and out of the articles API, shaped as RealWorld says."""

from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from conduit.accounts.schemas import Profile
from conduit.text import Moment, Text
from fastforge.contrib.db.pagination import Page

from .reading import SeenArticle, SeenComment

Title = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=180)]
Description = Annotated[Text, StringConstraints(min_length=1, max_length=500)]
Body = Annotated[Text, StringConstraints(min_length=1, max_length=100_000)]
TagName = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
TagNames = Annotated[list[TagName], Field(max_length=20)]


class Wire(BaseModel):
    """RealWorld writes names in camel case."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
    )


class NewArticle(Wire):
    """An article to publish."""

    title: Title
    description: Description
    body: Body
    tag_list: TagNames = []


class NewArticleRequest(BaseModel):
    """RealWorld wraps each body in an object with one member."""

    article: NewArticle


class UpdateArticle(Wire):
    """What its author changes of an article; what is left out stays.

    Each field has a factory and no default, as in `conduit.accounts.schemas.UpdateUser`.
    """

    title: Title = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    body: Body = Field(default_factory=str)
    tag_list: TagNames = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what to change")
        return self


class UpdateArticleRequest(BaseModel):
    """Changes, wrapped."""

    article: UpdateArticle


class ArticleSummary(Wire):
    """An article in a list: all but its body."""

    slug: str
    title: str
    description: str
    tag_list: list[str]
    created_at: Moment
    updated_at: Moment
    favorited: bool = False
    favorites_count: int = 0
    author: Profile

    @classmethod
    def of(cls, seen: SeenArticle) -> Self:
        """Return what a reader is told of an article."""
        article, likes, is_liked, is_followed = seen
        shown = cls.model_validate(article)
        shown.favorites_count, shown.favorited = likes, is_liked
        shown.author.following = is_followed
        return shown


class Article(ArticleSummary):
    """One whole article."""

    body: str


class ArticleResponse(BaseModel):
    """One article."""

    article: Article

    @classmethod
    def of(cls, seen: SeenArticle) -> Self:
        """Return what a reader is told of one article."""
        return cls(article=Article.of(seen))


class ArticlesResponse(Wire):
    """A page of articles, and how many there are in all."""

    articles: list[ArticleSummary]
    articles_count: int

    @classmethod
    def of(cls, page: Page[Any]) -> Self:
        """Return what a reader is told of a page of articles, which has been counted."""
        articles = [ArticleSummary.of(seen) for seen in page.items]
        return cls(articles=articles, articles_count=page.total or 0)


class TagsResponse(BaseModel):
    """Every tag, in order."""

    tags: list[str]


class NewComment(BaseModel):
    """Something to say about an article."""

    body: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]


class NewCommentRequest(BaseModel):
    """A comment, wrapped."""

    comment: NewComment


class Comment(Wire):
    """One comment."""

    id: int
    created_at: Moment
    updated_at: Moment
    body: str
    author: Profile

    @classmethod
    def of(cls, seen: SeenComment) -> Self:
        """Return what a reader is told of a comment."""
        comment, is_followed = seen
        shown = cls.model_validate(comment)
        shown.author.following = is_followed
        return shown


class CommentResponse(BaseModel):
    """One comment."""

    comment: Comment

    @classmethod
    def of(cls, seen: SeenComment) -> Self:
        """Return what a reader is told of one comment."""
        return cls(comment=Comment.of(seen))


class CommentsResponse(BaseModel):
    """The comments of an article, the newest first."""

    comments: list[Comment]

    @classmethod
    def of(cls, seen: Iterable[SeenComment]) -> Self:
        """Return what a reader is told of comments."""
        return cls(comments=[Comment.of(each) for each in seen])
