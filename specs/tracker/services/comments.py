"""Comments: what people say about an issue."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from specs.tracker.errors import NotAllowed, NotFound
from specs.tracker.identity import Actor, is_admin, user_of
from specs.tracker.models import Comment
from specs.tracker.results import CommentView
from specs.tracker.services import issues


def add(session: Session, actor: Actor, number: int, body: str) -> CommentView:
    """Say something about an issue; that it must not be blank is the database's to check.

    Raises:
        NotFound: there is no such issue.
        sqlalchemy.exc.IntegrityError: the comment says nothing.
    """
    issue = issues.get(session, actor, number)
    comment = Comment(issue_id=issue.id, author_id=user_of(actor), body=body)
    session.add(comment)
    session.flush()
    return _view(comment)


def edit(session: Session, actor: Actor, comment_id: int, body: str) -> CommentView:
    """Correct a comment of one's own.

    Raises:
        NotFound: there is no such comment.
        NotAllowed: somebody else wrote it.
    """
    comment = _get(session, comment_id)
    if comment.author_id != user_of(actor):
        raise NotAllowed("a comment is its author's", needs="author")
    comment.body = body
    session.flush()
    session.refresh(comment)
    return _view(comment)


def remove(session: Session, actor: Actor, comment_id: int) -> None:
    """Take back a comment; admins may take back anybody's.

    Raises:
        NotFound: there is no such comment.
        NotAllowed: somebody else wrote it.
    """
    comment = _get(session, comment_id)
    if comment.author_id != user_of(actor) and not is_admin(actor):
        raise NotAllowed("a comment is its author's", needs="admin")
    session.delete(comment)
    session.flush()


def thread(session: Session, actor: Actor, number: int) -> list[CommentView]:
    """What was said about an issue, in order; the authors come along."""
    issue = issues.get(session, actor, number)
    comments = session.scalars(
        select(Comment)
        .where(Comment.issue_id == issue.id)
        .order_by(Comment.created_at, Comment.id)
        .options(joinedload(Comment.author))
    )
    return [_view(comment) for comment in comments]


def thread_one_by_one(session: Session, actor: Actor, number: int) -> list[CommentView]:
    """The same, but each author is asked for when the comment is shown."""
    return [_view(comment) for comment in issues.get(session, actor, number).comments]


def _get(session: Session, comment_id: int) -> Comment:
    comment = session.get(Comment, comment_id)
    if comment is None:
        raise NotFound(f"there is no comment {comment_id}", comment=comment_id)
    return comment


def _view(comment: Comment) -> CommentView:
    return CommentView(
        id=comment.id,
        author=comment.author.name,
        body=comment.body,
        edited=comment.edited_at is not None,
    )
