"""Every key of the format has a suite that passes, one that fails, and a line in the README.

The keys are those of the models, the occurrences those in the YAML of `pass/` and `fail/`. Who adds
a key to a model adds a suite; who implements one of `LATER` takes it out of there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.loader import load
from harness.spec.actors import Actor
from harness.spec.expectations import (
    CallOutcome,
    Changes,
    ErrorExpectation,
    HttpOutcome,
    Outcome,
    Plan,
    Queries,
    SeedOutcome,
    SqlOutcome,
    TableChanges,
)
from harness.spec.matchers import Approximation, Matcher
from harness.spec.operations import VERBS
from harness.spec.state import StateExpectation, TableState

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"

OUTCOMES: dict[str, type[Outcome]] = {
    "sql": SqlOutcome,
    "call": CallOutcome,
    "http": HttpOutcome,
    "seed": SeedOutcome,
}
"""Verb → what its outcome can be judged by."""

LATER = {(verb, "blocks") for verb in OUTCOMES} | {("operation", "session"), ("verbs", "resume")}
"""What cannot run yet, and is refused at collection."""

PARTS = {
    **{verb: outcome.known_keys() for verb, outcome in OUTCOMES.items()},
    "verbs": frozenset(VERBS),
    "operation": frozenset(key for verb in VERBS.values() for key in verb.known_keys()) - {*VERBS},
    "actor": Actor.known_keys(),
    "queries": Queries.known_keys(),
    "error": ErrorExpectation.known_keys(),
    "changes": Changes.known_keys() - {"tables"},  # the tables themselves are its keys
    "table changes": TableChanges.known_keys(),
    "plan": Plan.known_keys(),
    "state": StateExpectation.known_keys(),
    "table": TableState.known_keys(),
    "matchers": Matcher.known_keys(),
    "approx": Approximation.known_keys(),
}
"""Part of the format → its keys."""

REFERENCE = dict.fromkeys(OUTCOMES, "outcome")
"""Part → the README's table of its keys, where that is called otherwise."""

KEYS = [(part, key) for part, keys in PARTS.items() for key in sorted(keys)]
IMPLEMENTED = [key for key in KEYS if key not in LATER]

Key = tuple[str, str]


@pytest.mark.parametrize("folder", ["pass", "fail"])
@pytest.mark.parametrize(("part", "key"), IMPLEMENTED)
def test_a_suite_has_it(folder: str, part: str, key: str) -> None:
    assert (part, key) in _occurrences(folder), f"no spec in tests/suites/{folder} has this"


@pytest.mark.parametrize(("part", "key"), KEYS)
def test_the_reference_has_it(part: str, key: str) -> None:
    name = REFERENCE.get(part, part)
    (table,) = re.findall(
        rf"<!-- reference: {name} -->\n(.*?)<!-- /reference -->",
        README.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert f"| `{key}` |" in table


def test_what_comes_later_has_no_suite() -> None:
    used = _occurrences("pass") | _occurrences("fail")
    assert used & LATER == set()
    assert set(KEYS) >= LATER


@cache
def _occurrences(folder: str) -> frozenset[Key]:
    """The keys that the suites of a folder use."""
    return frozenset(
        key
        for path in (HERE / folder).glob("*.yaml")
        for item in load(path, HERE)
        for key in _keys_of_spec(item.source)
    )


def _keys_of_spec(spec: Any) -> Iterator[Key]:
    for actor in spec.get("actors", {}).values():
        yield from _keys("actor", actor)
    for operation in spec["operations"]:
        yield from (("verbs" if key in VERBS else "operation", key) for key in operation)
        yield from _keys("actor", operation.get("as"))
        expect = operation.get("expect")
        (verb,) = OUTCOMES.keys() & operation.keys()
        yield from _keys(verb, {"rows": expect} if isinstance(expect, list) else expect)
    yield from _keys("state", spec.get("expect"))
    yield from _matchers([spec.get("expect"), [each.get("expect") for each in spec["operations"]]])


def _keys(part: str, mapping: Any) -> Iterator[Key]:
    """The keys of a mapping, and of those in it."""
    for key, value in mapping.items() if isinstance(mapping, dict) else ():
        yield part, key
        if key in _INNER:
            yield from _INNER[key](value)


def _tables(tables: Any) -> Iterator[Key]:
    for state in tables.values():
        yield from _keys("table", {"rows": state} if isinstance(state, list) else state)


def _changes(changes: Any) -> Iterator[Key]:
    for table, change in changes.items():
        if table == "ignore":
            yield "changes", "ignore"
        else:
            yield from _keys("table changes", change)


_INNER: dict[str, Callable[[Any], Iterator[Key]]] = {
    "error": lambda value: _keys("error", value),
    "plan": lambda value: _keys("plan", value),
    "queries": lambda value: _keys("queries", value),
    "tables": _tables,
    "changes": _changes,
}


def _matchers(value: Any) -> Iterator[Key]:
    if isinstance(value, dict):
        yield from (("matchers", key) for key in value if key.startswith("$"))
        yield from _keys("approx", value.get("$approx"))
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _matchers(part)
