"""What the matchers need of the comparison that they are part of."""

from __future__ import annotations

from typing import Any, Protocol

from harness.matching.casts import RememberedCasts
from harness.matching.failure import Failure
from harness.matching.marks import Marks
from harness.matching.values import Fields, Value
from harness.spec.matchers import Matcher


class Comparer(Protocol):
    """What the matchers need of the comparison that they are part of.

    Attributes:
        casts: PostgreSQL's judgement, for what Python cannot read.
        marks: what `$same` has marked in this spec.
        partial: mappings may have further keys.
    """

    casts: RememberedCasts
    marks: Marks
    partial: bool

    def match(self, expected: Any, value: Value) -> Failure | None:
        """Why the value does not match, or None when it does."""
        ...

    def judge(self, name: str, argument: Any, value: Value) -> Failure | None:
        """Why one operator of a matcher does not hold for the value."""
        ...

    def field(self, name: str, expected: Any, value: Fields) -> Failure | None:
        """Why the part of this name does not match, or is not there."""
        ...

    def operators_of(self, matcher: Matcher) -> dict[str, Any]:
        """The operators of a matcher with their arguments."""
        ...

    def partially(self) -> Comparer:
        """The same, content with mappings that have further keys."""
        ...
