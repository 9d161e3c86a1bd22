"""Which of the values seen will be others in the next run, and the matchers that hold for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from harness.matching.casts import NoCasts
from harness.matching.display import Asked
from harness.matching.kinds import type_failure
from harness.matching.times import instant
from harness.matching.values import Scalar, Value
from harness.results import Path

_KINDS = (
    *("uuid", "timestamptz", "timestamp", "date", "time", "interval", "bool", "int", "number"),
    *("text", "bytes", "array", "json"),
)
"""Names that `$type` knows, the most telling first."""

_SECONDS = 5
"""What `$now` allows; tests are seldom slower and timestamps of other meaning seldom nearer."""

_GENERATED = frozenset("1467")
"""Versions of UUIDs that are made of the time or at random."""


class Stability:
    """Tells values that will be others in the next run from those that will not.

    A spec is run twice: what differs between the runs is unstable, and so is what looks generated
    or taken from the clock and does not stand in the spec itself.

    Args:
        source: the YAML text of the spec, and of the parts that it uses.
        now: the start of the transaction, as PostgreSQL prints it in UTC.
        previous: what an earlier run has recorded; None in the first.

    Attributes:
        recorded: every value that healing has seen, by the path of the edit that writes it.
    """

    def __init__(
        self, source: str, now: str, previous: Mapping[Path, str | None] | None = None
    ) -> None:
        self.recorded: dict[Path, str | None] = {}
        self._source = source.lower()
        self._now = _moment(now)
        self._previous = previous

    def differs(self, text: str | None, path: Path) -> bool:
        """Record what is seen at `path`; whether the earlier run saw something else, or nothing."""
        self.recorded[path] = text
        if self._previous is None:
            return False
        return path not in self._previous or self._previous[path] != text

    def matcher(self, value: Scalar, path: Path) -> Asked | None:
        """What to expect in the place of a value that is not stable; None of one that is."""
        text = value.text
        if not self.differs(text, path) and not (text and self._looks_volatile(value, text)):
            return None
        if text is None or (self._previous or {}).get(path, text) is None:
            return Asked("$any", True)
        if kind_of(value) in ("timestamp", "timestamptz") and self._is_near(text, _SECONDS):
            return Asked("$now", _SECONDS)
        return Asked("$type", kind_of(value))

    def _looks_volatile(self, value: Scalar, text: str) -> bool:
        match kind_of(value):
            case "uuid":
                volatile = text[14] in _GENERATED
            case "timestamp" | "timestamptz":
                volatile = self._is_near(text, 24 * 60 * 60)
            case "date":
                volatile = self._now is not None and text == self._now.date().isoformat()
            case _:
                return False
        return volatile and text.lower() not in self._source

    def _is_near(self, text: str, seconds: int) -> bool:
        moment = _moment(text)
        if moment is None or self._now is None:
            return False
        return abs(moment - self._now) <= timedelta(seconds=seconds)


def _moment(text: str) -> datetime | None:
    """The moment that a timestamp names, in UTC; None if it is not printed in ISO form."""
    found = instant(text)
    return found[0] if found else None


def kind_of(value: Value) -> str:
    """The name that `$type` has for a value that is not null."""
    kinds = (kind for kind in _KINDS if type_failure(kind, value, NoCasts()) is None)
    return next(kinds, value.type)
