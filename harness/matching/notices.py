"""Judging the messages that an operation raised beside its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.matching.comparison import Comparison
from harness.matching.display import show
from harness.matching.rows import Compared, Pair, Table, ordered_pairs, unordered_pairs
from harness.matching.tables import table_diff
from harness.results import Column, Mismatch, Path, ResultSet

_COLUMN = Column("message", "text")


def judge_notices(
    expected: list[Any], messages: Sequence[str], path: Path, comparison: Comparison
) -> tuple[Mismatch, ...]:
    """Judge the NOTICE and WARNING messages of an operation: those expected, in order, no others.

    Args:
        expected: texts and matchers; none says that nothing may be raised.
        messages: what was raised.
        path: to the list of those expected.
        comparison: compares a text with a message.
    """
    raised = Table(ResultSet((_COLUMN,), tuple((message,) for message in messages)), "found")
    rows = [{_COLUMN.name: item} for item in expected]
    compared = Compared(expected, rows, raised, ordered_pairs(rows, raised, comparison))
    wrong = compared.wrong
    if not wrong:
        return ()
    hint = None
    if len(expected) != len(messages):
        reason = f"{_number(len(expected))} expected, {len(messages) or 'none'} raised"
    elif all(pair.same for pair in unordered_pairs(rows, raised, comparison)):
        reason = "the notices come in another order"
    else:
        reason = "; ".join(map(_difference, wrong))
        hints = (failure.hint for pair in wrong for failure in pair.differences.values())
        hint = next(filter(None, hints), None)
    alone = wrong[0].expected if len(wrong) == 1 else None
    place = path if alone is None else (*path, alone)
    diff = table_diff(compared)
    return (Mismatch(place, reason, show(expected), show(list(messages)), diff, hint),)


def _number(count: int) -> str:
    return f"{count or 'no'} {'notice' if count == 1 else 'notices'}"


def _difference(pair: Pair) -> str:
    assert pair.expected is not None  # there are as many messages as were expected
    failure = pair.differences[_COLUMN.name]
    return f"notice {pair.expected + 1}: {replace(failure, path=failure.path[1:])}"
