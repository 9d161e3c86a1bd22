"""Labels: an organization's words for kinds of issues."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from specs.tracker.errors import NotFound
from specs.tracker.identity import Actor, organization_of, require_admin
from specs.tracker.models import Label
from specs.tracker.services import issues


def create(session: Session, actor: Actor, name: str, color: str = "#cccccc") -> Label:
    """Add a label.

    Raises:
        sqlalchemy.exc.IntegrityError: there is one of that name.
    """
    label = Label(organization_id=organization_of(actor), name=name, color=color)
    session.add(label)
    session.flush()
    return label


def ensure(session: Session, actor: Actor, name: str) -> Label:
    """The label of that name, which is added where it is missing."""
    try:
        with session.begin_nested():
            return create(session, actor, name)
    except IntegrityError:
        return _get(session, actor, name)


def attach(session: Session, actor: Actor, number: int, names: list[str]) -> list[str]:
    """Put labels on an issue; all that it has then."""
    issue = issues.get(session, actor, number)
    for name in names:
        label = ensure(session, actor, name)
        if label not in issue.labels:
            issue.labels.append(label)
    session.flush()
    return sorted(label.name for label in issue.labels)


def remove(session: Session, actor: Actor, name: str) -> str:
    """Delete a label, which takes it off every issue; its name.

    Raises:
        NotAllowed: the actor is no admin.
        NotFound: there is no such label.
    """
    require_admin(actor, "delete labels")
    session.delete(_get(session, actor, name))
    session.flush()
    return name


def _get(session: Session, actor: Actor, name: str) -> Label:
    mine = Label.organization_id == organization_of(actor)
    label = session.scalar(select(Label).where(mine, Label.name == name))
    if label is None:
        raise NotFound(f"there is no label {name!r}", label=name)
    return label
