"""Actors: under which identity an operation runs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, StrictBool, StrictStr, Tag

from harness.spec.model import Model


class Actor(Model):
    """An identity; five keys have a meaning to the harness, the rest is the application's."""

    model_config = ConfigDict(extra="allow")
    open_to_extensions = False  # the rest is the application's, whatever it is called

    db_role: StrictStr | None = Field(None, description="Role to run under (SET LOCAL ROLE).")
    settings: dict[StrictStr, Any] = Field({}, description="Settings, by set_config(..., true).")
    claims: dict[StrictStr, Any] | None = Field(
        None, description="JSON into request.jwt.claims, as PostgREST and Supabase read it."
    )
    headers: dict[StrictStr, Any] = Field({}, description="Headers of `http` requests.")
    bypass: StrictBool = Field(
        False, description="Means that this role may pass row-level security."
    )


def _kind(value: Any) -> str:
    if value is None:
        return "<nobody>"
    return "<actor>" if isinstance(value, (dict, Actor)) else "<name>"


ActorRef = Annotated[
    Annotated[None, Tag("<nobody>")]
    | Annotated[Actor, Tag("<actor>")]
    | Annotated[StrictStr, Tag("<name>")],
    Discriminator(_kind),
]
"""The name of an actor, an actor in place, or null for none."""
