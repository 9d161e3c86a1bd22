"""Which of many values satisfy an expectation: judged a column at a time, not value by value.

Every answer is the one that `match` would give for each value by itself. What is common and would
be slow so is done for a whole cohort at once; for the rest `match` is asked of each distinct value.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from harness.matching.casts import IncomparableError, OtherKindError
from harness.matching.cohorts import Cohort, cohorts
from harness.matching.comparer import Comparer
from harness.matching.expected import allows_absence, signature
from harness.matching.failure import Failure
from harness.matching.keys import is_decisive, is_plain, key_of_expected
from harness.matching.pairing import members
from harness.matching.plain import plain
from harness.matching.scalars import expected_key
from harness.matching.strainers import DECIDERS, MONOTONE, STRAINERS, Sifted
from harness.matching.typenames import SET
from harness.matching.values import Fields, Items, Scalar, Unreadable, Value, is_null
from harness.results import Step
from harness.spec.marks import same_names
from harness.spec.matchers import Matcher

_FEW = 8
"""So few values are judged one by one: that is quicker than to set up a column."""


class Sieve:
    """Values at their places, to be held against many expectations; None where there is none.

    A name that `$same` has not marked yet holds for every value, as each could become its mark.

    Attributes:
        values: by place.
        comparer: what judges a single value.
    """

    def __init__(self, values: Sequence[Value | None], comparer: Comparer, *, marked: bool) -> None:
        self.comparer = comparer
        self.values = values
        self._marked = marked  # whether there are names of `$same` in the expectations at all
        self._cohorts = cohorts(values)
        self._parts: dict[Step, Sieve] = {}
        self._known: dict[Hashable, Sifted] = {}
        self._kept: list[Any] = []  # expectations, whose ids may be in the keys of what is known

    def candidates(self, expected: Any, *, asking: bool) -> int:
        """The places of the values that satisfy an expectation.

        `asking`: without, those are left out that PostgreSQL alone knows to be equal.
        """
        try:
            if isinstance(expected, dict) and self._holds_rows:
                return self._rows(expected, asking)
            if self._has_key(expected) and not self.comparer.partial:
                return self._equal(expected, asking)
            return self.sift(expected, partial=self.comparer.partial).holds
        except RecursionError:  # nested too deeply to be compared
            return 0

    def agreeing(self, name: str, expected: Any) -> int:
        """The places of the rows whose cell of this name satisfies an expectation."""
        row = {name: expected}
        try:
            return self._rows(row, asking=False)
        except RecursionError:
            return 0

    def sift(self, expected: Any, *, partial: bool) -> Sifted:
        """The places of the values for which an expectation holds, or has no meaning."""
        sifted = Sifted()
        for cohort in self._cohorts:
            sifted |= self.within(cohort, expected, partial=partial)
        return sifted

    def within(self, cohort: Cohort, expected: Any, *, partial: bool) -> Sifted:
        """As `sift`, of one cohort of the values."""
        if isinstance(cohort.sample, Unreadable):
            return Sifted(senseless=cohort.places)
        key = (id(cohort), signature(expected), self._marks_in(expected), partial)
        if key not in self._known:
            self._kept.append(expected)
            self._known[key] = self._judged(cohort, expected, partial=partial)
        return self._known[key]

    def part(self, step: Step) -> Sieve:
        """The values at one key of the mappings, or at one index of the lists."""
        if step not in self._parts:
            parts = [_part(value, step) for value in self.values]
            self._parts[step] = Sieve(parts, self.comparer, marked=self._marked)
        return self._parts[step]

    # -- rows

    @property
    def _holds_rows(self) -> bool:
        return all(isinstance(each.sample, Fields) and each.sample.open for each in self._cohorts)

    def _rows(self, expected: dict[str, Any], asking: bool) -> int:
        """The rows that satisfy an expectation by column; plain cells narrow them down first."""
        found = self._present
        rest = {}
        for name, item in expected.items():
            part = self.part(name)
            if part._has_key(item) and not self.comparer.partial:
                found &= part._equal(item, asking)
            else:
                rest[name] = item
        if not expected or not found or not rest:
            return found if expected else 0
        if found.bit_count() <= _FEW and not self._unmarked(rest):
            return self._one_by_one(rest, found)
        for name, item in rest.items():
            found &= self.part(name).sift(item, partial=self.comparer.partial).holds
        return found

    def _one_by_one(self, expected: dict[str, Any], places: int) -> int:
        found = places
        with self.comparer.marks.fixed():
            for place in members(places):
                row = self.values[place]
                assert isinstance(row, Fields)
                if any(self.comparer.field(name, item, row) for name, item in expected.items()):
                    found ^= 1 << place
        return found

    # -- plain expectations

    def _has_key(self, expected: Any) -> bool:
        return all(is_plain(expected, each.sample.type) for each in self._cohorts)

    def _equal(self, expected: Any, asking: bool) -> int:
        """The places of the values that equal a plain expectation."""
        found = 0
        for cohort in self._cohorts:
            if isinstance(cohort.sample, Scalar):
                found |= self._scalars(cohort, expected, asking).holds
            else:
                found |= self._structures(cohort, expected, asking)
        return found

    def _scalars(self, cohort: Cohort, expected: Any, asking: bool = True) -> Sifted:
        sample = cohort.sample
        assert isinstance(sample, Scalar)
        if expected is None or is_null(sample):
            return Sifted(cohort.places if expected is None and is_null(sample) else 0)
        cohort.note_printed(self.comparer.casts)
        try:
            equal = cohort.with_key(expected_key(expected, sample, self.comparer.casts))
        except OtherKindError:
            return Sifted()
        except IncomparableError:
            return Sifted(senseless=cohort.places)
        if sample.family.equates and asking:
            others = self._each(cohort, ~equal, lambda each: self.comparer.match(expected, each))
            return Sifted(equal) | others
        return Sifted(equal)

    def _structures(self, cohort: Cohort, expected: Any, asking: bool) -> int:
        sample, expected = cohort.sample, plain(expected)
        if not isinstance(expected, list if isinstance(sample, Items) else dict):
            return 0
        try:
            key = key_of_expected(expected, sample.type, self.comparer.casts)
        except IncomparableError:  # perhaps of one part that no value has
            return self._judged(cohort, expected, partial=False).holds
        equal = cohort.with_key(key)
        if not asking or is_decisive(sample.type):
            return equal
        others = self._each(cohort, ~equal, lambda each: self.comparer.match(expected, each))
        return equal | others.holds

    # -- any expectation, one cohort at a time

    def _judged(self, cohort: Cohort, expected: Any, *, partial: bool) -> Sifted:
        if isinstance(expected, Matcher):
            sifted = Sifted(cohort.places)
            for name, argument in self.comparer.operators_of(expected).items():
                sifted &= self._operator(cohort, name, argument, partial)
            return sifted
        expected = plain(expected)
        match cohort.sample:
            case Scalar():
                return self._scalars(cohort, expected)
            case Items(type=type) | Fields(type=type, positions=Items()) if (
                isinstance(expected, list) and type != SET
            ):
                return self._lists(cohort, expected, partial)
            case Fields(open=is_open) if isinstance(expected, dict) and (expected or not is_open):
                return self.mappings(cohort, expected, partial=partial)
            case Items(text=str()) if isinstance(expected, str):
                return self._each(cohort, ~0, lambda each: self.comparer.match(expected, each))
        return self._alike(cohort, self.comparer.match(expected, cohort.sample))

    def _operator(self, cohort: Cohort, name: str, argument: Any, partial: bool) -> Sifted:
        def judge(value: Value) -> Failure | None:
            comparer = self.comparer.partially() if partial else self.comparer
            return comparer.judge(name, argument, value)

        sifted: Sifted | None = None
        if is_null(cohort.sample):
            pass
        elif name not in MONOTONE and self._unmarked(argument, name):
            sifted = Sifted(cohort.places)
        elif name in DECIDERS:
            sifted = DECIDERS[name](argument, cohort, self, partial)
        elif name in STRAINERS:
            sifted = STRAINERS[name](argument, cohort, self.comparer.casts)
        if sifted is None:
            return self._each(cohort, ~0, judge)
        return sifted | self._each(cohort, sifted.undecided, judge)

    def _lists(self, cohort: Cohort, expected: list[Any], partial: bool) -> Sifted:
        places = cohort.sizes.get(len(expected), 0)
        sifted = Sifted(places)
        for index, item in enumerate(expected):
            sifted &= self.part(index).sift(item, partial=partial)
        return sifted.among(places)

    def mappings(self, cohort: Cohort, expected: dict[str, Any], *, partial: bool) -> Sifted:
        """As `within`, of mappings, rows or objects that are expected to have these parts."""
        sample = cohort.sample
        assert isinstance(sample, Fields)
        sifted = Sifted(cohort.places)
        for name, item in expected.items():
            part = self.part(name)
            absent = cohort.places & ~part._present
            if allows_absence(item) and not sample.open:
                sifted &= part.sift(item, partial=partial) | Sifted(absent)
            else:
                nothing = Sifted(senseless=absent if sample.open else 0)
                sifted &= part.sift(item, partial=partial) | nothing
        if not sample.open and not partial:
            exact = [bits for names, bits in cohort.outlines.items() if names <= expected.keys()]
            sifted &= Sifted(sum(exact))
        return sifted.among(cohort.places)

    def _alike(self, cohort: Cohort, failure: Failure | None) -> Sifted:
        """What holds for one of a cohort, for all of it."""
        if failure is None:
            return Sifted(cohort.places)
        return Sifted(senseless=cohort.places if failure.senseless else 0)

    def _each(
        self, cohort: Cohort, places: int, judge: Callable[[Value], Failure | None]
    ) -> Sifted:
        """The verdict on each distinct value that stands at one of these places."""
        holds = senseless = 0
        if not places:
            return Sifted()
        with self.comparer.marks.fixed():
            for value, where in cohort.distinct:
                if not where & places:
                    continue
                failure = judge(value)
                if failure is None:
                    holds |= where
                elif failure.senseless:
                    senseless |= where
        return Sifted(holds, senseless)

    # -- names of `$same`

    def _marks_in(self, expected: Any) -> Hashable:
        if not self._marked:
            return ()
        return tuple((name, self.comparer.marks.named(name)) for name in same_names(expected))

    def _unmarked(self, expected: Any, name: str = "") -> bool:
        """Whether there is a name in the expectation that nothing is marked with yet."""
        if not self._marked:
            return False
        names = [expected] if name == "$same" else same_names(expected)
        return any(not self.comparer.marks.named(each) for each in names)

    @property
    def _present(self) -> int:
        present = 0
        for cohort in self._cohorts:
            present |= cohort.places
        return present


def _part(value: Value | None, step: Step) -> Value | None:
    if isinstance(value, Fields) and isinstance(step, str):
        return value.fields.get(step)
    if isinstance(value, Fields):
        value = value.positions
    if isinstance(value, Items) and isinstance(step, int) and step < len(value.items):
        return value.items[step]
    return None
