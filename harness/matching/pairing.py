"""Pairing two sides so that as many as can be have a partner: a maximum bipartite matching.

Hopcroft and Karp's algorithm (SIAM J. Comput. 2, 1973), without recursion. Sets of those on the
right are the bits of an int, which Python intersects a thousand at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

Partners = list[int | None]
Edges = Callable[[int], int]
"""For one on the left the set of those on the right that it may be paired with."""


def members(bits: int) -> Iterator[int]:
    """The members of a set, in ascending order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def pair(lefts: int, edges: Edges, begun: Sequence[int | None] = ()) -> Partners:
    """For each on the left its partner on the right, or None; no pairing has more pairs.

    Args:
        lefts: how many there are on the left.
        edges: asked once for each on the left, and again, about once in each of a few rounds, for
            those that a change of partners might reach.
        begun: a pairing to go on from, all of whose pairs are edges.
    """
    partners = list(begun) or [None] * lefts
    taken = set_of(partner for partner in partners if partner is not None)
    for left, partner in enumerate(partners):
        free = 0 if partner is not None else edges(left) & ~taken
        if free:
            taken |= free & -free
            partners[left] = next(members(free))
    owners = {right: left for left, right in enumerate(partners) if right is not None}
    while None in partners and (onward := _layers(edges, partners, owners)):
        tried = 0
        for left, partner in enumerate(partners):
            if partner is None:
                tried = _augment(left, onward, partners, owners, tried)
    return partners


def set_of(numbers: Iterable[int]) -> int:
    """The set of these numbers."""
    bits = bytearray()
    for number in numbers:
        index, bit = divmod(number, 8)
        if index >= len(bits):
            bits.extend(bytes(index + 1 - len(bits)))
        bits[index] |= 1 << bit
    return int.from_bytes(bits, "little")


def _layers(edges: Edges, partners: Partners, owners: dict[int, int]) -> dict[int, int] | None:
    """For each on the left the rights to go on to on a shortest way to a free one, if there is any.

    Those that no such way leads to are left out.
    """
    frontier = [left for left, partner in enumerate(partners) if partner is None]
    onward: dict[int, int] = {}
    reached = 0
    while frontier:
        found = 0
        for left in frontier:
            onward[left] = edges(left) & ~reached
            found |= onward[left]
        reached |= found
        free = [right for right in members(found) if right not in owners]
        if free:
            last = set_of(free)
            onward.update((left, onward[left] & last) for left in frontier)
            return onward
        frontier = [owners[right] for right in members(found)]
    return None


def _augment(
    start: int, onward: dict[int, int], partners: Partners, owners: dict[int, int], tried: int
) -> int:
    """Give `start` a partner along a shortest way through those that have one, if there is one.

    Returns those that were tried: in one round none is tried twice.
    """
    path, chosen = [start], list[int]()
    while path:
        options = onward.get(path[-1], 0) & ~tried
        if not options:
            path.pop()
            if chosen:
                chosen.pop()
            continue
        right = next(members(options))
        tried |= 1 << right
        chosen.append(right)
        owner = owners.get(right)
        if owner is None:
            for left, partner in zip(path, chosen, strict=True):
                partners[left] = partner
                owners[partner] = left
            break
        path.append(owner)
    return tried
