"""One place in the source that a rule objects to."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import Location


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is wrong at a place.

    Attributes:
        where: the path as it is shown; line and column count from one.
        rule: the rule's name.
        what: a sentence.
        instead: what to do.
        last_line: where the expression ends: the remark that allows it may stand there.
    """

    where: Location
    rule: str
    what: str
    instead: str
    last_line: int

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}: {self.what}; {self.instead}"
