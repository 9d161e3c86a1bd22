"""Statistics, for the start page: asynchronous, as they are asked for all the time."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from specs.tracker.errors import NotFound
from specs.tracker.identity import Actor, organization_of, user_of
from specs.tracker.models import Issue, Membership, Organization, User
from specs.tracker.results import Summary


async def summary(session: AsyncSession, actor: Actor) -> Summary:
    """The actor's organization at a glance.

    Raises:
        NotFound: there is none that the actor may see.
    """
    organization = await session.get(Organization, organization_of(actor))
    if organization is None:
        raise NotFound("there is no such organization")
    members = await session.scalar(
        select(func.count())
        .select_from(Membership)
        .where(Membership.organization_id == organization.id)
    )
    return Summary(
        name=organization.name,
        members=members or 0,
        issues=await by_status(session, actor),
        busiest=await _busiest(session, organization.id),
    )


async def by_status(session: AsyncSession, actor: Actor) -> dict[str, int]:
    """How many issues there are of each status that occurs."""
    rows = await session.execute(
        select(Issue.status, func.count())
        .where(Issue.organization_id == organization_of(actor))
        .group_by(Issue.status)
    )
    return dict(rows.all())


async def record_visit(session: AsyncSession, actor: Actor) -> User:
    """Remember that the actor was here."""
    seen = update(User).where(User.id == user_of(actor)).values(last_seen_at=func.now())
    await session.execute(seen)
    await session.commit()
    return await session.get_one(User, user_of(actor))


async def forget_everybody(session: AsyncSession, actor: Actor) -> None:
    """Begin to forget who was here when, and think better of it."""
    await session.execute(update(User).values(last_seen_at=None))
    await session.rollback()
    await record_visit(session, actor)


async def _busiest(session: AsyncSession, organization_id: str) -> str | None:
    most = (
        select(User.name)
        .join(Issue, Issue.assignee_id == User.id)
        .where(Issue.organization_id == organization_id, Issue.closed_at.is_(None))
        .group_by(User.name)
        .order_by(func.count().desc(), User.name)
    )
    name: str | None = await session.scalar(most.limit(1))
    return name
