"""Healing what is expected of an error, and describing one that nothing was expected of yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.matching.exceptions import chain, facts_of, failures_of, given_by
from harness.matching.healing.repairs import (
    Refusal,
    Repair,
    holds_placeholder,
    relaxed,
    removal,
    replacement,
)
from harness.matching.healing.writer import Writer
from harness.matching.values import Value, is_null, value_of
from harness.results import Path
from harness.spec.expectations import ErrorExpectation
from harness.spec.matchers import PLACEHOLDER

_KEYS = (
    *("sqlstate", "condition", "message", "constraint", "schema", "table", "column", "detail"),
    "hint",
)
"""What PostgreSQL says of an error, as the format calls it."""

_MISTAKES = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, IndexError, KeyError),
    *(NameError, NotImplementedError, RecursionError, SyntaxError, TypeError),
)
_INSUFFICIENT_PRIVILEGE = "42501"

NO_ERROR = "the operation succeeded, an error was expected"


def error_repairs(
    expect: ErrorExpectation | None,
    written: Any,
    error: BaseException | None,
    path: Path,
    writer: Writer,
) -> Iterator[Repair]:
    """What makes the expectation of an error hold, if one was expected and one was raised."""
    if error is None and expect is not None:
        yield Refusal(path, NO_ERROR)
    elif error is not None and expect is None:
        yield Refusal(path, "the operation failed, no error was expected")
    elif error is not None and expect is not None:
        yield from _repairs(given_by(expect), written, error, path, writer)


def described(error: BaseException, path: Path, writer: Writer) -> str:
    """An error as YAML that expects it, recorded below `path`.

    Raises:
        UnwritableError: it cannot be written.
    """
    found = _known(source_of(error))
    kind = next(key for key in ("condition", "sqlstate", "exception") if key in found)
    place = [key for key in ("constraint", "table", "column") if key in found]
    keys = [kind, *(place if "constraint" not in found else ["constraint"])]
    if kind == "exception" or not place:
        keys = [kind, *(["message"] if "message" in found else [])]
    texts = [f"{key}: {writer.text(found[key], (*path, key))}" for key in keys]
    return f"{{{', '.join(texts)}}}"


def described_parts(
    keys: Sequence[str],
    expect: ErrorExpectation | None,
    error: BaseException | None,
    path: Path,
    writer: Writer,
) -> Iterator[Repair]:
    """What puts the things that an error says in the place of placeholders.

    Args:
        keys: those of the error that the placeholders stand behind.
        expect: what else is expected; it has to hold for the same error of the chain.
        error: the outermost one, if there is any.
        path: to `error`.
        writer: writes what they say.
    """
    if error is None:
        yield from (Refusal((*path, key), NO_ERROR) for key in keys)
        return
    given = {key: relaxed(each) for key, each in given_by(expect).items()} if expect else {}
    source = min(
        (source_of(error), *chain(error)),
        key=lambda each: (len(failures_of(given, each)), len({*keys} - _known(each, keys).keys())),
    )
    found = _known(source, keys)
    for key in keys:
        place = (*path, key)
        if key in found:
            yield writer.replacement(PLACEHOLDER, found[key], place)
        else:
            yield Refusal(place, f"the error has no {key}")


def is_mistake(error: BaseException) -> bool:
    """Whether an error says that a statement or the program is wrong.

    Hardly anybody wants to expect that. The application's own classes say something else.
    """
    if type(error).__module__ == "builtins":
        return isinstance(error, _MISTAKES)
    state = getattr(source_of(error), "sqlstate", None) or ""
    return state.startswith("42") and state != _INSUFFICIENT_PRIVILEGE


def source_of(error: BaseException) -> BaseException:
    """What an error is known by: PostgreSQL's own that SQLAlchemy wraps, else the error itself."""
    wrapped = vars(error).get("orig")
    if isinstance(wrapped, BaseException) and "sqlstate" in _known(wrapped):
        return wrapped
    return error


def _repairs(
    given: dict[str, Any], written: Any, error: BaseException, path: Path, writer: Writer
) -> Iterator[Repair]:
    agreeing = {key: relaxed(expected) for key, expected in given.items()}
    verdicts = [(each, failures_of(agreeing, each)) for each in chain(error)]
    nearest, failures = min(
        verdicts,
        key=lambda verdict: (len(verdict[1]), len(given.keys() - _known(verdict[0], given))),
    )
    found = _known(nearest, given)
    wrong = [key for key in given if key in failures or holds_placeholder(given[key])]
    if wrong and not isinstance(written, dict) and wrong[0] in found:
        yield writer.replacement(written, found[wrong[0]], path)
    elif wrong and (not isinstance(written, dict) or not found.keys() & given.keys()):
        yield replacement(written, path, lambda: described(error, path, writer))
    else:
        for key in wrong:
            here = (*path, key)
            if key in found:
                yield writer.replacement(written[key], found[key], here)
            else:
                yield removal(written[key], here)


def _known(error: BaseException, names: Iterable[str] = ()) -> dict[str, Value]:
    """What an error says of itself, by the keys of the format and the attributes named."""
    facts = facts_of(error).fields
    keys = [*_KEYS, *(name for name in names if name not in _KEYS and name in facts)]
    known = {key: facts[key] for key in keys if key != "exception"}
    known["exception"] = value_of(_class_of(error), "text")
    return {key: value for key, value in known.items() if not is_null(value)}


def _class_of(error: BaseException) -> str:
    """The name of its class, such that the short form of an error takes it for one."""
    class_ = type(error)
    if class_.__name__[:1].isupper():
        return class_.__name__
    return f"{class_.__module__}:{class_.__qualname__}"
