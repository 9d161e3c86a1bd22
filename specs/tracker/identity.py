"""On whose behalf the services work: the claims of a token, and what they must say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specs.tracker.errors import NotAllowed, NotSignedIn

Actor = Mapping[str, Any]
"""Claims: `user_id`, `organization_id`, `role`; empty for somebody who has not signed in."""


def user_of(actor: Actor) -> int:
    return int(_claim(actor, "user_id"))


def organization_of(actor: Actor) -> str:
    return str(_claim(actor, "organization_id"))


def is_admin(actor: Actor) -> bool:
    return actor.get("role") == "admin"


def require_admin(actor: Actor, what: str) -> None:
    """Refuse everybody but admins.

    Raises:
        NotAllowed: the actor is a plain member.
        NotSignedIn: nobody knows who it is.
    """
    user_of(actor)
    if not is_admin(actor):
        raise NotAllowed(f"only an admin may {what}", needs="admin")


def _claim(actor: Actor, name: str) -> Any:
    try:
        return actor[name]
    except KeyError:
        raise NotSignedIn("sign in first") from None
