"""A file of specs: suites, single specs and shared parts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SkipValidation,
    StrictStr,
    WithJsonSchema,
    model_validator,
)

from harness.errors import did_you_mean
from harness.scalars import written
from harness.spec.actors import Actor, ActorRef
from harness.spec.matchers import Number
from harness.spec.model import Model, Name, refuse, without_extensions
from harness.spec.operations import Operation, VariableName
from harness.spec.seeds import Seed
from harness.spec.state import StateExpectation

_PYTEST_MARKS = frozenset(
    {"skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"}
)


def _spec_name(name: str) -> str:
    if "::" in name or not name.isprintable():
        refuse("a name holds neither '::' nor control characters: pytest's ids could not say it")
    return name


def _tag(tag: str) -> str:
    if tag in _PYTEST_MARKS:
        refuse(f"{tag!r} is a mark of pytest's own, and does nothing as a tag", hint="use the key")
    if not re.fullmatch(r"[\w.+-]+", tag) or tag in ("and", "or", "not"):
        refuse(f"{tag!r} cannot be selected with -m", hint="use letters, digits, _ and -")
    return tag


def _versions(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        refuse(f"{text!r} is no version specifier", hint='e.g. ">=17"')
    return text


def _timeout(value: Any) -> Any:
    if not value >= 0:
        refuse("seconds cannot be negative", hint="0 is no limit")
    return float(value)


SpecName = Annotated[Name, AfterValidator(_spec_name)]
Tags = list[Annotated[StrictStr, AfterValidator(_tag)]]


def _reason(value: Any) -> Any:
    if isinstance(value, str) and value.strip().lower() in (
        "",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
    ):
        refuse(f"the text {value!r} is no reason", hint="write true, false or a sentence")
    if isinstance(value, str) and "{{" in value:
        refuse("a template cannot decide here", hint="with `cases`, one over `case` can")
    if not isinstance(value, (bool, str)):
        refuse(f"true, false or the reason is expected, not {value!r}")
    return value


Reason = Annotated[bool | Annotated[str, Field(min_length=1)], BeforeValidator(_reason)]
Timeout = Annotated[
    Number, AfterValidator(_timeout), WithJsonSchema({"type": "number", "minimum": 0})
]


class Requirements(Model):
    """What a spec needs in order to run; without it, it is skipped with the reason."""

    backend: Literal["pglite", "postgres"] | None = Field(
        None, description="`pglite`, or `postgres` for a native server."
    )
    postgres: Annotated[StrictStr, AfterValidator(_versions)] | None = Field(
        None, description='Version of PostgreSQL, e.g. ">=17".'
    )
    extensions: list[StrictStr] = Field(
        default_factory=list, description="Extensions that the database has."
    )
    python: list[StrictStr] = Field(
        default_factory=list, description="Python modules that can be imported."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            refuse("an empty `requires` requires nothing", hint="remove it")
        return self


class Part(Model):
    """A shared part: what `use` can bring into suites and specs."""

    use: list[StrictStr] = Field(
        default_factory=list, description="Shared parts, relative to this file."
    )
    vars: dict[VariableName, Any] = Field(
        default_factory=dict, description="Variables for templates."
    )
    actors: Annotated[dict[StrictStr, Actor], BeforeValidator(without_extensions)] = Field(
        default_factory=dict, description="Actors by name."
    )
    seed: Seed = Field((), description="Rows by table, inserted before the operations.")


class Defaults(Part):
    """What suites and specs have in common: a suite gives it to each of its specs.

    A spec takes what its suite says back with null, and skips with false.
    """

    nullable = frozenset({"as", "skip", "timeout", "requires", "isolation"})

    description: StrictStr | None = Field(None, description="What this is about.")
    tags: Tags = Field(default_factory=list, description="Marks for pytest's -m.")
    as_: ActorRef = Field(None, alias="as", description="The actor of every operation.")
    timeout: Timeout | None = Field(None, description="Seconds for a whole spec; 0 is no limit.")
    skip: Reason | None = Field(
        None, description="Do not run: true or the reason; false takes back a suite's."
    )
    requires: Requirements | None = Field(None, description="What must be there to run.")
    isolation: Literal["rollback", "database"] | None = Field(
        None, description="`database`: a database of its own, where it may commit."
    )


class Spec(Defaults):
    """One test: seed rows, operations, expectations."""

    name: SpecName | None = Field(None, description="Names the item; required in a suite.")
    xfail: Reason | None = Field(None, description="Must fail: true or the reason.")
    cases: Annotated[list[dict[StrictStr, Any]], Field(min_length=1)] | None = Field(
        None, description="One item for each mapping; `id` names it, the rest is `case`."
    )
    matrix: (
        Annotated[dict[StrictStr, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]
        | None
    ) = Field(None, description="One item for each combination of the lists' values.")
    sessions: list[StrictStr] = Field(
        default_factory=list, description="Names of connections of their own."
    )
    operations: Annotated[list[Operation], Field(min_length=1)] = Field(
        description="What is done, in order."
    )
    expect: StateExpectation | None = Field(None, description="The state after the last operation.")


class Suite(Defaults):
    """A file of specs."""

    name: SpecName | None = Field(None, description="Defaults to the file's stem.")
    # Each spec is validated by itself, after its cases are expanded.
    specs: Annotated[list[SkipValidation[Spec]], Field(min_length=1)] = Field(
        description="The specs, in order."
    )


_OWN = frozenset({"name", "description", "use", "specs"})
"""What a layer has for itself."""


def merged(spec: Spec, layers: Sequence[Part]) -> Spec:
    """The spec with every default in it: its own value wins, then that of a later layer.

    Args:
        spec: as written.
        layers: shared parts, and behind them the suite if there is one.
    """
    layers = [layer for layer in layers if layer.model_fields_set - _OWN]
    if not layers:
        return spec
    every = (*layers, spec)
    update: dict[str, Any] = {
        "vars": {name: value for layer in every for name, value in layer.vars.items()},
        "actors": {name: actor for layer in every for name, actor in layer.actors.items()},
        "seed": tuple(table for layer in every for table in layer.seed),
    }
    for suite in layers:
        if isinstance(suite, Suite):
            update["tags"] = list(dict.fromkeys((*suite.tags, *spec.tags)))
            for field in ("as_", "timeout", "skip", "requires", "isolation"):
                if not spec.given(field) and suite.given(field):
                    update[field] = getattr(suite, field)
    return spec.model_copy(update=update)


def case_id(values: dict[str, Any]) -> str:
    """How a case without `id` is called: by its values, joined by `-`."""
    return "-".join(map(_value_id, values.values()))


def _value_id(value: Any) -> str:
    if isinstance(value, str):
        return value if value.isprintable() else value.encode("unicode_escape").decode("ascii")
    if isinstance(value, Decimal):
        return written(value)
    return json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False)


def unknown_actor(spec: Spec, reference: ActorRef) -> str | None:
    """The hint for a reference to an actor that the spec does not have, or None if it has."""
    if not isinstance(reference, str) or reference in spec.actors:
        return None
    return did_you_mean(reference, spec.actors) or "no actor is defined"
