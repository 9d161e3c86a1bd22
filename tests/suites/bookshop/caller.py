"""How specs reach the functions by dotted names."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from . import books
from .models import Book


class Books:
    """For one session and actor."""

    def __init__(self, session: Session, actor: Any) -> None:
        self._session = session
        self._actor = actor
        self.count = 0

    def add(self, title: str) -> Book:
        return books.add(self._session, title)

    def titles(self) -> list[str]:
        return books.titles(self._session)

    def whoami(self) -> Any:
        return None if self._actor is None else dict(self._actor)

    def seen(self) -> dict[str, Any]:
        return books.seen_by_database(self._session)

    def called(self) -> int:
        """How often this has been called on this object."""
        self.count += 1
        return self.count


def caller(session: Session, actor: Any) -> dict[str, Any]:
    return {"books": Books(session, actor), "nested": {"books": Books(session, actor)}}
