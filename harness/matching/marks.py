"""The values that a spec has marked with `$same`, and when two values are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.matching.casts import RememberedCasts
from harness.matching.families import BOOLEAN, JSON_BOOLEAN, JSON_TEXT, NUMERIC, TEXTUAL
from harness.matching.numbers import number_key
from harness.matching.scalars import equality, equated
from harness.matching.typenames import SET
from harness.matching.values import Fields, Items, Scalar, Value, is_null, value_key
from harness.results import Path


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A value that was the first of its kind to be marked with a name.

    Attributes:
        place: the way to the expectation that marked it, as far as it is known.
    """

    value: Value
    place: Path


class Marks:
    """The marks of one spec, by name; those made while something is only tried can be taken back.

    Attributes:
        place: the way to what is being judged, for the marks that it will make.
        binding: values may be marked; not while something is only asked.
    """

    def __init__(self, *, binding: bool = True) -> None:
        self.place: Path = ()
        self.binding = binding
        self._marks: dict[str, tuple[Mark, ...]] = {}
        self._journal: list[tuple[str, tuple[Mark, ...]]] = []

    def named(self, name: str) -> tuple[Mark, ...]:
        """What is marked with a name so far: for each type of value the first one."""
        return self._marks.get(name, ())

    def add(self, name: str, value: Value) -> None:
        """Mark a value that is the same as all that the name has marked so far."""
        known = self.named(name)
        if any(is_alike(mark.value, value) for mark in known):
            return  # within one type being the same is transitive
        self._journal.append((name, known))
        self._marks[name] = (*known, Mark(value, self.place))

    @property
    def state(self) -> int:
        """What `restore` can come back to."""
        return len(self._journal)

    def restore(self, state: int) -> None:
        """Take back all marks made since."""
        while len(self._journal) > state:
            name, marks = self._journal.pop()
            self._marks[name] = marks

    @contextmanager
    def fixed(self) -> Iterator[None]:
        """Nothing is marked inside the block."""
        before, self.binding = self.binding, False
        try:
            yield
        finally:
            self.binding = before

    @contextmanager
    def at(self, place: Path) -> Iterator[None]:
        """What is marked inside the block is marked at this place."""
        before, self.place = self.place, place
        try:
            yield
        finally:
            self.place = before


def same(one: Value, other: Value, casts: RememberedCasts) -> bool:
    """Whether two values, perhaps of different types, are equal; NULL equals NULL here."""
    if is_null(one) or is_null(other):
        return is_null(one) and is_null(other)
    match one, other:
        case Scalar(), Scalar():
            return _same_scalars(one, other, casts)
        case Items(), Items():
            alike = len(one.items) == len(other.items) and (one.type == SET) == (other.type == SET)
            return alike and all(
                same(*pair, casts) for pair in zip(one.items, other.items, strict=True)
            )
        case Fields(), Fields():
            return one.fields.keys() == other.fields.keys() and all(
                same(item, other.fields[name], casts) for name, item in one.fields.items()
            )
    return False


def _same_scalars(one: Scalar, other: Scalar, casts: RememberedCasts) -> bool:
    if is_alike(one, other):
        equates = one.family.equates
        return value_key(one) == value_key(other) or (equates and equated(one.text, other, casts))
    if (one.family in _BOOLEANS) != (other.family in _BOOLEANS):
        return False  # PostgreSQL would read text such as '1' and 'no' as booleans
    if _is_guess(one, other) or _is_guess(other, one):
        return False
    # A UUID column says what a text in json is as a UUID; the reverse says nothing.
    return not equality(_expected(one), other, casts) or not equality(_expected(other), one, casts)


def _is_guess(text: Scalar, other: Scalar) -> bool:
    """Whether only the reading of a text as the other's type would make the two equal.

    Text in json is no number, and what `now` stands for is no more than the moment of reading.
    """
    if text.family is JSON_TEXT and other.family in NUMERIC:
        return True
    is_read = text.family in TEXTUAL and other.family not in TEXTUAL
    return is_read and _MOVING.search(text.text or "") is not None


def is_alike(one: Value, other: Value) -> bool:
    """Whether both are of one type, and in json of one kind."""
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return one.type == other.type and one.family is other.family
    return type(one) is type(other) and one.type == other.type


def _expected(value: Scalar) -> Any:
    """A value as YAML would have it."""
    if value.family in _BOOLEANS:
        return value.family.read(value.text or "")
    number = number_key(value.text or "") if value.family in NUMERIC else None
    return value.text if number is None else Decimal(number)


_BOOLEANS = (BOOLEAN, JSON_BOOLEAN)
_MOVING = re.compile(r"now|today|tomorrow|yesterday", re.IGNORECASE)
