"""Lists of different lengths: which elements are missing, unexpected, or different."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from harness.matching.failure import Failure
from harness.matching.values import Items, Value

_LONGEST = 1000
"""Longer lists are not compared element by element, if they cannot match anyway."""


def uneven(
    expected: list[Any], value: Items, match: Callable[[Any, Value], Failure | None]
) -> Failure:
    """The failure of a list that has another length than the expected one."""
    left, right = len(expected), len(value.items)
    elements = "element" if left == 1 else "elements"
    words = f"{left} {elements} expected, {right} found: {{}} against {{}}"
    parts = () if max(left, right) > _LONGEST else tuple(_parts(expected, value.items, match))
    return Failure(words, (expected, value), parts=parts)


def _parts(
    expected: list[Any], found: tuple[Value, ...], match: Callable[[Any, Value], Failure | None]
) -> Iterator[Failure]:
    """What differs between the common beginning and the common end."""
    shorter = min(len(expected), len(found))
    head = next((i for i in range(shorter) if match(expected[i], found[i])), shorter)
    rest = shorter - head
    tail = next((i for i in range(rest) if match(expected[-1 - i], found[-1 - i])), rest)
    lefts = expected[head : len(expected) - tail]
    rights = found[head : len(found) - tail]
    for index, left, right in zip(count(head), lefts, rights, strict=False):
        failure = match(left, right)
        if failure is not None:
            yield failure.below(index)
    for index, left in enumerate(lefts[len(rights) :], head + len(rights)):
        yield Failure("{} expected, nothing found", (left,), path=(index,))
    for index, right in enumerate(rights[len(lefts) :], head + len(lefts)):
        yield Failure("nothing expected, {} found", (right,), path=(index,))
