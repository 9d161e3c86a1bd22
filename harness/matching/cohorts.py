"""Values of one kind at their places in a list or column, so that each is read only once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from typing import Any

from harness.matching.casts import RememberedCasts
from harness.matching.keys import key_of
from harness.matching.pairing import set_of
from harness.matching.values import (
    Fields,
    Items,
    Scalar,
    Value,
    count_of,
    is_null,
    length_of,
    value_key,
)

_FEW = 8
"""A set of so few places is made anew each time: kept for every value, they would fill memory."""


class Cohort:
    """Values that are alike: scalars of one type, in json of one kind; lists; mappings; NULLs.

    Attributes:
        members: the values, each with its place.
    """

    def __init__(self, members: Sequence[tuple[int, Value]]) -> None:
        self.members = members
        self._sets: dict[Hashable, int] = {}
        self._is_noted = False

    @property
    def sample(self) -> Value:
        """One of them, for what does not depend on which."""
        return self.members[0][1]

    @cached_property
    def places(self) -> int:
        """The set of their places."""
        return set_of(place for place, _ in self.members)

    @cached_property
    def texts(self) -> list[tuple[int, str]]:
        """Of scalars: each text, without the blanks that pad `character`, with its place."""
        return [(place, str(value_key(value))) for place, value in self._scalars]

    @cached_property
    def ranked(self) -> tuple[list[tuple[int, Any]], int]:
        """Of scalars: what each is ordered by, with its place; and the places of those without."""
        ranks = [(place, value.family.rank(value_key(value))) for place, value in self._scalars]
        unranked = set_of(place for place, rank in ranks if rank is None)
        return [pair for pair in ranks if pair[1] is not None], unranked

    @cached_property
    def keyed(self) -> list[tuple[int, Hashable]]:
        """Of scalars: the key of each, with its place."""
        return [(place, value_key(value)) for place, value in self._scalars]

    @cached_property
    def distinct(self) -> list[tuple[Value, int]]:
        """Values that are not the same to the letter, each with the set of its places."""
        if not isinstance(self.sample, Scalar):
            return [(value, 1 << place) for place, value in self.members]
        grouped: dict[str | None, list[int]] = {}
        first: dict[str | None, Value] = {}
        for place, value in self._scalars:
            grouped.setdefault(value.text, []).append(place)
            first.setdefault(value.text, value)
        return [(first[text], set_of(places)) for text, places in grouped.items()]

    @cached_property
    def sizes(self) -> dict[int, int]:
        """Of lists, and of named tuples: the places of those of each length."""
        grouped: dict[int, list[int]] = {}
        for place, value in self.members:
            listed = value.positions if isinstance(value, Fields) else value
            if isinstance(listed, Items):
                grouped.setdefault(len(listed.items), []).append(place)
        return {size: set_of(places) for size, places in grouped.items()}

    @cached_property
    def outlines(self) -> dict[frozenset[str], int]:
        """Of mappings: the places of those that have the same keys."""
        grouped: dict[frozenset[str], list[int]] = {}
        for place, value in self.members:
            if isinstance(value, Fields):
                grouped.setdefault(frozenset(value.fields), []).append(place)
        return {names: set_of(places) for names, places in grouped.items()}

    @cached_property
    def lengths(self) -> Cohort | None:
        """The length of each as a number, if all have one."""
        lengths = [(place, length_of(value)) for place, value in self.members]
        numbers = [(place, count_of(length)) for place, length in lengths if length is not None]
        return Cohort(numbers) if len(numbers) == len(lengths) else None

    def with_key(self, key: Hashable) -> int:
        """The places of the values that have a key."""
        if key in self._sets:
            return self._sets[key]
        places = self._keys.get(key, ())
        if len(places) <= _FEW:
            return set_of(places)
        return self._sets.setdefault(key, set_of(places))

    def note_printed(self, casts: RememberedCasts) -> None:
        """Spare PostgreSQL the questions that it has answered by printing these texts."""
        if self._is_noted:
            return
        self._is_noted = True
        for _, value in self._scalars:
            if value.text is not None and value.family.asks:
                casts.printed(value.text, value.type)

    @cached_property
    def _keys(self) -> dict[Hashable, list[int]]:
        places: dict[Hashable, list[int]] = {}
        for place, value in self.members:
            key = value_key(value) if isinstance(value, Scalar) else key_of(value)
            places.setdefault(key, []).append(place)
        return places

    @property
    def _scalars(self) -> Iterator[tuple[int, Scalar]]:
        return ((place, each) for place, each in self.members if isinstance(each, Scalar))


def cohorts(values: Sequence[Value | None]) -> list[Cohort]:
    """The values by kind; their places are their indexes, and those that are None have none."""
    grouped: dict[Hashable, list[tuple[int, Value]]] = {}
    for place, value in enumerate(values):
        if value is not None:
            grouped.setdefault(_kind(value), []).append((place, value))
    return [Cohort(each) for each in grouped.values()]


def _kind(value: Value) -> Hashable:
    if is_null(value):
        return None
    if isinstance(value, Scalar):
        return value.type, id(value.family)
    return type(value), value.type
