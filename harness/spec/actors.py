"""Actors: under which identity an operation runs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, StrictBool, StrictStr, Tag

from harness.spec.model import Model


class Actor(Model):
    """An identity; five keys have a meaning to the harness, the rest is the application's."""

    model_config = ConfigDict(extra="allow")
    open_to_extensions = False  # the rest is the application's, whatever it is called

    db_role: StrictStr | None = Field(None, description="Role of PostgreSQL to run under.")
    settings: dict[StrictStr, Any] = Field(
        default_factory=dict, description="Settings of PostgreSQL, e.g. `app.tenant`."
    )
    claims: dict[StrictStr, Any] | None = Field(
        None,
        description="The setting `request.jwt.claims`, as JSON: PostgREST and Supabase read it.",
    )
    headers: dict[StrictStr, Any] = Field(
        default_factory=dict, description="Headers of its `http` requests."
    )
    bypass: StrictBool = Field(
        False, description="`true`: it is meant that row-level security does not bind it."
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
