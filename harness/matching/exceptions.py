"""Judging errors: PostgreSQL's, the application's, and those that wrap others."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from harness.errors import did_you_mean
from harness.matching.casts import NoCasts, RememberedCasts
from harness.matching.comparison import Comparison
from harness.matching.display import abridged, show
from harness.matching.failure import Failure, senseless
from harness.matching.marks import Marks
from harness.matching.objects import Attributes
from harness.matching.scalars import differs
from harness.matching.typenames import PYTHON
from harness.matching.values import Fields, Items, Value, is_null, value_of
from harness.results import Mismatch, Path
from harness.spec.expectations import CONDITION_NAMES, CONDITIONS, ErrorExpectation
from harness.spec.matchers import Matcher

_DIAGNOSTICS = {
    "message": "message_primary",
    "constraint": "constraint_name",
    "schema": "schema_name",
    "table": "table_name",
    "column": "column_name",
    "detail": "message_detail",
    "hint": "message_hint",
}
_ONLY_POSTGRESQL_SAYS = frozenset(("sqlstate", "condition", *_DIAGNOSTICS)) - {"message"}
"""What an error may lack; an error that wraps one of PostgreSQL's lacks most of it."""

_NO_DETAIL = Items((), PYTHON)
"""What SQLAlchemy's errors have in the place of a detail."""

Failures = dict[str, Failure]
"""By key of the expectation."""


def judge_error(
    expect: ErrorExpectation | None,
    error: BaseException | None,
    path: Path,
    marks: Marks | None = None,
) -> tuple[Mismatch, ...]:
    """Judge how an operation ended.

    Args:
        expect: the error that it must end with, or None if it must succeed.
        error: the one that it ended with, or None.
        path: to the expectations of the operation.
        marks: what `$same` has marked in this spec; without any it never holds.
    """
    if expect is None:
        return () if error is None else (_unexpected(error, path),)
    given = given_by(expect)
    where = (*path, "error")
    if error is None:
        reason = "the operation succeeded, an error was expected"
        return (Mismatch(where, reason, expected=show(given)),)
    marks = Marks(binding=False) if marks is None else marks
    state = marks.state
    verdicts: list[tuple[BaseException, Failures]] = []
    with marks.at(where):
        for each in chain(error):
            failures = failures_of(given, each, marks)
            if not failures:
                return ()  # with the marks of this one alone
            marks.restore(state)
            verdicts.append((each, failures))
    nearest, failures = min(verdicts, key=lambda verdict: len(verdict[1]))
    only = next(iter(failures)) if len(failures) == 1 < len(given) else None
    hints = (failure.hint for failure in failures.values() if failure.hint)
    return (
        Mismatch(
            (*where, only) if only else where,
            "another error than the expected one: " + "; ".join(map(str, failures.values())),
            expected=show(given),
            actual=_described(nearest),
            hint=next(hints, None),
        ),
    )


def given_by(expect: ErrorExpectation) -> dict[str, Any]:
    """What is expected, by the keys that the spec has."""
    fields = ErrorExpectation.model_fields.items()
    known = {
        field.alias or name: getattr(expect, name) for name, field in fields if expect.given(name)
    }
    return known | expect.attributes


def failures_of(
    given: dict[str, Any], error: BaseException, marks: Marks | None = None
) -> Failures:
    """What does not hold for one error of the chain."""
    facts = facts_of(error)
    comparison = Comparison(RememberedCasts(NoCasts()), marks=marks)
    found: Failures = {}
    for key, expected in given.items():
        try:
            if key in _ONLY_POSTGRESQL_SAYS and _is_null(expected):
                failure = _absence(key, error)
            elif key in _SPECIAL:
                failure = _SPECIAL[key](expected, error, comparison)
            else:
                failure = comparison.field(key, expected, facts)
        except RecursionError:
            failure = senseless(f"{key} is nested too deeply to be compared")
        if failure:
            found[key] = failure
    return found


def _is_null(expected: Any) -> bool:
    if isinstance(expected, Matcher):
        return expected.operators == {"$null": True}
    return expected is None


def _absence(key: str, error: BaseException) -> Failure | None:
    """Why an error has a field after all: if not itself, then in PostgreSQL's that it wraps."""
    sources = [each for each in chain(error) if each is error or _sqlstate(each)]
    values = [facts_of(each).fields[key] for each in sources]
    found = (value for value in values if value != _NO_DETAIL and not is_null(value))
    failures = (differs(None, value).below(key) for value in found)
    return next(failures, None)


