"""Pairing two sides so that as many as can be have a partner: a maximum bipartite matching.

Hopcroft and Karp's algorithm (SIAM J. Comput. 2, 1973), without recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

Partners = list[int | None]
Edges = Sequence[Sequence[int]]


def pair(candidates: Edges, holds: Callable[[int, int], bool]) -> Partners:
    """For each on the left its partner on the right, or None; no pairing has more pairs.

    Args:
        candidates: for each on the left, those on the right that it might be paired with.
        holds: whether the two indeed go together; asked at most twice for each candidate, and
            hardly more than once for each on the left where both sides have one order.
    """
    partners: Partners = []
    taken: set[int] = set()
    for left, rights in enumerate(candidates):
        free = (right for right in rights if right not in taken and holds(left, right))
        partner = next(free, None)
        partners.append(partner)
        if partner is not None:
            taken.add(partner)
    if None not in partners:
        return partners
    edges = [
        [right for right in rights if holds(left, right)] for left, rights in enumerate(candidates)
    ]
    return _maximised(edges, partners)


def _maximised(edges: Edges, partners: Partners) -> Partners:
    owners = {right: left for left, right in enumerate(partners) if right is not None}
    while layers := _layers(edges, partners, owners):
        untried = [iter(rights) for rights in edges]
        for left, partner in enumerate(partners):
            if partner is None:
                _augment(left, layers, untried, partners, owners)
    return partners


def _layers(edges: Edges, partners: Partners, owners: dict[int, int]) -> dict[int, int] | None:
    """How many steps each on the left is from one without a partner, if any path leads on."""
    frontier = [left for left, partner in enumerate(partners) if partner is None]
    layers = dict.fromkeys(frontier, 0)
    reached: set[int] = set()
    complete = False
    while frontier and not complete:
        following = []
        for left in frontier:
            for right in edges[left]:
                if right in reached:
                    continue
                reached.add(right)
                owner = owners.get(right)
                if owner is None:
                    complete = True
                elif owner not in layers:
                    layers[owner] = layers[left] + 1
                    following.append(owner)
        frontier = following
    return layers if complete else None


def _augment(
    start: int,
    layers: dict[int, int],
    untried: Sequence[Iterator[int]],
    partners: Partners,
    owners: dict[int, int],
) -> None:
    """Give `start` a partner along a shortest path through those that have one, if there is one."""
    path = [start]
    chosen: list[int] = []
    while path:
        left = path[-1]
        for right in untried[left]:
            owner = owners.get(right)
            if owner is None:
                for each, partner in zip(path, [*chosen, right], strict=True):
                    partners[each] = partner
                    owners[partner] = each
                return
            if layers.get(owner) == layers[left] + 1:
                path.append(owner)
                chosen.append(right)
                break
        else:
            path.pop()
            if chosen:
                chosen.pop()
