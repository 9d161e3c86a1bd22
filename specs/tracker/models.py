"""The tracker's tables; their types are in `types.sql`, what they cannot say in `rules.sql`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

MemberRole = ENUM("member", "admin", name="member_role", create_type=False)
IssueStatus = ENUM(
    "new", "open", "blocked", "closed", "rejected", name="issue_status", create_type=False
)
IssuePriority = ENUM("low", "normal", "high", "urgent", name="issue_priority", create_type=False)

NOW = text("now()")
CLOCK = text("clock_timestamp()")
EMPTY_OBJECT = text("'{}'::jsonb")
EMPTY_ARRAY = text("'{}'::text[]")


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class Organization(Base):
    """A tenant: everything but the users belongs to exactly one."""

    __tablename__ = "organizations"
    __table_args__ = (
        CheckConstraint("subdomain ~ '^[a-z][a-z0-9-]*$'", name="organizations_subdomain_check"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    subdomain: Mapped[str] = mapped_column(unique=True)
    plan: Mapped[str] = mapped_column(server_default="free")
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    owner_id: Mapped[int | None]
    issues_created: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    archived_at: Mapped[datetime | None]


class User(Base):
    """A person, who may be a member of several organizations."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str] = mapped_column(deferred=True)  # which the application cannot read
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Membership(Base):
    __tablename__ = "memberships"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(MemberRole)

    user: Mapped[User] = relationship()


class Allowance(Base):
    """The votes that a member may still give away."""

    __tablename__ = "allowances"
    __table_args__ = (
        CheckConstraint("votes >= 0", name="allowances_votes_check"),
        ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["memberships.organization_id", "memberships.user_id"],
            ondelete="CASCADE",
        ),
    )

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    votes: Mapped[int] = mapped_column(server_default="0")


class Issue(Base):
    """A report of work to do; `number` is what people call it by within the organization."""

    __tablename__ = "issues"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        Index("issues_by_status", "organization_id", "status"),
        Index(
            "issues_backlog",
            "organization_id",
            text("priority desc"),
            "number",
            postgresql_where=text("closed_at is null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    number: Mapped[int] = mapped_column(server_default="0")
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(IssueStatus, server_default="new")
    priority: Mapped[str] = mapped_column(IssuePriority, server_default="normal")
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("issues.id"))
    duplicate_of: Mapped[UUID | None] = mapped_column(ForeignKey("issues.id"))
    due_on: Mapped[date | None]
    estimate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    keywords: Mapped[list[str]] = mapped_column(server_default=EMPTY_ARRAY)
    custom: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    closed_at: Mapped[datetime | None]

    assignee: Mapped[User | None] = relationship(foreign_keys=[assignee_id])
    comments: Mapped[list[Comment]] = relationship(
        back_populates="issue", order_by="Comment.created_at, Comment.id", passive_deletes="all"
    )
    labels: Mapped[list[Label]] = relationship(
        secondary="issue_labels", order_by="Label.name", passive_deletes=True
    )


class ChecklistItem(Base):
    """A step of an issue; positions are unique at commit, so that steps can change places."""

    __tablename__ = "checklist_items"
    __table_args__ = (
        UniqueConstraint("issue_id", "position", deferrable=True, initially="DEFERRED"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    position: Mapped[int]
    step: Mapped[str]


class Comment(Base):
    """A contribution to an issue; the clock keeps those of one transaction in their order."""

    __tablename__ = "comments"
    __table_args__ = (
        CheckConstraint(r"body ~ '\S'", name="comments_body_not_blank"),
        Index("comments_conversation", "issue_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    body: Mapped[str]
    pinned: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    edited_at: Mapped[datetime | None]

    issue: Mapped[Issue] = relationship(back_populates="comments")
    author: Mapped[User] = relationship()


class Label(Base):
    __tablename__ = "labels"
    __table_args__ = (
        UniqueConstraint("organization_id", "name"),
        CheckConstraint("color ~ '^#[0-9a-f]{6}$'", name="labels_color_check"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    name: Mapped[str]
    color: Mapped[str] = mapped_column(server_default="#cccccc")


class IssueLabel(Base):
    __tablename__ = "issue_labels"

    issue_id: Mapped[UUID] = mapped_column(
        ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True
    )
    label_id: Mapped[int] = mapped_column(
        ForeignKey("labels.id", ondelete="CASCADE"), primary_key=True
    )
