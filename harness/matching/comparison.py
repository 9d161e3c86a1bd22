"""Comparing an expectation, matchers included, with a value: the one recursion through both."""

from __future__ import annotations

from itertools import islice
from typing import Any

from harness.errors import nearest
from harness.matching.casts import (
    IncomparableError,
    OtherKindError,
    RememberedCasts,
    UndecidedError,
)
from harness.matching.elements import uneven
from harness.matching.expected import allows_absence
from harness.matching.failure import Failure, combined, gravest, senseless
from harness.matching.marks import Marks
from harness.matching.operators import OPERATORS
from harness.matching.plain import YAML_SCALARS, plain
from harness.matching.scalars import differs, equality, equated, incomparable, noun_of
from harness.matching.typenames import DYNAMIC, SET
from harness.matching.values import Fields, Items, Scalar, Unreadable, Value, is_null
from harness.spec.matchers import Matcher

_MOST_GUESSES, _MOST_NAMES, _LONGEST_NAME = 20, 1000, 200
"""So many names are guessed from so many that there are: more would take seconds."""

_UNORDERED = "write {$unordered: [...]}"


class Comparison:
    """Says why values do not match.

    Attributes:
        casts: PostgreSQL's judgement, for what Python cannot read.
        partial: mappings may have further keys (`$partial`).
        marks: what `$same` has marked in this spec; without any, it begins with these values.
    """

    def __init__(
        self, casts: RememberedCasts, *, partial: bool = False, marks: Marks | None = None
    ) -> None:
        self.casts = casts
        self.partial = partial
        self.marks = Marks() if marks is None else marks
        self._partially: Comparison | None = self if partial else None
        self._guesses = 0
        # Reading the operators off a model takes longer than judging most of them, and one matcher
        # may be tried on a thousand rows.
        self._operators: dict[int, tuple[Matcher, dict[str, Any]]] = {}

    def partially(self) -> Comparison:
        """The same, content with mappings that have further keys."""
        if self._partially is None:
            self._partially = Comparison(self.casts, partial=True, marks=self.marks)
        return self._partially

    def verdict(self, expected: Any, value: Value) -> Failure | None:
        """As `match`, of a value from outside: it may be nested beyond what can be followed."""
        try:
            return self.match(expected, value)
        except RecursionError:
            return senseless("it is nested too deeply to be compared")

    def match(self, expected: Any, value: Value) -> Failure | None:
        """Why the value does not match, or None when it does."""
        if isinstance(expected, Matcher):
            return gravest(
                self.judge(name, argument, value)
                for name, argument in self.operators_of(expected).items()
            )
        if isinstance(value, Unreadable):
            return senseless(value.reason, hint=value.hint)
        if expected is None or is_null(value):
            return None if expected is None and is_null(value) else differs(expected, value)
        match value:
            case Scalar():
                return equality(expected, value, self.casts)
            case Items():
                return self._items(plain(expected), value)
            case Fields():
                return self._fields(expected, value)

    def operators_of(self, matcher: Matcher) -> dict[str, Any]:
        """The operators of a matcher with their arguments."""
        if id(matcher) not in self._operators:
            self._operators[id(matcher)] = (matcher, matcher.operators)  # kept, so that the id is
        return self._operators[id(matcher)][1]

    def judge(self, name: str, argument: Any, value: Value) -> Failure | None:
        """Why one operator of a matcher does not hold for the value."""
        if isinstance(value, Unreadable):
            return senseless(value.reason, hint=value.hint)
        return OPERATORS[name](argument, value, self)

    def _items(self, expected: Any, value: Items) -> Failure | None:
        if isinstance(expected, str) and value.text is not None:
            return self._array_text(expected, value, value.text)
        if not isinstance(expected, list):
            return _mixed(expected, value)
        if value.type == SET:
            return senseless("a set has no order to compare a list with", hint=_UNORDERED)
        if len(expected) != len(value.items):
            state = self.marks.state
            differences = uneven(expected, value, self.match)
            self.marks.restore(state)  # what stands where is a guess
            return differences
        return combined(
            failure.below(index)
            for index, (item, found) in enumerate(zip(expected, value.items, strict=True))
            if (failure := self.match(item, found))
        )

    def _array_text(self, expected: str, value: Items, text: str) -> Failure | None:
        """An array that is expected as PostgreSQL's text."""
        self.casts.printed(text, value.type)
        try:
            canonical = self.casts.cast(expected, value.type)
            if canonical == text or equated(canonical, value, self.casts):
                return None
        except ValueError as error:
            return incomparable(expected, value, IncomparableError(str(error)))
        except UndecidedError as error:
            return incomparable(expected, value, error)
        return differs(expected, value)

    def _fields(self, expected: Any, value: Fields) -> Failure | None:
        if not isinstance(expected, dict):
            listed = plain(expected)
            if value.positions is not None and isinstance(listed, list):
                return self._items(listed, value.positions)
            return _mixed(expected, value)
        if value.open and not expected:
            return senseless("an empty mapping holds for every row and object")
        failures = [self.field(name, item, value) for name, item in expected.items()]
        if not value.open and not self.partial:
            surplus = [name for name in value.fields if name not in expected]
            failures += [Failure("unexpected key {}", (name,)) for name in surplus]
        return combined(failures)

    def _nearest(self, name: str, value: Fields) -> str | None:
        """The name that was probably meant; not for the thousandth of a thousand that are wrong."""
        self._guesses += 1
        if self._guesses > _MOST_GUESSES or len(name) > _LONGEST_NAME:
            return None
        return nearest(name, islice(value.fields, _MOST_NAMES))

    def field(self, name: str, expected: Any, value: Fields) -> Failure | None:
        """Why the part of this name does not match, or is not there."""
        found = value.fields.get(name)
        if found is not None:
            failure = self.match(expected, found)
            return failure.below(name) if failure else None
        # An optional key may be missing; a column or an attribute is missing by mistake.
        if allows_absence(expected) and not value.open:
            return None
        near = self._nearest(name, value)
        return Failure(
            f"there is no {value.noun} {{}}",
            (name,),
            senseless=value.open,
            hint=f"did you mean {near!r}?" if near else None,
        )


def _mixed(expected: Any, value: Value) -> Failure:
    """The failure of a list or mapping where something else is expected."""
    noun, wanted = noun_of(value), plain(expected)
    reason = f"it cannot be compared with {noun}"
    if isinstance(wanted, str) and wanted.lstrip()[:1] in ("{", "["):  # json, most probably
        hint = f"to compare with {noun}, write it as YAML, without quotes"
        return incomparable(expected, value, IncomparableError(reason, hint))
    other_kind = value.type in DYNAMIC and isinstance(wanted, (*YAML_SCALARS, dict, list))
    error = OtherKindError if other_kind else IncomparableError
    return incomparable(expected, value, error(reason))
