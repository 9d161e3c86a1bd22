"""Which of the expected go with which of the values, so that as many as can be have a counterpart.

Where `$same` has names that nothing is marked with yet, the pairing decides what they mark: one is
searched in which every name means one value. The marks of the pairing that is chosen are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from harness.matching.comparer import Comparer
from harness.matching.marks import Mark, Marks
from harness.matching.pairing import Edges, Partners, members, pair, set_of
from harness.matching.sieve import Sieve
from harness.matching.values import Fields, Items, Scalar, Value
from harness.spec.marks import same_names

MOST_EFFORT = 20_000
"""So much a search costs at most: two or three seconds."""

_MOST_KEPT = 10**9
"""Candidates are kept, and not found anew, where they take no more bits than these."""

Matches = Callable[[int, int], bool]
"""Whether an expected one and a value go together; it marks what `$same` names in them."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """For each of the expected the index of its value, or None.

    Attributes:
        given_up: there might be a pairing with more pairs, but the search for it took too long.
    """

    partners: Partners
    given_up: bool = False


def assign(
    expected: Sequence[Any], values: Sequence[Value], comparer: Comparer, matches: Matches
) -> Assignment:
    """Pair as many as can be.

    Args:
        expected: what is expected, each of one of the values.
        values: the values, each for at most one of the expected.
        comparer: judges single values.
        matches: tells of one expected and one value, by index, whether they match indeed; it is
            asked only where there are names of `$same`.
    """
    names = [same_names(each) for each in expected]
    sieve = Sieve(values, comparer, marked=any(names))
    partners = _paired(expected, sieve)
    if not any(names):
        return Assignment(partners)
    given_up = False
    if None not in partners:
        search = _Search(expected, names, sieve, matches)
        found = search.confirmed(partners) or search.run(coupled=True)
        if found is None and search.refused:
            found = search.run(coupled=False)
        if found is not None:
            return Assignment(found)
        given_up = search.effort > MOST_EFFORT
    return Assignment(_kept(partners, comparer.marks, matches), given_up)


def _paired(expected: Sequence[Any], sieve: Sieve) -> Partners:
    """A maximum pairing; PostgreSQL is asked only where equal texts do not do."""
    partners = pair(len(expected), _edges(expected, sieve, asking=False))
    if None in partners:
        partners = pair(len(expected), _edges(expected, sieve, asking=True), partners)
    return partners


def _edges(expected: Sequence[Any], sieve: Sieve, *, asking: bool) -> Edges:
    known: dict[int, int] = {}
    keeps = len(expected) * len(sieve.values) <= _MOST_KEPT

    def edges(left: int) -> int:
        if left in known:
            return known[left]
        found = sieve.candidates(expected[left], asking=asking)
        return known.setdefault(left, found) if keeps else found

    return edges


def _kept(partners: Partners, marks: Marks, matches: Matches) -> Partners:
    """Of a pairing in which the names may mean several values, the pairs that agree so far."""
    kept = list(partners)
    for left, right in enumerate(partners):
        state = marks.state
        if right is not None and not matches(left, right):
            marks.restore(state)
            kept[left] = None
    return kept


@dataclass(slots=True)
class _Choice:
    """One of the expected, the values that are still to be tried with it, and how to go back."""

    left: int
    untried: int
    state: int
    right: int | None = None


@dataclass
class _Search:
    """Tries pairs for those with names that mark nothing yet, those with fewest choices first.

    What remains is then a matter of an ordinary pairing.

    Attributes:
        effort: what it has cost so far.
        refused: a pairing of all that remained did not stand the test, so that another one might.
    """

    expected: Sequence[Any]
    names: Sequence[Counter[str]]
    sieve: Sieve
    matches: Matches
    effort: int = 0
    refused: bool = False
    _pairs: dict[int, int] = field(default_factory=dict)
    _candidates: dict[tuple[int, tuple[tuple[Mark, ...], ...]], int] = field(default_factory=dict)

    def run(self, *, coupled: bool) -> Partners | None:
        """A pairing of all in which every name means one value, or None; its marks are kept.

        `coupled`: choose only for names that stand more than once; that suffices nearly always.
        """
        total = sum(self.names, Counter())
        shared = {name for name, times in total.items() if times > 1 or not coupled}
        self._pairs = {}
        path: list[_Choice] = []
        while self.effort <= MOST_EFFORT:
            choice = self._choice(shared)
            if choice is not None:
                path.append(choice)
            elif (partners := self._completed()) is not None:
                return partners
            while path and not self._advanced(path[-1]):
                path.pop()
            if not path:
                return None
        if path:
            self.sieve.comparer.marks.restore(path[0].state)
        return None

    def confirmed(self, partners: Partners) -> Partners | None:
        """The pairing, if every name means one value in it; its marks are kept."""
        marks = self.sieve.comparer.marks
        state = marks.state
        for left, right in enumerate(partners):
            if self.names[left] and left not in self._pairs:
                self.effort += 1
                if right is None or not self.matches(left, right):
                    marks.restore(state)
                    return None
        return partners

    def _choice(self, shared: set[str]) -> _Choice | None:
        """Whom to try values with next; None if no name is left that marks nothing."""
        marks, best = self.sieve.comparer.marks, None
        taken = set_of(self._pairs.values())
        for left in self._unpaired:
            self.effort += left % 50 == 0
            untried = self._possible(left) & ~taken
            is_open = any(name in shared and not marks.named(name) for name in self.names[left])
            if not untried or (
                is_open and (best is None or untried.bit_count() < best.untried.bit_count())
            ):
                best = _Choice(left, untried, marks.state)
            if not untried:
                break
        return best

    def _advanced(self, choice: _Choice) -> bool:
        """Go on to the next value that matches, from the one before if there was one."""
        marks = self.sieve.comparer.marks
        marks.restore(choice.state)
        self._pairs.pop(choice.left, None)
        while choice.untried:
            right = next(members(choice.untried))
            choice.untried &= ~self._alike[right]
            self.effort += 1
            if self.matches(choice.left, right):
                self._pairs[choice.left] = right
                return True
            marks.restore(choice.state)
        return False

    def _completed(self) -> Partners | None:
        """The pairs chosen and those of all the others, if all can have one."""
        others = [left for left in range(len(self.expected)) if left not in self._pairs]
        taken = set_of(self._pairs.values())
        self.effort += 1 + len(others) // 10
        rest = pair(len(others), lambda index: self._possible(others[index]) & ~taken)
        partners: Partners = [self._pairs.get(left) for left in range(len(self.expected))]
        for left, right in zip(others, rest, strict=True):
            partners[left] = right
        if None in rest:
            return None
        confirmed = self.confirmed(partners)
        self.refused = self.refused or confirmed is None
        return confirmed

    @cached_property
    def _alike(self) -> list[int]:
        """For each value the places of those that are the same to the letter: one try tells all."""
        try:
            letters = [_letters(value) for value in self.sieve.values]
        except RecursionError:
            return [1 << place for place in range(len(self.sieve.values))]
        places: dict[Hashable, list[int]] = {}
        for place, key in enumerate(letters):
            places.setdefault(key, []).append(place)
        sets = {key: set_of(each) for key, each in places.items()}
        return [sets[key] for key in letters]

    @property
    def _unpaired(self) -> Iterator[int]:
        """Those that have names, and no value yet."""
        return (left for left, names in enumerate(self.names) if names and left not in self._pairs)

    def _possible(self, left: int) -> int:
        """The candidates of one, by what its names mean so far."""
        marks = self.sieve.comparer.marks
        key = (left, tuple(marks.named(name) for name in self.names[left]))
        if key not in self._candidates:
            found = self.sieve.candidates(self.expected[left], asking=True)
            self._candidates[key] = found
        return self._candidates[key]


def _letters(value: Value | None) -> Hashable:
    """All there is to know of a value."""
    match value:
        case Items(items=items):
            return value.type, tuple(map(_letters, items))
        case Fields(noun="attribute"):
            return id(value)  # an expectation may ask more of an object than it tells of itself
        case Fields(fields=fields):
            return value.type, tuple((name, _letters(item)) for name, item in fields.items())
        case Scalar():
            return value.text, value.type, id(value.family)
    return None
