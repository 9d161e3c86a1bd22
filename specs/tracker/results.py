"""What the services return where it is not simply a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class IssueView(BaseModel):
    """An issue as the API shows it."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    title: str
    description: str | None
    status: str
    priority: str
    closed_at: datetime | None


class IssuePage(BaseModel):
    """Some of the issues that were asked for; `total` counts all of them."""

    items: list[IssueView]
    total: int


class CommentView(BaseModel):
    id: int
    author: str
    body: str
    edited: bool


class Member(NamedTuple):
    name: str
    email: str
    role: str


@dataclass(frozen=True)
class Workload:
    """What somebody has to do; `estimate` adds up the issues that have one."""

    assignee: str
    issues: int
    estimate: Decimal


@dataclass(frozen=True)
class Import:
    """What became of a list of titles."""

    numbers: list[int]
    refused: dict[str, str]


@dataclass(frozen=True)
class Transfer:
    """Votes that changed hands; `left` are the giver's."""

    receiver: str
    votes: int
    left: int


class Summary(BaseModel):
    """An organization at a glance."""

    name: str
    members: int
    issues: dict[str, int]
    busiest: str | None
