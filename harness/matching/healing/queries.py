"""Healing how many statements an operation sends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.matching.healing.repairs import Repair, at
from harness.matching.healing.values import Values
from harness.matching.queries import shape
from harness.matching.values import count_of
from harness.results import Path, SentQuery
from harness.spec.expectations import Queries
from harness.spec.matchers import PLACEHOLDER, Matcher


def queries_repairs(
    expected: Queries | Matcher | int,
    written: Any,
    sent: Sequence[SentQuery],
    path: Path,
    values: Values,
) -> Iterator[Repair]:
    """What makes the expected number of statements hold, or the limits of it."""
    if not isinstance(expected, Queries):
        if written == PLACEHOLDER or not values.holds(expected, count_of(len(sent))):
            yield values.writer.count(written, len(sent), path)
        return
    numbers = {"max": len(sent), "repeated": len(sent) - len({shape(each.text) for each in sent})}
    for key, number in numbers.items():
        if not expected.given(key):
            continue
        node, place = at(written, path, key)
        limit = getattr(expected, key)
        if node == PLACEHOLDER or not _allows(key, limit, number, values):
            yield values.writer.count(node, number, place)


def _allows(key: str, limit: Any, number: int, values: Values) -> bool:
    if key == "max" and not isinstance(limit, Matcher):
        return values.comparison.judge("$lte", limit, count_of(number)) is None
    return values.holds(limit, count_of(number))
