"""Judging what a call returned."""

from __future__ import annotations

from typing import Any

from harness.matching.alone import judge_within
from harness.matching.comparison import Comparison
from harness.matching.display import show
from harness.matching.objects import of_python
from harness.results import Mismatch, Path


def judge_result(
    expected: Any, value: Any, path: Path, comparison: Comparison
) -> tuple[Mismatch, ...]:
    """Judge what a call returned by what is expected of it.

    Of an object (of pydantic, attrs, a dataclass, a mapped class, a named tuple, any other) an
    expectation names the attributes that matter; of a mapping it names all keys. A named tuple may
    be compared with a list, too. Nothing is loaded, awaited or used up to find out.

    Args:
        expected: plain data and matchers.
        value: the Python value.
        path: to `result`.
        comparison: compares them.
    """
    with comparison.marks.at(path):
        try:
            mismatch = judge_within(expected, of_python(value), path, "result", comparison)
        except RecursionError:
            reason = "result: it is nested too deeply to be compared, or holds itself"
            return (Mismatch(path, reason, show(expected), f"<{type(value).__name__}>"),)
    return (mismatch,) if mismatch else ()
