"""Healing one value: the recursion through an expectation, its YAML and what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import zip_longest
from typing import Any

from harness.matching.comparison import Comparison
from harness.matching.expected import allows_absence
from harness.matching.healing.alignment import Pairs, aligned
from harness.matching.healing.repairs import (
    TEMPLATE,
    Refusal,
    Repair,
    holds_placeholder,
    insertion,
    relaxed,
    removal,
)
from harness.matching.healing.writer import Writer
from harness.matching.pairing import pair
from harness.matching.typenames import SET
from harness.matching.values import Fields, Items, Value
from harness.results import Path
from harness.spec.matchers import Matcher
from harness.templating import is_template


class Values:
    """Heals values.

    Args:
        comparison: judges them.
        writer: writes what was seen.
    """

    def __init__(self, comparison: Comparison, writer: Writer) -> None:
        self.comparison = comparison
        self.writer = writer

    def holds(self, expected: Any, value: Value) -> bool:
        """Whether an expectation holds as it is; one with a placeholder never does."""
        return not holds_placeholder(expected) and not self.comparison.verdict(expected, value)

    @contextmanager
    def trying(self) -> Iterator[None]:
        """What is judged inside the block marks nothing: perhaps it does not belong together."""
        state = self.comparison.marks.state
        try:
            yield
        finally:
            self.comparison.marks.restore(state)

    def fits(self, expected: Any, value: Value) -> bool:
        """Whether an expectation would hold for a value that it may not belong to."""
        with self.trying():
            return not self.comparison.verdict(expected, value)

    def repairs(self, expected: Any, written: Any, value: Value, path: Path) -> Iterator[Repair]:
        """What makes an expectation hold, at the smallest parts that differ."""
        if self.holds(expected, value):
            return
        if is_template(written):
            yield Refusal(path, TEMPLATE)
        elif isinstance(expected, Matcher) and isinstance(written, dict):
            yield from self._matcher(expected, written, value, path)
        elif isinstance(expected, dict) and isinstance(written, dict) and isinstance(value, Fields):
            yield from self._mapping(expected, written, value, path)
        elif isinstance(expected, list) and isinstance(written, list) and _is_list(value):
            yield from self._list(expected, written, value, path)
        else:
            yield self.writer.replacement(written, value, path)

    def sequence(
        self,
        pairs: Pairs,
        written: Sequence[Any],
        path: Path,
        heal: Callable[[int, int], Iterator[Repair]],
        write: Callable[[int, Path], str],
    ) -> Iterator[Repair]:
        """What makes a list hold whose elements belong together as `pairs` says.

        Args:
            pairs: in the order of the list; they keep at least one of its elements, or it is empty.
            written: the list.
            path: to it.
            heal: what makes an element hold for a value.
            write: the text of a value that the list lacks, given a path to record it by.
        """
        following = _following(pairs, len(written))
        for (left, right), place in zip(pairs, following, strict=True):
            if left is None and right is not None:
                # Several may be inserted at one place: what they are recorded by tells them apart.
                record = (*path, f"+{right}")
                yield insertion((*path, place), partial(write, right, record))
            elif left is not None and right is None:
                yield removal(written[left], (*path, left))
            elif left is not None and right is not None:
                yield from heal(left, right)

    def _list(self, expected: Any, written: Any, value: Value, path: Path) -> Iterator[Repair]:
        items = _items(value)
        if not expected or not items:
            yield self.writer.replacement(written, value, path)
            return
        sought = relaxed(expected)

        def fits(left: int, right: int) -> bool:
            return self.fits(sought[left], items[right])

        def likeness(left: int, right: int) -> int:
            return self._likeness(sought[left], items[right])

        pairs = aligned(len(sought), len(items), fits, likeness)
        yield from self._elements(pairs, expected, written, items, path)

    def _likeness(self, expected: Any, value: Value) -> int:
        """How many of the keys that are expected a mapping or an object has, with their values."""
        if not isinstance(expected, dict) or not isinstance(value, Fields):
            return 0
        found = value.fields
        return sum(
            name in found and self.fits(each, found[name]) for name, each in expected.items()
        )

    def _elements(
        self, pairs: Pairs, expected: Any, written: Any, items: Sequence[Value], path: Path
    ) -> Iterator[Repair]:
        yield from self.sequence(
            pairs,
            written,
            path,
            lambda left, right: self.repairs(
                expected[left], written[left], items[right], (*path, left)
            ),
            lambda right, place: self.writer.text(items[right], place),
        )

    def _mapping(self, expected: Any, written: Any, value: Fields, path: Path) -> Iterator[Repair]:
        found = value.fields
        missing = {
            name
            for name, item in expected.items()
            if name not in found and (value.open or not allows_absence(item))
        }
        if len(missing) == len(expected):  # nothing would be left
            yield self.writer.replacement(written, value, path)
            return
        for name, item in expected.items():
            key = _key(name)
            if name in missing:
                yield removal(written[key], (*path, key))
            elif name in found:
                yield from self.repairs(item, written[key], found[name], (*path, key))
        if not value.open and not self.comparison.partial:
            for name in found:
                if name not in expected:
                    place = (*path, _key(name))
                    yield insertion(place, partial(self.writer.text, found[name], place))

    def _matcher(
        self, matcher: Matcher, written: Any, value: Value, path: Path
    ) -> Iterator[Repair]:
        """Heal what is inside a matcher where all that fails can be healed there."""
        failing = {
            name: argument
            for name, argument in matcher.operators.items()
            if holds_placeholder(argument) or self.comparison.judge(name, argument, value)
        }
        if not all(_is_healed_inside(name, item, value) for name, item in failing.items()):
            yield self.writer.replacement(written, value, path)
            return
        for name, argument in failing.items():
            yield from self._inside(name, argument, written[name], value, (*path, name))

    def _inside(
        self, operator: str, argument: Any, written: Any, value: Value, path: Path
    ) -> Iterator[Repair]:
        if operator == "$partial":
            partially = Values(self.comparison.partially(), self.writer)
            yield from partially.repairs(argument, written, value, path)
        elif operator == "$all":
            for index, item in enumerate(argument):
                yield from self.repairs(item, written[index], value, (*path, index))
        elif isinstance(written, list) and isinstance(value, Items):
            pairs = self._matched(argument, value.items)
            yield from self._elements(pairs, argument, written, value.items, path)
        else:
            yield Refusal(path, TEMPLATE)

    def _matched(self, expected: Sequence[Any], items: Sequence[Value]) -> Pairs:
        """The elements of `$unordered` and the values that fit them; of the rest any."""
        fitting = [  # sets of values, as `pair` has them
            sum(1 << right for right, item in enumerate(items) if self.fits(each, item))
            for each in relaxed(expected)
        ]
        partners = pair(len(expected), fitting.__getitem__)
        unused = sorted({*range(len(items))}.difference(partners))
        lefts = [left for left, right in enumerate(partners) if right is None]
        pairs: Pairs = [(left, right) for left, right in enumerate(partners) if right is not None]
        return [*pairs, *zip_longest(lefts, unused)]


def _is_healed_inside(operator: str, argument: Any, value: Value) -> bool:
    match operator:
        case "$partial" if isinstance(argument, dict):
            return isinstance(value, Fields) and bool(value.fields)
        case "$partial":
            return _is_list(value) and bool(_items(value))
        case "$unordered":
            return isinstance(value, Items) and bool(argument and value.items)
        case _:
            return operator == "$all"


def _is_list(value: Value) -> bool:
    """Whether a value can be compared with a list, in its order."""
    if isinstance(value, Fields):
        return value.positions is not None
    return isinstance(value, Items) and value.type != SET


def _items(value: Value) -> Sequence[Value]:
    """The elements of a list or a named tuple."""
    listed = value.positions if isinstance(value, Fields) else value
    return listed.items if isinstance(listed, Items) else ()


def _key(name: str) -> str:
    """A key of plain data as YAML has to write it."""
    return f"${name}" if name.startswith("$") else name


def _following(pairs: Pairs, end: int) -> list[int]:
    """For each pair the first element of the left side that does not come before it."""
    places = []
    for left, _ in reversed(pairs):
        end = end if left is None else left
        places.append(end)
    return places[::-1]