def facts_of(error: BaseException) -> Fields:
    """An error as an object: what PostgreSQL says of it, and its own attributes."""
    own, state = Attributes(error), _sqlstate(error)
    known: dict[str, Value] = {
        "sqlstate": value_of(state, "text"),
        "condition": value_of(_condition_name(state), "text"),
    }
    for name, attribute in _DIAGNOSTICS.items():
        text = message_of(error) if name == "message" else _diagnostic(error, attribute)
        known[name] = own[name] if text is None and name in own else value_of(text, "text")
    return Fields(Attributes(error, known), type(error).__name__, "attribute")


def _condition(expected: Any, error: BaseException, comparison: Comparison) -> Failure | None:
    state = _sqlstate(error)
    if isinstance(expected, str):
        if expected not in CONDITIONS:
            hint = did_you_mean(expected, CONDITIONS)
            return senseless("{} is not a condition name of PostgreSQL", expected, hint=hint)
        if expected == _condition_name(state):
            return None
        return Failure("condition: {} expected, {} found", (expected, _condition_name(state)))
    failure = comparison.match(expected, value_of(_condition_name(state), "text"))
    return failure and failure.below("condition")


def _exception(expected: Any, error: BaseException, comparison: Comparison) -> Failure | None:
    classes = type(error).__mro__[:-1]
    if isinstance(expected, str):
        if any(_is_named(each, expected) for each in classes):
            return None
        return Failure("exception: {} expected, {} found", (expected, _class_name(error)))
    # A matcher sees the class alone: of all the bases, some one would satisfy nearly any $not.
    failure = comparison.match(expected, value_of(type(error).__name__, "text"))
    return failure and failure.below("exception")


_SPECIAL: dict[str, Callable[[Any, BaseException, Comparison], Failure | None]] = {
    "condition": _condition,
    "exception": _exception,
}


def _is_named(class_: type, name: str) -> bool:
    """Whether a class goes by a name: `Name`, `module:Name` or `module.Name`."""
    if name in (class_.__name__, class_.__qualname__):
        return True
    module, colon, attribute = name.partition(":")
    if not colon:
        module, _, attribute = name.rpartition(".")
    if module == class_.__module__ and attribute == class_.__qualname__:
        return True
    # The application may import the class from another module than the one that defines it.
    found: object = sys.modules.get(module)
    for part in attribute.split("."):
        found = getattr(found, part, None)
    return found is class_


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps, nearest first."""
    waiting, seen = deque([error]), {id(error)}
    while waiting:
        current = waiting.popleft()
        yield current
        for name in ("__cause__", "__context__", "orig"):
            inner = _attribute(current, name)
            if isinstance(inner, BaseException) and id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)


def _unexpected(error: BaseException, path: Path) -> Mismatch:
    """The mismatch of an operation that should have succeeded."""
    source = next((each for each in chain(error) if _sqlstate(each)), error)
    return Mismatch(
        path,
        f"the operation failed: {abridged(message_of(source))}",
        actual=_described(source) if source is error else f"{_described(source)}\n{_outer(error)}",
        hint=_diagnostic(source, "message_hint"),
    )


def _outer(error: BaseException) -> str:
    return f"raised as {_class_name(error)}"


def _described(error: BaseException) -> str:
    """An error in lines: its class and message, SQLSTATE and condition, detail and hint."""
    state = _sqlstate(error)
    lines = [f"{_class_name(error)}: {message_of(error)}"]
    if state:
        lines.append(f"SQLSTATE {state} ({_condition_name(state) or 'no condition name'})")
    for key, attribute in _DIAGNOSTICS.items():
        text = None if key == "message" else _diagnostic(error, attribute)
        if text is not None:
            lines.append(f"{key}: {text}")
    return "\n".join(lines)


def _class_name(error: BaseException) -> str:
    class_ = type(error)
    module = "" if class_.__module__ == "builtins" else f"{class_.__module__}:"
    return f"{module}{class_.__qualname__}"


def message_of(error: BaseException) -> str:
    """PostgreSQL's message without the lines that psycopg adds, else what the exception says."""
    primary = _diagnostic(error, "message_primary")
    if primary is not None:
        return primary
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - it is the application's own code
        return f"(its message cannot be read: {type(broken).__name__})"


def _condition_name(state: str | None) -> str | None:
    return CONDITION_NAMES.get(state or "")


def _sqlstate(error: BaseException) -> str | None:
    state = _attribute(error, "sqlstate")
    return state if isinstance(state, str) else None


def _diagnostic(error: BaseException, attribute: str) -> str | None:
    text = _attribute(_attribute(error, "diag"), attribute)
    return text if isinstance(text, str) else None


def _attribute(owner: object, name: str) -> object:
    try:
        return getattr(owner, name, None)
    except Exception:  # noqa: BLE001 - a property runs code that is not ours
        return None
