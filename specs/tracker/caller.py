"""How specs reach the services: `issues.create` is that function, for one session and actor.

Of the tracker this module alone knows Harness.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from sqlalchemy.orm import Session

from harness import Actor
from specs.tracker import tokens
from specs.tracker.services import comments, issues, labels, organizations, statistics, votes


class Router:
    """The functions of a module, bound to a session and an actor.

    Asynchronous ones get the actor only: their `AsyncSession` is for Harness to give.
    """

    def __init__(self, module: ModuleType, session: Session, actor: Actor) -> None:
        self._module = module
        self._session = session
        self._actor = actor

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._module, name)
        if inspect.iscoroutinefunction(function):
            return partial(function, actor=self._actor)
        return partial(function, self._session, self._actor)

    def __dir__(self) -> list[str]:
        """The names that a misspelt one may have meant."""
        functions = inspect.getmembers(self._module, inspect.isfunction)
        return [name for name, each in functions if each.__module__ == self._module.__name__]


class Tracker:
    """All routers; what they are called is what specs call them."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self.issues = Router(issues, session, actor)
        self.comments = Router(comments, session, actor)
        self.labels = Router(labels, session, actor)
        self.organizations = Router(organizations, session, actor)
        self.statistics = Router(statistics, session, actor)
        self.votes = Router(votes, session, actor)


def caller(session: Session, actor: Actor) -> Tracker:
    """The tracker as that actor sees it."""
    return Tracker(session, actor)


def token(actor: Actor) -> str:
    """A token by which the application's own dependency knows the actor."""
    return tokens.signed(actor["claims"])
