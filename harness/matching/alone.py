"""Judging one value that stands alone: a cell, a number of things, what a call returned."""

from __future__ import annotations

from typing import Any

from harness.matching.comparison import Comparison
from harness.matching.differences import differences, told
from harness.matching.display import show, whole_texts
from harness.matching.failure import Failure
from harness.matching.values import Scalar, Value
from harness.results import Mismatch, Path, Step


def judge_alone(
    expected: Any, value: Value, path: Path, noun: str, comparison: Comparison
) -> Mismatch | None:
    """Judge a value by what is expected of it.

    Args:
        expected: plain data and matchers.
        value: what there is.
        path: to the expectation.
        noun: what the value is called in messages.
        comparison: judges it.
    """
    failure = comparison.verdict(expected, value)
    return _mismatch(expected, value, path, noun, failure) if failure else None


def judge_within(
    expected: Any, value: Value, path: Path, noun: str, comparison: Comparison
) -> Mismatch | None:
    """As `judge_alone`, of what a spec may write over many lines.

    The path of the mismatch leads on to the part that does not hold.
    """
    failure = comparison.verdict(expected, value)
    if failure is None:
        return None
    return _mismatch(expected, value, (*path, *_steps(expected, failure)), noun, failure)


def _mismatch(expected: Any, value: Value, path: Path, noun: str, failure: Failure) -> Mismatch:
    reason = f"{noun}: {told(failure)}"
    inside = () if isinstance(value, Scalar) else differences([("", failure)])
    left, right = whole_texts(show(expected), show(value))
    return Mismatch(path, reason, left, right, hint=failure.hint, differences=inside)


def _steps(expected: Any, failure: Failure) -> Path:
    """The way, through plain mappings and lists, to what holds all that does not match."""
    ways = [leaf.path for leaf in failure.leaves]
    found: list[Step] = []
    for steps in zip(*ways, strict=False):
        step = steps[0]
        if any(other != step for other in steps) or not _holds(expected, step):
            break
        expected = expected[step]
        found.append(step)
    return tuple(found)


def _holds(expected: Any, step: Step) -> bool:
    if isinstance(expected, list):
        return isinstance(step, int) and step < len(expected)
    return isinstance(expected, dict) and step in expected
