"""The matchers: for each `$name` one small function that says why a value does not match."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, DecimalException, localcontext
from typing import Any, Protocol

from harness.matching.casts import IncomparableError, Relation, RememberedCasts
from harness.matching.display import Asked, show
from harness.matching.failure import Failure, gravest, senseless
from harness.matching.families import BYTES, NUMERIC, TEXTUAL, octets
from harness.matching.kinds import type_failure
from harness.matching.numbers import plain_number
from harness.matching.pairing import pair
from harness.matching.plain import plain
from harness.matching.scalars import in_order, noun_of
from harness.matching.values import Fields, Items, Scalar, Value, count_of, is_null, value_key
from harness.spec.matchers import Approximation


class Comparer(Protocol):
    """What the matchers need of the comparison that they are part of."""

    casts: RememberedCasts

    def match(self, expected: Any, value: Value) -> Failure | None:
        """Why the value does not match, or None when it does."""
        ...

    def field(self, name: str, expected: Any, value: Fields) -> Failure | None:
        """Why the part of this name does not match, or is not there."""
        ...

    def partially(self) -> Comparer:
        """The same, content with mappings that have further keys."""
        ...


_DEFAULT_REL, _DEFAULT_ABS = Decimal("1e-6"), Decimal("1e-12")

Operator = Callable[[Any, Value, Comparer], Failure | None]


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
    failure = comparer.match(argument, value)
    if failure is None:
        return Failure("anything but {} expected, {} found", (argument, value))
    return failure if failure.senseless else None


def _all(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    return gravest([comparer.match(item, value) for item in argument])


def _one_of(argument: Any, value: Value, comparer: Comparer) -> Failure | None:
    failures = [comparer.match(item, value) for item in argument]
    if None in failures:
        return None
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
        wanted = _decimal(argument.value, "value")
        tolerance = _tolerance(argument, wanted)
    except (IncomparableError, DecimalException) as error:
        return senseless(f"$approx has no meaning so: {error}")
    found = value_key(value)
    if isinstance(found, Decimal) and _is_near(found, wanted, tolerance):
        return None
    words = f"about {{}} expected (± {tolerance.normalize():.6g}), {{}} found"
    return Failure(words, (argument.value, value))


def _tolerance(near: Approximation, wanted: Decimal) -> Decimal:
    """The larger of the absolute and the relative one; without either as `pytest.approx` has it."""
    absolute = _DEFAULT_ABS if near.abs is None else _decimal(near.abs, "abs")
    if near.rel is None and near.abs is not None:
        return absolute
    relative = _DEFAULT_REL if near.rel is None else _decimal(near.rel, "rel")
    return max(absolute, relative * abs(wanted)) if wanted.is_finite() else absolute


def _decimal(number: object, name: str) -> Decimal:
    key = plain_number(plain(number))
    if not isinstance(key, Decimal) or (name != "value" and (key < 0 or not key.is_finite())):
        raise IncomparableError(f"{name} is {show(number)}")
    return key


def _is_near(found: Decimal, wanted: Decimal, tolerance: Decimal) -> bool:
    if not found.is_finite() or not wanted.is_finite():
        return found == wanted
    try:
        with localcontext() as context:
            context.prec = 60  # more than enough for a distance, whatever the digits of the numbers
            return abs(found - wanted) <= tolerance
    except DecimalException:  # too far apart to be subtracted
        return False


def _regex(argument: Any, value: Value, _comparer: Comparer) -> Failure | None:
    text = _text(value)
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
    length = _length(value)
    if length is None:
        return senseless(f"{noun_of(value)} has no length")
    if argument is None:
        return senseless("no length is null")
    failure = comparer.match(argument, count_of(length))
    return failure and failure.below("length")


def _length(value: Value) -> int | None:
    """Of text in characters, of bytes in bytes."""
    match value:
        case Items(items=parts):
            return len(parts)
        case Fields(fields=names):
            return len(names)
        case Scalar(text=str(text)) if value.family is BYTES:
            return octets(text)
    characters = _text(value)
    return None if characters is None else len(characters)


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
    text = _text(value)
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

    def holds(left: int, right: int) -> bool:
        return comparer.match(expected[left], value.items[right]) is None

    everyone = range(len(value.items))
    partners = pair([everyone] * len(expected), holds)
    if None not in partners:
        return None
    alone = [item for item, partner in zip(expected, partners, strict=True) if partner is None]
    return gravest([_missing(item, value, comparer) for item in alone])


def _missing(expected: Any, value: Items, comparer: Comparer) -> Failure:
    """The failure of an element that has no counterpart; senseless if it could never have one."""
    failures = [failure for item in value.items if (failure := comparer.match(expected, item))]
    never = len(failures) == len(value.items) > 0 and all(each.senseless for each in failures)
    words = "no element (left) for {} in {}"
    return Failure(
        words, (expected, value), senseless=never, hint=failures[0].hint if never else None
    )


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


def _text(value: Value) -> str | None:
    if not isinstance(value, Scalar) or value.text is None or value.family not in TEXTUAL:
        return None
    return str(value_key(value))  # without the blanks that pad `character`


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
