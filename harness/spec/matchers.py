"""Expected values: plain data as YAML has it, with matchers anywhere inside."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    StrictStr,
    Tag,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import TypeAliasType

from harness.spec.model import Model, refuse

_TYPES = (
    "int float number text bool uuid timestamp timestamptz date time interval json array bytes null"
)

PLACEHOLDER = "???"
"""Stands for an expectation that `--harness-update` is to write."""

# Tags appear in the location of validation errors; no key of a mapping looks like this.
_TAGS = ("<matcher>", "<mapping>", "<list>", "<scalar>")


def _kind(value: Any) -> str:
    matcher, mapping, sequence, scalar = _TAGS
    if isinstance(value, Matcher):
        return matcher
    if isinstance(value, dict):
        return matcher if value and all(map(_is_operator, value)) else mapping
    return sequence if isinstance(value, (list, tuple)) else scalar


def _is_operator(key: object) -> bool:
    return isinstance(key, str) and key.startswith("$") and not key.startswith("$$")


def _plain_mapping(mapping: dict[str, Any]) -> dict[str, Any]:
    """The mapping with `$$` unescaped; one that is half a matcher is refused."""
    for key in mapping:
        if _is_operator(key):
            plain = next(other for other in mapping if not _is_operator(other))
            refuse(
                f"{key!r} and {plain!r} cannot stand in one mapping: it is a matcher or plain data",
                key,
                hint=f"to mean the key {key!r} itself, write it as '${key}'",
            )
    if any(key.startswith("$$") for key in mapping):
        return {
            key.removeprefix("$") if key.startswith("$$") else key: value
            for key, value in mapping.items()
        }
    return mapping


def _not_null(value: Any) -> Any:
    if value is None:
        refuse(
            "a comparison never holds for null",
            hint="for NULL write null or {$null: true}, for the rest {$null: false}",
        )
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        refuse(f"a number is expected, not {value!r}")
    return value


def _count(value: Any) -> Any:
    """A number of things: not negative, or a matcher or a template that says it later."""
    if isinstance(value, Matcher):
        if all(_holds_for_counts(name, bound) for name, bound in value.operators.items()):
            refuse("every number of things satisfies this: it could never fail")
        return value
    if isinstance(value, str) and "{{" in value:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        shown = repr(value) if isinstance(value, str) else str(value).lower()
        refuse(f"a whole number or a matcher is expected, not {shown}")
    if value < 0:
        refuse(f"a number of things cannot be negative: {value}")
    return value


def _holds_for_counts(operator: str, argument: Any) -> bool:
    """Whether an operator holds for every number from zero on."""
    is_number = isinstance(argument, (int, float, Decimal)) and not isinstance(argument, bool)
    if operator in ("$gte", "$gt", "$ne") and is_number:
        return argument < 0 or (operator == "$gte" and argument == 0)
    return operator == "$any" or (operator == "$null" and argument is False)


def _stage(value: Any) -> str:
    return "<template>" if isinstance(value, str) and "{{" in value else "<value>"


Content = TypeVar("Content")
OrTemplate = Annotated[
    Annotated[Content, Tag("<value>")] | Annotated[StrictStr, Tag("<template>")],
    Discriminator(_stage),
]
"""A value, or a string with a template that gives it when the spec runs."""

Number = Annotated[Any, BeforeValidator(_number), WithJsonSchema({"type": "number"})]

if TYPE_CHECKING:
    Expected = Any  # mypy knows no recursive alias with metadata
else:
    Expected = TypeAliasType(
        "Expected",
        Annotated[
            Annotated["Matcher", Tag(_TAGS[0])]
            | Annotated[dict[StrictStr, "Expected"], AfterValidator(_plain_mapping), Tag(_TAGS[1])]
            | Annotated[list["Expected"], Tag(_TAGS[2])]
            | Annotated[Any, Tag(_TAGS[3])],
            Discriminator(_kind),
        ],
    )
"""A plain scalar, a mapping or list of expected values, or a `Matcher`."""


# Aliases with a name: `schema.json` defines each of them once.
Comparable = TypeAliasType("Comparable", Annotated[Expected, AfterValidator(_not_null)])
Count = TypeAliasType("Count", Annotated[Expected, AfterValidator(_count)])
"""How many: a whole number, a matcher of one, or a template."""


def _type_name(value: Any) -> Any:
    return "null" if value is None else value  # YAML reads the name of this type as the value


def _approximation(value: Any) -> Any:
    return value if isinstance(value, dict) else {"value": value}


class Approximation(Model):
    """A number and how far from it the value may be."""

    value: OrTemplate[Number] = Field(description="The number that the value should be near.")
    abs: OrTemplate[Number] | None = Field(None, description="Largest absolute distance.")
    rel: OrTemplate[Number] | None = Field(
        None, description="Largest distance as a share of `value`."
    )


class Matcher(Model):
    """A mapping whose keys all begin with `$`: all of them must hold for the value."""

    open_to_extensions = False  # a key without $ makes it plain data
    nullable = frozenset(
        {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$not", "$each", "$contains", "$type"}
    )  # each says more than "no value"

    any: Literal[True] = Field(True, alias="$any", description="Holds for anything, NULL too.")
    null: StrictBool = Field(
        True, alias="$null", description="`true`: is NULL; `false`: is not NULL."
    )
    absent: Literal[True] = Field(
        True,
        alias="$absent",
        description="The key is not there (in mappings; never a column or an attribute).",
    )
    eq: Comparable = Field(None, alias="$eq", description="Equals; never holds for NULL.")
    ne: Comparable = Field(None, alias="$ne", description="Differs; never holds for NULL.")
    gt: Comparable = Field(None, alias="$gt", description="Is greater.")
    gte: Comparable = Field(None, alias="$gte", description="Is greater or equal.")
    lt: Comparable = Field(None, alias="$lt", description="Is less.")
    lte: Comparable = Field(None, alias="$lte", description="Is less or equal.")
    between: OrTemplate[Annotated[list[Comparable], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list, alias="$between", description="`[a, b]`: is at least a and at most b."
    )
    in_: OrTemplate[Annotated[list[Comparable], Field(min_length=1)]] = Field(
        default_factory=list, alias="$in", description="Equals one of the list."
    )
    approx: Annotated[Approximation | None, BeforeValidator(_approximation)] = Field(
        None,
        alias="$approx",
        description="Is near: a number, or `{value, abs, rel}`; by itself within one millionth.",
    )
    regex: StrictStr = Field(
        "", alias="$regex", description="Is text in which the pattern is found (`re.search`)."
    )
    type: Annotated[StrictStr, BeforeValidator(_type_name)] = Field(
        "",
        alias="$type",
        description=f"Is of this type: `{_TYPES}`, or a PostgreSQL type name.",
        examples=_TYPES.split(),
    )
    len: Count = Field(
        0,
        alias="$len",
        description="The length of the text, list or mapping: a number or a matcher.",
    )
    contains: Expected = Field(
        "",
        alias="$contains",
        description="Text holds the substring; a list the element or elements; a mapping the keys.",
    )
    unordered: OrTemplate[list[Expected]] = Field(
        default_factory=list, alias="$unordered", description="The list's elements in any order."
    )
    each: Expected = Field(
        None, alias="$each", description="Every element matches; fails on an empty list."
    )
    partial: Expected = Field(
        {},
        alias="$partial",
        description="The mapping has these keys, and maybe others; applies at every depth.",
    )
    now: OrTemplate[Number] = Field(
        5,
        alias="$now",
        description="Is a timestamp within so many seconds of the transaction's start.",
    )
    same: StrictStr = Field(
        "", alias="$same", description="Equals every other value marked with this name in the spec."
    )
    not_: Expected = Field(
        None, alias="$not", description="The inner expectation does not hold; never holds for NULL."
    )
    all: Annotated[list[Expected], Field(min_length=1)] = Field(
        default_factory=list, alias="$all", description="All of them hold."
    )
    one_of: Annotated[list[Expected], Field(min_length=1)] = Field(
        default_factory=list, alias="$one_of", description="At least one of them holds."
    )

    @property
    def operators(self) -> dict[str, Any]:
        """The operators written, `$name` → argument, in the order of the format's table."""
        given = self.model_fields_set
        return {
            str(field.alias): getattr(self, name)
            for name, field in Matcher.model_fields.items()
            if name in given
        }

    @model_validator(mode="after")
    def _can_hold_and_fail(self) -> Self:
        if self.given("absent") and len(self.model_fields_set) > 1:
            refuse("$absent stands alone: a key that is not there has no value", "$absent")
        for name, operator in (
            ("contains", "$contains"),
            ("partial", "$partial"),
            ("regex", "$regex"),
        ):
            argument = getattr(self, name)
            if self.given(name) and argument in ("", [], {}):
                refuse(f"an empty {operator} holds for everything", operator)
        return self._well_formed()

    def _well_formed(self) -> Self:
        if self.given("regex") and "{{" not in self.regex:
            try:
                re.compile(self.regex)
            except re.error as error:
                refuse(f"the pattern is not a regular expression: {error}", "$regex")
        return self


Matcher.model_rebuild()
