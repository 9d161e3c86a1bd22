"""What the harness gives to parameters by their annotation: sessions, connections, the actor."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal

from harness.actor import Actor
from harness.application.annotations import alternatives

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
    from sqlalchemy.orm import Session

Kind = Literal["session", "async_session", "connection", "async_connection", "actor"]

_KINDS: dict[str, Kind] = {
    "Session": "session",
    "AsyncSession": "async_session",
    "Connection": "connection",
    "AsyncConnection": "async_connection",
    "Actor": "actor",
}
_SESSIONS = ("Session", "AsyncSession")
# By name, as importing SQLAlchemy takes long: where nobody has, nothing is annotated with it.
_SQLALCHEMY = {
    "Session": "sqlalchemy.orm",
    "AsyncSession": "sqlalchemy.ext.asyncio",
    "Connection": "sqlalchemy",
    "AsyncConnection": "sqlalchemy.ext.asyncio",
}
INJECTED = tuple(_KINDS)
"""The names of the classes whose parameters are injected."""

_TEXT = re.compile(
    r"(?:(?:typing\.|t\.)?(?:Optional|Annotated)\[|None\s*\|\s*)*"
    rf"(?:\w+\.)*(?P<name>{'|'.join(INJECTED)})\s*(?:[,|\]].*)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Injection:
    """What can be injected; sessions and connections are made when a call begins that wants them.

    Attributes:
        session, async_session: called with the class, if a subclass is annotated (SQLModel's).
        actor: None if the operation has none.
    """

    session: Callable[..., Session]
    async_session: Callable[..., AsyncSession]
    connection: Callable[[], Connection]
    async_connection: Callable[[], AsyncConnection]
    actor: Actor | None = None


@dataclass(frozen=True, slots=True)
class Injected:
    """Stands for a value until the call begins.

    Attributes:
        subclass: what a session is made of, if not of SQLAlchemy's own class.
    """

    kind: Kind
    subclass: type | None = None

    def made_by(self, injection: Injection) -> Any:
        """The value itself."""
        if self.kind == "actor":
            return injection.actor
        make = getattr(injection, self.kind)
        return make() if self.subclass is None else make(self.subclass)


def injected(annotation: Any) -> Injected | None:
    """What a parameter so annotated gets; of a union, the first that there is.

    A string is one that could not be resolved: there the name alone must do.
    """
    if isinstance(annotation, str):
        match = _TEXT.fullmatch(annotation.strip())
        return Injected(_KINDS[match["name"]]) if match else None
    found = (_injected(each) for each in alternatives(annotation) if isinstance(each, type))
    return next((each for each in found if each), None)


def accepts_none(annotation: Any) -> bool:
    """Whether None is among what an annotation allows."""
    if isinstance(annotation, str):
        return re.search(r"\bNone\b|\bOptional\b", annotation) is not None
    return any(each is NoneType for each in alternatives(annotation))


def _injected(annotated: type) -> Injected | None:
    if annotated is Actor:
        return Injected("actor")
    for name, module in _SQLALCHEMY.items():
        original = getattr(sys.modules.get(module), name, None)
        if annotated is original:
            return Injected(_KINDS[name])
        # Other subclasses could not be made: a Connection is what an engine gives.
        if original and name in _SESSIONS and issubclass(annotated, original):
            return Injected(_KINDS[name], annotated)
    return None
