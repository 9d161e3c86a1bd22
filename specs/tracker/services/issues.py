"""Issues: reported, searched, assigned, closed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from specs.tracker.errors import Conflict, Invalid, NotFound
from specs.tracker.identity import Actor, organization_of, require_admin, user_of
from specs.tracker.models import Issue, Label, Membership, User
from specs.tracker.results import Import, IssuePage, IssueView, Workload

OPEN_PARTS = "TR001"
"""The SQLSTATE of an issue that cannot be closed yet, from rules.sql."""


def create(
    session: Session,
    actor: Actor,
    title: str,
    description: str | None = None,
    priority: str = "normal",
) -> Issue:
    """Report an issue.

    Raises:
        Invalid: there is no title.
    """
    if not title.strip():
        raise Invalid("an issue needs a title", field="title")
    issue = Issue(
        organization_id=organization_of(actor),
        reporter_id=user_of(actor),
        title=title.strip(),
        description=description,
        priority=priority,
    )
    session.add(issue)
    session.flush()
    return issue


def get(session: Session, actor: Actor, number: int) -> Issue:
    """The issue of that number in the actor's organization.

    Raises:
        NotFound: there is none that the actor may see.
    """
    mine = Issue.organization_id == organization_of(actor)
    issue = session.scalar(select(Issue).where(mine, Issue.number == number))
    if issue is None:
        raise NotFound(f"there is no issue #{number}", number=number)
    return issue


def find(
    session: Session,
    actor: Actor,
    status: str | None = None,
    labels: Sequence[str] = (),
    limit: int = 20,
) -> IssuePage:
    """The issues of that status that bear all of the labels, the newest first."""
    wanted: list[ColumnElement[bool]] = [Issue.organization_id == organization_of(actor)]
    if status is not None:
        wanted.append(Issue.status == status)
    wanted += [Issue.labels.any(Label.name == label) for label in labels]
    page = select(Issue).where(*wanted).order_by(Issue.number.desc()).limit(limit)
    total = session.scalar(select(func.count()).select_from(Issue).where(*wanted)) or 0
    items = [IssueView.model_validate(issue) for issue in session.scalars(page)]
    return IssuePage(items=items, total=total)


def edit(
    session: Session,
    actor: Actor,
    number: int,
    title: str | None = None,
    priority: str | None = None,
) -> Issue:
    """Change what is given.

    Raises:
        NotFound: there is no such issue.
    """
    issue = get(session, actor, number)
    issue.title = title or issue.title
    issue.priority = priority or issue.priority
    session.flush()
    return issue


def assign(session: Session, actor: Actor, number: int, email: str | None) -> Issue:
    """Give an issue to a member, or to nobody.

    Raises:
        NotFound: there is no such issue, or no such member.
    """
    issue = get(session, actor, number)
    issue.assignee = None if email is None else _member(session, actor, email)
    session.flush()
    return issue


def move(session: Session, actor: Actor, number: int, status: str) -> Issue:
    """Give an issue another status.

    Raises:
        NotFound: there is no such issue.
        Conflict: it cannot be closed, as it has open sub-issues.
    """
    issue = get(session, actor, number)
    try:
        with session.begin_nested():
            issue.status = status
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != OPEN_PARTS:
            raise
        raise Conflict(f"issue #{number} has open sub-issues", number=number) from error
    session.refresh(issue)
    return issue


def close(session: Session, actor: Actor, number: int) -> Issue:
    """Close an issue.

    Raises:
        NotFound: there is no such issue.
        Conflict: it has open sub-issues.
    """
    return move(session, actor, number, "closed")


def delete(session: Session, actor: Actor, number: int) -> bool:
    """Delete an issue and what belongs to it; whether there was one.

    Raises:
        NotAllowed: the actor is no admin.
    """
    require_admin(actor, "delete issues")
    try:
        session.delete(get(session, actor, number))
    except NotFound:
        return False
    session.flush()
    return True


def import_titles(session: Session, actor: Actor, titles: Sequence[str]) -> Import:
    """Report many issues; one that is refused does not keep the others out."""
    numbers: list[int] = []
    refused: dict[str, str] = {}
    for title in titles:
        try:
            with session.begin_nested():
                numbers.append(create(session, actor, title).number)
        except (Invalid, DBAPIError) as error:
            refused[title[:20]] = type(error).__name__
    session.commit()
    return Import(numbers, refused)


def import_all_titles(session: Session, actor: Actor, titles: Sequence[str]) -> Import:
    """Report many issues, or none of them."""
    try:
        numbers = [create(session, actor, title).number for title in titles]
    except Invalid as error:
        session.rollback()
        return Import([], {error.field: str(error)})
    session.commit()
    return Import(numbers, {})


def workload(session: Session, actor: Actor) -> list[Workload]:
    """What everybody has to do, by name: in one statement, however many they are."""
    rows = session.execute(
        select(User.name, func.count(), func.sum(Issue.estimate))
        .join(Issue, Issue.assignee_id == User.id)
        .where(Issue.organization_id == organization_of(actor), Issue.closed_at.is_(None))
        .group_by(User.name)
        .order_by(User.name)
    )
    return [Workload(name, issues, estimate or Decimal(0)) for name, issues, estimate in rows]


def assignees_one_by_one(session: Session, actor: Actor) -> list[tuple[str, str | None]]:
    """Titles with their assignees; each assignee is loaded when it is that one's turn."""
    mine = Issue.organization_id == organization_of(actor)
    issues = session.scalars(select(Issue).where(mine).order_by(Issue.number))
    return [(issue.title, issue.assignee.name if issue.assignee else None) for issue in issues]


def assignees(session: Session, actor: Actor) -> list[tuple[str, str | None]]:
    """Titles with their assignees."""
    rows = session.execute(
        select(Issue.title, User.name)
        .outerjoin(User, Issue.assignee_id == User.id)
        .where(Issue.organization_id == organization_of(actor))
        .order_by(Issue.number)
    )
    return [(title, name) for title, name in rows]


def _member(session: Session, actor: Actor, email: str) -> User:
    mine = Membership.organization_id == organization_of(actor)
    found = session.scalar(select(User).join(Membership).where(mine, User.email == email))
    if found is None:
        raise NotFound(f"{email} is no member", email=email)
    return found
