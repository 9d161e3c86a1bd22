"""Organizations: their members, their owner, their name."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from specs.tracker.errors import Conflict, NotFound
from specs.tracker.identity import Actor, organization_of, require_admin
from specs.tracker.models import Membership, Organization, User
from specs.tracker.results import Member


def current(session: Session, actor: Actor) -> Organization:
    """The actor's organization.

    Raises:
        NotFound: there is none that the actor may see.
    """
    organization = session.get(Organization, organization_of(actor))
    if organization is None:
        raise NotFound("there is no such organization")
    return organization


def members(session: Session, actor: Actor) -> list[Member]:
    """Everybody in the actor's organization, by name."""
    rows = session.execute(
        select(User.name, User.email, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_of(actor))
        .order_by(User.name)
    )
    return [Member(name, email, role) for name, email, role in rows]


def rename(session: Session, actor: Actor, name: str) -> Organization:
    """Give the organization another name.

    Raises:
        NotAllowed: the actor is no admin.
    """
    require_admin(actor, "rename the organization")
    organization = current(session, actor)
    organization.name = name
    session.commit()
    return organization


def invite(session: Session, actor: Actor, email: str, role: str = "member") -> Member:
    """Make somebody with an account a member.

    Raises:
        NotAllowed: the actor is no admin.
        NotFound: nobody has an account of that address.
        Conflict: they are a member.
    """
    require_admin(actor, "invite people")
    account = session.execute(text("select id, name from account(:email)"), {"email": email})
    found = account.one_or_none()
    if found is None:
        raise NotFound(f"nobody is called {email}", email=email)
    invited = Membership(organization_id=organization_of(actor), user_id=found.id, role=role)
    try:
        with session.begin_nested():
            session.add(invited)
    except IntegrityError as error:
        raise Conflict(f"{found.name} is a member") from error
    return Member(found.name, email, role)


def promote(session: Session, actor: Actor, user_id: int) -> Membership:
    """Make a member an admin.

    Raises:
        NotAllowed: the actor is no admin.
        NotFound: there is no such member.
    """
    require_admin(actor, "promote members")
    membership = session.get(Membership, (organization_of(actor), user_id))
    if membership is None:
        raise NotFound("there is no such member", user=user_id)
    membership.role = "admin"
    session.flush()
    return membership


def hand_over(session: Session, actor: Actor, user_id: int) -> Organization:
    """Give the organization another owner; that this is a member is checked at the commit.

    Raises:
        NotAllowed: the actor is no admin.
        Conflict: the new owner is no member.
    """
    require_admin(actor, "hand over the organization")
    organization = current(session, actor)
    organization.owner_id = user_id
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise Conflict("the owner must be a member", user=user_id) from error
    return organization
