"""Marks: comments in a suite that point at a place and say what is wrong there.

    - sql: select 1 as sum
      expect: {value: 2}
      #               ^ 2 expected, 1 found

A caret stands below the place, and behind it a part of the message; ` … ` stands for what is left
out in the middle. Where the place is too far to the left for a caret, `# <- text` means the column
of the `#` itself. `# at 3:7: text` names a place below which no comment can stand, such as the end
of a file. Several marks below one line all point into that line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MARK = re.compile(r"\s*#\s*(?:(?P<here>\^|<-) |at (?P<line>\d+):(?P<column>\d+): )(?P<text>.+)")
_LEFT_OUT = " … "


@dataclass(frozen=True, slots=True)
class Complaint:
    """A place, and what is said of it: by a mark in part, by the harness in full."""

    line: int
    column: int
    text: str

    def covers(self, actual: Complaint) -> bool:
        """Whether this mark means what the harness said."""
        parts = map(re.escape, self.text.split(_LEFT_OUT))
        same_place = (self.line, self.column) == (actual.line, actual.column)
        return same_place and re.search(".*".join(parts), actual.text, re.DOTALL) is not None

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.text}"


def marks(text: str) -> list[Complaint]:
    """The marks of a file, in order."""
    found: list[Complaint] = []
    marked = 0
    for number, line in enumerate(text.splitlines(), start=1):
        match = _MARK.fullmatch(line)
        if match is None:
            marked = number
        elif match["here"]:
            column = match.start("here") if match["here"] == "^" else line.index("#")
            found.append(Complaint(marked, column + 1, match["text"].strip()))
        else:
            found.append(Complaint(int(match["line"]), int(match["column"]), match["text"].strip()))
    return found


def differences(expected: Iterable[Complaint], actual: Iterable[Complaint]) -> list[str]:
    """What was marked and not said, and what was said and not marked."""
    unmarked = list(actual)
    missing = []
    for mark in expected:
        said = next((each for each in unmarked if mark.covers(each)), None)
        if said is None:
            missing.append(f"not said: {mark}")
        else:
            unmarked.remove(said)
    return missing + [f"not marked: {each}" for each in unmarked]
