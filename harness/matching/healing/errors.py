"""Healing what is expected of an error, and describing one that nothing was expected of yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from harness.matching.exceptions import chain, facts_of, failures_of, given_by
from harness.matching.healing.repairs import (
    Refusal,
    Repair,
    UnwritableError,
    holds_placeholder,
    relaxed,
    removal,
    replacement,
)
from harness.matching.healing.writer import Writer
from harness.matching.values import Value, is_null, value_of
from harness.results import Path
from harness.spec.expectations import ErrorExpectation

_KEYS = (
    *("sqlstate", "condition", "message", "constraint", "schema", "table", "column", "detail"),
    "hint",
)
"""What PostgreSQL says of an error, as the format calls it."""


def error_repairs(
    expect: ErrorExpectation | None,
    written: Any,
    error: BaseException | None,
    path: Path,
    writer: Writer,
) -> Iterator[Repair]:
    """What makes the expectation of an error hold, if one was expected and one was raised."""
    if error is None and expect is not None:
        yield Refusal(path, "the operation succeeded, an error was expected")
    elif error is not None and expect is None:
        yield Refusal(path, "the operation failed, no error was expected")
    elif error is not None and expect is not None:
        yield from _repairs(given_by(expect), written, error, path, writer)


def described(error: BaseException, path: Path, writer: Writer) -> str:
    """An error as YAML that expects it, recorded below `path`.

    Raises:
        UnwritableError: it cannot be written.
    """
    found = _known(_source(error))
    kind = next(key for key in ("condition", "sqlstate", "exception") if key in found)
    place = [key for key in ("constraint", "table", "column") if key in found]
    keys = [kind, *(place if "constraint" not in found else ["constraint"])]
    if len(keys) == 1 and "message" in found:
        keys.append("message")
    texts = [f"{key}: {writer.text(found[key], (*path, key))}" for key in keys]
    return f"{{{', '.join(texts)}}}"


def described_part(key: str, error: BaseException, path: Path, writer: Writer) -> str:
    """One thing that an error says, by its key, as YAML.

    Raises:
        UnwritableError: it says no such thing, or it cannot be written.
    """
    found = _known(_source(error), [key])
    if key not in found:
        raise UnwritableError(f"the error has no {key}")
    return writer.text(found[key], path)


def _source(error: BaseException) -> BaseException:
    """The error of the chain that PostgreSQL raised, else the error itself."""
    return next((each for each in chain(error) if "sqlstate" in _known(each)), error)


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
