"""The comments API: below each article."""

from fastapi import APIRouter
from sqlalchemy import delete, select

from conduit.accounts.models import User
from conduit.accounts.reader import Reader
from conduit.text import Text
from fastforge.contrib.auth import CurrentUser
from fastforge.contrib.db import DbSession

from .models import Article, Comment
from .own import HeldArticle, OwnComment
from .reading import comments_seen_by
from .schemas import CommentResponse, CommentsResponse, NewCommentRequest

MOST_COMMENTS = 500
"""RealWorld has no pages of comments; no list of ours is without an end."""

router = APIRouter(prefix="/articles/{slug}/comments", tags=["comments"])


@router.get("")
async def list_comments(slug: Text, db: DbSession, reader_id: Reader) -> CommentsResponse:
    """List the newest comments of an article."""
    article_id = await db.get_or_404(select(Article.id).where(Article.slug == slug))
    newest = comments_seen_by(reader_id).where(Comment.article_id == article_id)
    return CommentsResponse.of(await db.execute(newest.limit(MOST_COMMENTS)))


@router.post("")
async def add_comment(
    body: NewCommentRequest, author: CurrentUser[User], article_id: HeldArticle, db: DbSession
) -> CommentResponse:
    """Say something about an article."""
    comment = Comment(body=body.comment.body, article_id=article_id, author=author)
    db.add(comment)
    await db.flush()
    added = comments_seen_by(author.id).where(Comment.id == comment.id)
    return CommentResponse.of(await db.get_or_404(added))


@router.delete("/{id}", status_code=204)
async def delete_comment(comment: OwnComment, db: DbSession) -> None:
    """Delete a comment of one's own."""
    await db.execute(delete(Comment).where(Comment.id == comment.id))
