"""What collection has to know of a spec; all the rest is elsewhere until the spec runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.archive.spool import Slot
from harness.loader import LoadedSpec


class Manner(NamedTuple):
    """What specs of a file may have in common.

    Attributes:
        layers: numbers of those that the file has.
    """

    tags: tuple[str, ...]
    skip: bool | str | None
    xfail: bool | str | None
    layers: tuple[int, ...]


class Outline(NamedTuple):
    """One item.

    Attributes:
        id: its name.
        line: where it begins, counted from one.
        manner: shared with the others that have the same.
        slot: of its YAML, with its case.
        written: of the YAML before its cases were expanded; without cases it is the same.
        number: its place in `specs`; None for a spec that is a file of its own.
        cases: how many items the same YAML makes.
    """

    id: str
    line: int
    manner: Manner
    slot: Slot
    written: Slot
    number: int | None
    cases: int


class Outlines:
    """Gathers the outlines of one file.

    Attributes:
        found: in the order of their specs.
    """

    def __init__(self) -> None:
        self.found: list[Outline] = []
        self._manners: dict[Manner, Manner] = {}

    def add(self, loaded: LoadedSpec, layers: tuple[int, ...], slot: Slot, written: Slot) -> None:
        """Note a spec."""
        spec = loaded.spec
        manner = Manner(tuple(spec.tags), spec.skip, spec.xfail, layers)
        manner = self._manners.setdefault(manner, manner)
        line = loaded.where.line
        self.found.append(
            Outline(loaded.id, line, manner, slot, written, loaded.index, loaded.cases)
        )

    def plain(self, base: int) -> Any:
        """All of them as lists and scalars, with slots from `base` on."""
        numbers = {id(manner): number for number, manner in enumerate(self._manners)}
        rows = [
            [id_, line, numbers[id(manner)], number, cases]
            + [place - base for place in (slot if written is slot else (*slot, *written))]
            for id_, line, manner, slot, written, number, cases in self.found
        ]
        return [list(self._manners), rows]


def outlines(plain: Any, base: int) -> list[Outline]:
    """What `Outlines.plain` gave, with slots that begin at `base`."""
    manners = [
        Manner(tuple(tags), skip, xfail, tuple(layers)) for tags, skip, xfail, layers in plain[0]
    ]
    found: list[Outline] = []
    for id_, line, manner, number, cases, *places in plain[1]:
        slot = written = (base + places[0], base + places[1])
        if len(places) > 2:
            written = (base + places[2], base + places[3])
        found.append(Outline(id_, line, manners[manner], slot, written, number, cases))
    return found
