"""Where lists and mappings differ inside: each part by its path, in place of two long texts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from harness.matching.display import show, whole_texts
from harness.matching.failure import Failure, dotted
from harness.results import Difference

_MOST = 100
"""Differences of one mismatch that are told."""


def differences(failures: Iterable[tuple[str, Failure]]) -> tuple[Difference, ...]:
    """The parts that differ; each failure comes with what stands before its paths: "row 2: "."""
    found = (
        _difference(f"{before}{dotted(leaf.path)}", leaf)
        for before, failure in failures
        for leaf in failure.leaves
        if leaf.path
    )
    return tuple(islice(found, _MOST))


def told(failure: Failure) -> str:
    """The failure in words; of several parts the gravest, and how many there are."""
    more = sum(1 for _ in failure.leaves) - 1
    if more < 1:
        return str(failure)
    return f"{failure}, and {more} more {'part differs' if more == 1 else 'parts differ'}"


def _difference(path: str, leaf: Failure) -> Difference:
    if len(leaf.shown) != 2:
        return Difference(path, leaf.reason)
    expected, actual = leaf.shown
    return Difference(path, leaf.reason, *whole_texts(show(expected), show(actual)))
