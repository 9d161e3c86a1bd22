"""What came back, as values that expectations are compared with: scalars, lists and mappings."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from harness.matching.arrays import Nested, parse_array
from harness.matching.families import (
    BYTES,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_TEXT,
    LITERAL,
    TEXTUAL,
    Family,
    family_of,
    octets,
)
from harness.matching.typenames import (
    FLOATS,
    INTEGERS,
    JSONS,
    canonical,
    delimiter_of,
    element_of,
    is_array,
)

_LONGEST_INT = 4000  # int() refuses a little more digits than these


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as its type's text output; `text` is None for NULL."""

    text: str | None
    type: str
    family: Family


@dataclass(frozen=True, slots=True)
class Items:
    """A list: an array of the database, with its text, or one inside json."""

    items: tuple[Value, ...]
    type: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that is there and cannot be looked at: nothing holds for it, nor does the opposite.

    Attributes:
        reason: a phrase that says what it is and why, e.g. "Issue.comments is not loaded".
        hint: what to do.
    """

    reason: str
    hint: str | None = None
    type: str = "unreadable"


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping of names to values.

    Attributes:
        positions: of a named tuple, the same values as a list, for expectations that are lists.
        noun: what a name stands for. Keys are compared exactly; of columns (a row) and attributes
            (an object) an expectation names those that it cares about.
    """

    fields: Mapping[str, Value]
    type: str
    noun: Literal["column", "key", "attribute"]
    positions: Items | None = None

    @property
    def open(self) -> bool:
        """Whether an expectation may leave names out."""
        return self.noun != "key"


Value = Scalar | Items | Fields | Unreadable


def is_null(value: Value) -> bool:
    """Whether a value is NULL, or null in json."""
    return isinstance(value, Scalar) and value.text is None


def value_key(value: Scalar) -> Hashable:
    """The key of a value; None for NULL."""
    return None if value.text is None else value.family.read(value.text)


def text_of(value: Value) -> str | None:
    """The text of a value that is text, without the blanks that pad `character`; or None."""
    if not isinstance(value, Scalar) or value.text is None or value.family not in TEXTUAL:
        return None
    return str(value_key(value))


def length_of(value: Value) -> int | None:
    """The length of a list, a mapping, a text (in characters) or bytes; others have none.

    An object has none either, unless it is a named tuple.
    """
    match value:
        case Items(items=parts):
            return len(parts)
        case Fields(noun="attribute", positions=positions):
            return len(positions.items) if positions else None
        case Fields(fields=names):
            return len(names)
        case Scalar(text=str(text)) if value.family is BYTES:
            return octets(text)
    characters = text_of(value)
    return None if characters is None else len(characters)


def value_of(text: str | None, type: str) -> Value:
    """A text of the database as a value; one that has not its type's form is a scalar."""
    return reader_of(type)(text)


def reader_of(type: str) -> Callable[[str | None], Value]:
    """What makes values of the texts of one type."""
    name = canonical(type)
    family = family_of(name)

    def scalar(text: str | None) -> Value:
        return Scalar(text, name, family)

    def structured(text: str | None) -> Value:
        if text is None:
            return Scalar(None, name, family)
        try:
            return of_json(_parsed(text), name) if name in JSONS else _array(text, name)
        except (ValueError, RecursionError):  # no array after all, or nested beyond reason
            return Scalar(text, name, LITERAL)

    return structured if is_structured(name) else scalar


def is_structured(name: str) -> bool:
    """Whether the values of a type, by its canonical name, are more than scalars."""
    return name in JSONS or is_array(name)


def decode(text: str | None, type: str) -> Any:
    """A cell of a result as plain Python data, for templates.

    Numbers, booleans, json (its numbers as int or Decimal) and arrays (as lists) are decoded;
    anything else stays PostgreSQL's text.
    """
    if text is None:
        return None
    name = canonical(type)
    decoder = _DECODERS.get(element_of(name), str)
    try:
        if is_array(name):
            return _each(parse_array(text, delimiter_of(element_of(name))), decoder)
        return decoder(text)
    except (ValueError, RecursionError):
        return text


def count_of(number: int) -> Scalar:
    """A number of things as a value."""
    return Scalar(str(number), "bigint", family_of("bigint"))


def of_json(data: Any, type: str) -> Value:
    """Parsed json, its fractions as Decimal, as a value of that type."""
    match data:
        case dict():
            fields = {name: of_json(item, type) for name, item in data.items()}
            return Fields(fields, type, "key")
        case list():
            return Items(tuple(of_json(item, type) for item in data), type)
        case None:
            return Scalar(None, type, JSON_TEXT)
        case bool():
            return Scalar("true" if data else "false", type, JSON_BOOLEAN)
        case str():
            return Scalar(data, type, JSON_TEXT)
        case _:
            return Scalar(str(data), type, JSON_NUMBER)


def _array(text: str, type: str) -> Items:
    element = element_of(type)
    nested = parse_array(text, delimiter_of(element))
    return Items(tuple(_element(item, type, element) for item in nested), type, text)


def _element(item: Any, type: str, element: str) -> Value:
    if isinstance(item, list):
        return Items(tuple(_element(inner, type, element) for inner in item), type)
    return value_of(item, element)


def _each(nested: Nested, decoder: Callable[[str], Any]) -> Nested:
    return [
        _each(item, decoder) if isinstance(item, list) else item if item is None else decoder(item)
        for item in nested
    ]


def _parsed(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=whole_number)


def whole_number(digits: str) -> int | Decimal:
    """The whole number that is written so, of however many digits."""
    return int(digits) if len(digits) < _LONGEST_INT else Decimal(digits)


def _bool(text: str) -> bool:
    return text in ("t", "true")


_DECODERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(INTEGERS | {"oid"}, int),
    **dict.fromkeys(FLOATS, float),
    **dict.fromkeys(JSONS, _parsed),
    "numeric": Decimal,
    "boolean": _bool,
}
