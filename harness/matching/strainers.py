"""The matchers, each judged for all the values of a cohort at once.

None as an answer says that there is no shorter way than to judge each value by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from harness.matching.casts import IncomparableError, Relation, RememberedCasts
from harness.matching.cohorts import Cohort
from harness.matching.comparer import Comparer
from harness.matching.families import NUMERIC, TEXTUAL
from harness.matching.marks import is_alike
from harness.matching.nearness import is_near, vicinity
from harness.matching.pairing import set_of
from harness.matching.scalars import IN_PYTHON, bound_key
from harness.matching.values import Scalar, value_key
from harness.spec.matchers import Approximation


@dataclass(frozen=True, slots=True)
class Sifted:
    """The places of values for which an expectation holds, and of those where it has no meaning.

    Attributes:
        undecided: the places that are still to be judged one by one.
    """

    holds: int = 0
    senseless: int = 0
    undecided: int = 0

    def __or__(self, other: Sifted) -> Sifted:
        """The verdicts on other values together with these."""
        return Sifted(self.holds | other.holds, self.senseless | other.senseless)

    def __and__(self, other: Sifted) -> Sifted:
        """Where both expectations hold; one without meaning makes the whole so."""
        return Sifted(self.holds & other.holds, self.senseless | other.senseless)

    def among(self, places: int) -> Sifted:
        """The same, of these places alone."""
        return Sifted(self.holds & places, self.senseless & places)


class Sifting(Protocol):
    """What the matchers that hold others need of the sieve that they are part of."""

    comparer: Comparer

    def within(self, cohort: Cohort, expected: Any, *, partial: bool) -> Sifted:
        """The places in the cohort for which an expectation holds, or has no meaning."""
        ...

    def mappings(self, cohort: Cohort, expected: dict[str, Any], *, partial: bool) -> Sifted:
        """The same for mappings that are expected to have these parts."""
        ...


Strainer = Callable[[Any, Cohort, RememberedCasts], Sifted | None]
Decider = Callable[[Any, Cohort, Sifting, bool], Sifted | None]


# -- matchers of a value


def _any(_argument: Any, cohort: Cohort, _casts: RememberedCasts) -> Sifted:
    return Sifted(cohort.places)


def _ordered(relation: Relation) -> Strainer:
    holds = IN_PYTHON[relation]

    def strain(argument: Any, cohort: Cohort, casts: RememberedCasts) -> Sifted | None:
        sample = cohort.sample
        if argument is None or not isinstance(sample, Scalar):
            return Sifted(senseless=cohort.places)
        try:
            bound = sample.family.rank(bound_key(argument, sample, casts))
        except IncomparableError:
            return Sifted(senseless=cohort.places)
        ranked, unranked = cohort.ranked
        if bound is None:
            return None
        found = set_of([place for place, rank in ranked if holds(rank, bound)])
        return Sifted(found, undecided=unranked)

    return strain


_gte, _lte = _ordered(">="), _ordered("<=")


def _between(argument: Any, cohort: Cohort, casts: RememberedCasts) -> Sifted | None:
    if not isinstance(argument, (list, tuple)) or len(argument) != 2:
        return Sifted(senseless=cohort.places)
    low, high = _gte(argument[0], cohort, casts), _lte(argument[1], cohort, casts)
    if low is None or high is None or low.undecided or high.undecided:
        return None
    return low & high


def _approx(argument: Approximation, cohort: Cohort, _casts: RememberedCasts) -> Sifted:
    sample = cohort.sample
    if not isinstance(sample, Scalar) or sample.family not in NUMERIC:
        return Sifted(senseless=cohort.places)
    try:
        wanted, tolerance = vicinity(argument)
    except IncomparableError:
        return Sifted(senseless=cohort.places)
    near = [place for place, key in cohort.keyed if is_near(key, wanted, tolerance)]
    return Sifted(set_of(near))


def _regex(argument: Any, cohort: Cohort, _casts: RememberedCasts) -> Sifted:
    if not _is_textual(cohort) or not isinstance(argument, str) or not argument:
        return Sifted(senseless=cohort.places)
    try:
        search = re.compile(argument).search
    except re.error:
        return Sifted(senseless=cohort.places)
    return Sifted(set_of([place for place, text in cohort.texts if search(text)]))


def _contains(argument: Any, cohort: Cohort, _casts: RememberedCasts) -> Sifted | None:
    if not isinstance(cohort.sample, Scalar):
        return None
    if not _is_textual(cohort) or not isinstance(argument, str) or not argument:
        return Sifted(senseless=cohort.places)
    return Sifted(set_of([place for place, text in cohort.texts if argument in text]))


def _is_textual(cohort: Cohort) -> bool:
    return isinstance(cohort.sample, Scalar) and cohort.sample.family in TEXTUAL


STRAINERS: dict[str, Strainer] = {
    "$any": _any,
    "$gt": _ordered(">"),
    "$gte": _gte,
    "$lt": _ordered("<"),
    "$lte": _lte,
    "$between": _between,
    "$approx": _approx,
    "$regex": _regex,
    "$contains": _contains,
}
"""Of values that are not null."""


# -- matchers of matchers


def _all(argument: Any, cohort: Cohort, sieve: Sifting, partial: bool) -> Sifted:
    sifted = Sifted(cohort.places)
    for item in argument:
        sifted &= sieve.within(cohort, item, partial=partial)
    return sifted


def _one_of(argument: Any, cohort: Cohort, sieve: Sifting, partial: bool) -> Sifted:
    sifted = Sifted()
    for item in argument:
        sifted |= sieve.within(cohort, item, partial=partial)
    return Sifted(sifted.holds, sifted.senseless & ~sifted.holds)


def _in(argument: Any, cohort: Cohort, sieve: Sifting, partial: bool) -> Sifted:
    if not isinstance(argument, (list, tuple)) or not argument or None in argument:
        return Sifted(senseless=cohort.places)
    return _one_of(argument, cohort, sieve, partial)


def _eq(argument: Any, cohort: Cohort, sieve: Sifting, partial: bool) -> Sifted:
    if argument is None:
        return Sifted(senseless=cohort.places)
    return sieve.within(cohort, argument, partial=partial)


def _partial(argument: Any, cohort: Cohort, sieve: Sifting, _partial: bool) -> Sifted | None:
    if not isinstance(argument, (dict, list)) or not argument:
        return None
    return sieve.within(cohort, argument, partial=True)


def _not(argument: Any, cohort: Cohort, sieve: Sifting, partial: bool) -> Sifted:
    inner = sieve.within(cohort, argument, partial=partial)
    return Sifted(cohort.places & ~inner.holds & ~inner.senseless, inner.senseless)


def _ne(argument: Any, cohort: Cohort, sieve: Sifting, partial: bool) -> Sifted:
    if argument is None:
        return Sifted(senseless=cohort.places)
    return _not(argument, cohort, sieve, partial)


def _same(argument: Any, cohort: Cohort, sieve: Sifting, _partial: bool) -> Sifted | None:
    found = cohort.places
    for mark in sieve.comparer.marks.named(argument):
        value, sample = mark.value, cohort.sample
        if not isinstance(value, Scalar) or not is_alike(value, sample) or value.family.equates:
            return None
        found &= cohort.with_key(value_key(value))
    return Sifted(found)


def _len(argument: Any, cohort: Cohort, sieve: Sifting, partial: bool) -> Sifted | None:
    if argument is None or cohort.lengths is None:
        return None
    return sieve.within(cohort.lengths, argument, partial=partial)


DECIDERS: dict[str, Decider] = {
    "$eq": _eq,
    "$ne": _ne,
    "$in": _in,
    "$not": _not,
    "$all": _all,
    "$one_of": _one_of,
    "$partial": _partial,
    "$len": _len,
    "$same": _same,
}
"""Of values that are not null."""

MONOTONE = frozenset({"$eq", "$in", "$all", "$one_of", "$partial"})
"""They hold for more values where their parts do: a name that could be any value stays so."""
