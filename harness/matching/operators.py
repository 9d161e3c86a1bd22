"""The matchers: for each `$name` one small function that says why a value does not match."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.matching.assignment import assign
from harness.matching.casts import IncomparableError, Relation
from harness.matching.comparer import Comparer
from harness.matching.display import Asked, show
from harness.matching.failure import Failure, dotted, gravest, senseless
from harness.matching.families import NUMERIC
from harness.matching.kinds import type_failure
from harness.matching.marks import same
from harness.matching.moments import lateness, seconds, told
from harness.matching.nearness import is_near, vicinity
from harness.matching.plain import plain
from harness.matching.scalars import in_order, noun_of
from harness.matching.values import (
    Fields,
    Items,
    Scalar,
    Value,
    count_of,
    is_null,
    length_of,
    text_of,
    value_key,
)
from harness.spec.marks import same_names
from harness.spec.matchers import Approximation

Operator = Callable[[Any, Value, Comparer], Failure | None]

_ALONE = "no element (left) for {} in {}"
_EXPLAINED = 20
"""So many elements without a counterpart are looked at for one that could never have one."""

GIVEN_UP = "the names of $same could mean so many values that not all of them were tried"


def _any(_argument: Any, _value: Value, _comparer: Comparer) -> Failure | None:
    return None


def _null(argument: Any, value: Value, _comparer: Comparer) -> Failure | None:
    if is_null(value) == argument:
        return None
    return Failure(
        "null expected, {} found" if argument else "a value expected, {} found", (value,)
    )


def _absent(_argument: Any, value: Value, _comparer: Comparer) -> Failure | None:
    return Failure("it should be absent, {} found", (value,))


def _not(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    unmarked = (name for name in same_names(argument) if not comparer.marks.named(name))
    name = next(unmarked, None)
    if name is not None:
        return _unmarked(name)
    with comparer.marks.fixed():
        failure = comparer.match(argument, value)
    if failure is None:
        return Failure("anything but {} expected, {} found", (argument, value))
    return failure if failure.senseless else None


def _all(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    return gravest([comparer.match(item, value) for item in argument])


def _one_of(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    failures = []
    for item in argument:
        state = comparer.marks.state
        failure = comparer.match(item, value)
        if failure is None:
            return None  # with the marks of this one alone
        comparer.marks.restore(state)
        failures.append(failure)
    worst = gravest(failures)
    if worst and (worst.senseless or len(failures) == 1):
        return worst
    return Failure("one of {} expected, {} found", (argument, value))


def _eq(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    return _against_null(argument) or comparer.match(argument, value)


def _ne(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    return _against_null(argument) or _not(argument, value, comparer)


def _in(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    if not isinstance(argument, (list, tuple)) or not argument:
        return senseless("$in needs a list with elements, not {}", argument)
    return gravest(map(_against_null, argument)) or _one_of(argument, value, comparer)


def _ordered(relation: Relation) -> Operator:
    words = f"{relation} {{}} expected, {{}} found"

    def judge(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
        failure = _against_null(argument)
        if failure or not isinstance(value, Scalar):
            return failure or senseless(f"{noun_of(value)} has no order")
        try:
            holds = in_order(relation, argument, value, comparer.casts)
        except IncomparableError as error:
            return senseless(words, argument, value, because=error.reason, hint=error.hint)
        return None if holds else Failure(words, (argument, value))

    return judge


_gt, _gte, _lt, _lte = _ordered(">"), _ordered(">="), _ordered("<"), _ordered("<=")


def _between(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    if not isinstance(argument, (list, tuple)) or len(argument) != 2:
        return senseless("$between needs two bounds, not {}", argument)
    return gravest([_gte(argument[0], value, comparer), _lte(argument[1], value, comparer)])


def _approx(argument: Approximation, value: Value, _comparer: Comparer) -> Failure | None:
    if not isinstance(value, Scalar) or value.family not in NUMERIC:
        return senseless(f"a number expected, {noun_of(value)} found")
    try:
        wanted, tolerance = vicinity(argument)
    except IncomparableError as error:
        return senseless(f"$approx has no meaning so: {error}")
    if is_near(value_key(value), wanted, tolerance):
        return None
    words = f"about {{}} expected (± {tolerance.normalize():.6g}), {{}} found"
    return Failure(words, (argument.value, value))


def _now(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    try:
        limit, late = seconds(argument), lateness(value, comparer.casts)
    except IncomparableError as error:
        return senseless("$now cannot be judged of {}", value, because=error.reason)
    if late is not None and abs(late) <= limit:
        return None
    words = "a timestamp within {} seconds of the transaction's start expected, {} found"
    return Failure(words, (argument, value), None if late is None else told(late))


def _same(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    if not isinstance(argument, str) or not argument:
        return senseless("$same needs a name, not {}", argument)
    marks = comparer.marks
    known = marks.named(argument)
    if not known and not marks.binding:
        return _unmarked(argument)
    for mark in known:
        if not same(mark.value, value, comparer.casts):
            where = f" at {dotted(mark.place)}" if mark.place else ""
            because = f"{show(argument)} was marked{where}"
            return Failure("{} expected, {} found", (mark.value, value), because)
    if marks.binding:
        marks.add(argument, value)
    return None


def _unmarked(name: str) -> Failure:
    return senseless("nothing is marked {} yet", name, hint="mark a value before it is denied")


def _regex(argument: Any, value: Value, _comparer: Comparer) -> Failure | None:
    text = text_of(value)
    if text is None:
        return senseless(f"text expected, {noun_of(value)} found")
    if not isinstance(argument, str) or not argument:
        return senseless("$regex needs a pattern, not {}", argument)
    try:
        if re.search(argument, text):
            return None
    except re.error as error:
        return senseless("{} is not a regular expression", argument, because=str(error))
    return Failure("text with {} in it expected, {} found", (argument, value))


def _type(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    if not isinstance(argument, str):
        return senseless("$type needs the name of a type, not {}", argument)
    return type_failure(argument, value, comparer.casts)


def _len(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    length = length_of(value)
    if length is None:
        return senseless(f"{noun_of(value)} has no length")
    if argument is None:
        return senseless("no length is null")
    failure = comparer.match(argument, count_of(length))
    return failure and failure.below("length")


def _contains(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    if argument in ("", [], {}, ()):
        return senseless("an empty $contains holds for everything")
    if isinstance(value, Items):
        several = list(argument) if isinstance(argument, (list, tuple)) else [argument]
        return _paired(several, value, comparer)
    if isinstance(value, Fields):
        return _contains_keys(argument, value, comparer)
    return _contains_text(argument, value)


def _contains_text(argument: Any, value: Value) -> Failure | None:
    text = text_of(value)
    if text is None:
        return senseless(f"{noun_of(value)} contains nothing")
    if not isinstance(argument, str):
        return senseless("text contains text, not {}", argument)
    if argument in text:
        return None
    return Failure("text with {} in it expected, {} found", (argument, value))


def _contains_keys(argument: Any, value: Fields, comparer: Comparer) -> Failure | None:
    if isinstance(argument, dict):
        return gravest([comparer.field(name, item, value) for name, item in argument.items()])
    names = argument if isinstance(argument, (list, tuple)) else [argument]
    if not all(isinstance(name, str) for name in names):
        return senseless("a mapping contains keys, not {}", argument)
    missing = [name for name in names if name not in value.fields]
    return Failure(f"there is no {value.noun} {{}}", (missing[0],)) if missing else None


def _unordered(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    if not isinstance(value, Items) or not isinstance(argument, (list, tuple)):
        return senseless("$unordered compares lists: {} expected, {} found", argument, value)
    if len(argument) != len(value.items):
        return Failure(f"{len(argument)} elements expected, {len(value.items)} found")
    return _paired(list(argument), value, comparer)


def _paired(expected: list[Any], value: Items, comparer: Comparer) -> Failure | None:
    """Why not each of the expected elements has an element of its own."""

    def matches(left: int, right: int) -> bool:
        return comparer.match(expected[left], value.items[right]) is None

    assigned = assign(expected, value.items, comparer, matches)
    alone = [expected[left] for left, right in enumerate(assigned.partners) if right is None]
    if not alone:
        return None
    worst = gravest([_missing(item, value, comparer) for item in alone[:_EXPLAINED]])
    return replace(worst, because=GIVEN_UP) if worst and assigned.given_up else worst


def _missing(expected: Any, value: Items, comparer: Comparer) -> Failure:
    """The failure of an element that has no counterpart; senseless if it could never have one."""
    hint = None
    with comparer.marks.fixed():
        for item in value.items:
            failure = comparer.match(expected, item)
            if failure is None or not failure.senseless:
                return Failure(_ALONE, (expected, value))
            hint = hint or failure.hint
    return Failure(_ALONE, (expected, value), senseless=bool(value.items), hint=hint)


def _each(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    if not isinstance(value, Items):
        return senseless(f"$each is for lists, not for {noun_of(value)}")
    if not value.items:
        return Failure("an empty list found, of which $each never holds")
    failures = ((index, comparer.match(argument, item)) for index, item in enumerate(value.items))
    return gravest([failure.below(index) for index, failure in failures if failure])


def _partial(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    if not isinstance(plain(argument), (dict, list)) or not argument:
        return senseless("$partial needs a mapping or list, not {}", argument)
    return comparer.partially().match(argument, value)


def _against_null(argument: Any) -> Failure | None:
    return senseless("a comparison with null never holds") if argument is None else None


def _not_null(name: str, operator: Operator) -> Operator:
    def judge(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
        if is_null(value):
            return Failure("{} never holds for null", (Asked(name, argument),))
        return operator(argument, value, comparer)

    return judge


_OF_VALUES: dict[str, Operator] = {
    "$eq": _eq,
    "$ne": _ne,
    "$gt": _gt,
    "$gte": _gte,
    "$lt": _lt,
    "$lte": _lte,
    "$between": _between,
    "$in": _in,
    "$approx": _approx,
    "$regex": _regex,
    "$len": _len,
    "$now": _now,
    "$same": _same,
    "$contains": _contains,
    "$unordered": _unordered,
    "$each": _each,
    "$partial": _partial,
    "$not": _not,
}
"""Those that never hold for NULL, whatever is asked of it."""

OPERATORS: dict[str, Operator] = {
    "$any": _any,
    "$null": _null,
    "$absent": _absent,
    "$type": _type,
    "$all": _all,
    "$one_of": _one_of,
    **{name: _not_null(name, operator) for name, operator in _OF_VALUES.items()},
}
"""What judges each matcher, by its name in YAML."""
