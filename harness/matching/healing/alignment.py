"""Two sequences side by side in their order, as much of both together as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise, zip_longest

Pairs = list[tuple[int | None, int | None]]
"""Indices of what belongs together; None where one side has nothing."""

Likeness = Callable[[int, int], int]
"""How much of an element on the left holds for one on the right."""

_TRIED = 40_000
"""So many comparisons, at most, for what stands between the beginnings and ends that agree."""


def aligned(
    lefts: int, rights: int, holds: Callable[[int, int], bool], likeness: Likeness | None = None
) -> Pairs:
    """What agrees in the same order on both sides; what stands between is paired one by one.

    Where more stands on one side, `likeness` says what of the other belongs together.
    """
    head = tail = 0
    while head < min(lefts, rights) and holds(head, head):
        head += 1
    while tail < min(lefts, rights) - head and holds(lefts - 1 - tail, rights - 1 - tail):
        tail += 1
    anchors = [
        *((index, index) for index in range(head)),
        *_common(range(head, lefts - tail), range(head, rights - tail), holds),
        *((lefts - back, rights - back) for back in range(tail, -1, -1)),
    ]
    if likeness is not None:
        anchors = [pair for gap in _gaps(anchors) for pair in (*_alike(*gap, likeness), _end(gap))]
    pairs: Pairs = []
    for left, right in _gaps(anchors):
        pairs += zip_longest(left, right)
        pairs.append((left.stop, right.stop))
    return pairs[:-1]  # the last anchor is the end of both


def _gaps(anchors: list[tuple[int, int]]) -> Iterator[tuple[range, range]]:
    """What stands before each of the anchors."""
    for (left, right), (next_left, next_right) in pairwise([(-1, -1), *anchors]):
        yield range(left + 1, next_left), range(right + 1, next_right)


def _end(gap: tuple[range, range]) -> tuple[int, int]:
    return gap[0].stop, gap[1].stop


def _alike(lefts: range, rights: range, likeness: Likeness) -> list[tuple[int, int]]:
    return _common(lefts, rights, likeness) if len(lefts) != len(rights) else []


def _common(lefts: range, rights: range, likeness: Likeness) -> list[tuple[int, int]]:
    """The pairs, in order, that are most alike all together; none where that takes too long."""
    if len(lefts) * len(rights) > _TRIED:
        return []
    alike = [[likeness(left, right) for right in rights] for left in lefts]
    best = [[0] * (len(rights) + 1) for _ in range(len(lefts) + 1)]
    for i in reversed(range(len(lefts))):
        for j in reversed(range(len(rights))):
            together = alike[i][j] + best[i + 1][j + 1]
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    found = []
    i = j = 0
    while i < len(lefts) and j < len(rights):
        if alike[i][j] and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            found.append((lefts[i], rights[j]))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return found
