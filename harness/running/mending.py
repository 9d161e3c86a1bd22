"""What `--harness-update` would write into a spec, from what one run of it saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.loader import LoadedSpec
from harness.matching.comparison import Comparison
from harness.matching.failure import dotted
from harness.matching.healing import Healer, Healing, Stability
from harness.matching.outcome import SqlResult
from harness.results import Edit, Mismatch, Path, ResultSet, TableChange
from harness.running.performed import Performed
from harness.spec.expectations import (
    RESULT,
    CallOutcome,
    HttpOutcome,
    Outcome,
    SqlOutcome,
)
from harness.spec.operations import CallOperation
from harness.spec.state import StateExpectation, TableState

Seen = Mapping[str, TableChange]
_NOTHING = ResultSet((), ())
_UNCHANGED = TableChange(_NOTHING, _NOTHING, _NOTHING, _NOTHING)


class Mending:
    """Gathers the edits that would make the expectations of one spec hold.

    Args:
        loaded: the spec.
        previous: what an earlier run of it has recorded, by which values are told that change
            from run to run; None in the first.

    Attributes:
        edits: their paths begin at the spec.
        refusals: why something that failed is left as it is.
    """

    def __init__(self, loaded: LoadedSpec, previous: Mapping[Path, str | None] | None) -> None:
        self._loaded = loaded
        self._previous = previous
        self._stability: Stability | None = None
        self.edits: list[Edit] = []
        self.refusals: list[str] = []
        self._refused: set[Path] = set()
        self._has_failed = False  # the rest of the spec saw what it should not have

    @property
    def recorded(self) -> Mapping[Path, str | None]:
        """For the next run: what was seen, by path."""
        return self._stability.recorded if self._stability else {}

    def refuse(self, mismatches: Sequence[Mismatch]) -> None:
        """Note what went wrong that no other expectation would mend; nothing is written there."""
        for each in mismatches:
            self._refused.add(each.path)
            self._tell(each.path, each.reason)

    def placeholders(self, path: Path) -> list[Path]:
        """The placeholders below a path, the rest of the way."""
        below = (each for each in self._loaded.placeholders if each[: len(path)] == path)
        return [each[len(path) :] for each in below]

    def wants_changes(self, path: Path) -> bool:
        """Whether the expectations at `path` are to say what has changed."""
        rests = self.placeholders(path)
        return ("changes",) in [rest[:1] for rest in rests] or (path == ("expect",) and () in rests)

    def wants_error(self, path: Path) -> bool:
        """Whether the expectations at `path` are to say which error there was, if any."""
        return any(rest[:1] in ((), ("error",)) for rest in self.placeholders(path))

    def tables(self, path: Path) -> dict[str, TableState]:
        """How to select what tables hold of which nothing is expected yet."""
        found = {}
        for rest in self.placeholders((*path, "tables")):
            written = self._written((*path, "tables", rest[0]))
            selecting = {"count": 0}
            if isinstance(written, dict):
                kept = written.keys() & {"where", "columns"}
                selecting |= {key: written[key] for key in kept}
            if len(rest) <= 2:  # not inside a row
                found[str(rest[0])] = TableState.model_validate(selecting)
        return found

    def operation(
        self,
        expect: Outcome | None,
        performed: Performed,
        path: Path,
        comparison: Comparison,
    ) -> None:
        """Mend what is expected of an operation, whose expectations stand at `path`."""
        healer = self._healer(comparison)
        self._has_failed = self._has_failed or self._is_failure(healer, expect, performed, path)
        if self._has_failed:
            return
        parts = []
        for rest in self.placeholders(path):
            if len(rest) == 2 and rest[0] == "error":
                parts.append(str(rest[1]))
                continue
            seen = self._operation_seen(healer, rest, performed, path)
            self._note(seen)
            if not rest and performed.result.error is not None and seen.refusals:
                self._has_failed = True
        if parts:
            error, place = performed.result.error, (*path, "error")
            others = expect.error if expect is not None else None
            self._note(healer.seen_error(parts, others, error, place))
        if expect is not None:
            self._outcome(healer, expect, performed, path)

    def _is_failure(
        self, healer: Healer, expect: Outcome | None, performed: Performed, path: Path
    ) -> bool:
        """Whether a request failed that was not to fail."""
        response = performed.response
        if response is None or (expect is not None and expect.error is not None):
            return False
        outcome = expect if isinstance(expect, HttpOutcome) else None
        written = self._written(path) if outcome or self.placeholders(path) else None
        if not healer.has_failed(outcome, written, response):
            return False
        reason = f"the request failed: {response.title} (`status: ???` would expect that)"
        self._tell((*path[:-1], "http"), reason)
        return True

    def _outcome(self, healer: Healer, expect: Outcome, performed: Performed, path: Path) -> None:
        """Mend what is expected of an operation and is not a placeholder as a whole."""
        result, changes, written = performed.result, performed.changes, self._written(path)
        if isinstance(expect, SqlOutcome):
            self._note(healer.sql(expect, written, result, path))
        elif expect.error is not None:
            place = (*path, "error")
            self._note(healer.error(expect.error, self._written(place), result.error, place))
        elif isinstance(expect, HttpOutcome) and performed.response is not None:
            self._note(healer.response(expect, written, performed.response, path))
        elif isinstance(expect, CallOutcome) and expect.given("result") and result.error is None:
            place = (*path, "result")
            returned = performed.returned
            self._note(healer.returned(expect.result, self._written(place), returned, place))
        if expect.queries is not None:
            place, sent = (*path, "queries"), performed.queries
            self._note(healer.queries(expect.queries, self._written(place), sent, place))
        if expect.notices is not None:
            place, notices = (*path, "notices"), performed.notices
            self._note(healer.notices(expect.notices, self._written(place), notices, place))
        if expect.changes is not None and changes is not None:
            place = (*path, "changes")
            self._note(healer.changes(expect.changes, self._written(place), changes, place))

    def _operation_seen(
        self, healer: Healer, rest: Path, performed: Performed, path: Path
    ) -> Healing:
        """Replace a placeholder for all that is expected, or for one key."""
        place, result = (*path, *rest), performed.result
        match rest:
            case ():
                return self._whole_seen(healer, performed, path)
            case ("notices",):
                return healer.seen_notices(performed.notices, place)
            case ("changes", *below):
                return _changes_seen(healer, tuple(below), performed.changes or {}, place)
            case (str(key),) if key == "error" or key in RESULT:
                return healer.seen(key, result, place)
        return Healing()  # inside a value, or for one: healed with what it is part of

    def _whole_seen(self, healer: Healer, performed: Performed, path: Path) -> Healing:
        operation = self._loaded.spec.operations[int(path[1])]
        if performed.response is not None:
            return healer.seen_response(performed.response, path)
        if isinstance(operation, CallOperation) and performed.result.error is None:
            return healer.seen_return(performed.returned, path)
        return healer.seen("expect", performed.result, path)

    def state(
        self,
        expect: StateExpectation | None,
        tables: Mapping[str, ResultSet],
        changes: Seen | None,
        path: Path,
        comparison: Comparison,
    ) -> None:
        """Mend what is expected in the end; `tables` holds what was selected of each."""
        if self._has_failed:
            return
        healer = self._healer(comparison)
        for rest in self.placeholders(path):
            match rest:
                case ():
                    self._note(healer.seen_state(changes or {}, path))
                case ("changes", *_):
                    self._note(_changes_seen(healer, rest[1:], changes or {}, (*path, *rest)))
                case ("tables", str(name)) | ("tables", str(name), str()) if name in tables:
                    key = str(rest[2]) if len(rest) == 3 else "rows"
                    self._note(healer.seen(key, SqlResult(tables[name]), (*path, *rest)))
        if expect is None:
            return
        for name, state in (expect.tables or {}).items():
            if name in tables:
                place = (*path, "tables", name)
                self._note(healer.table(state, self._written(place), tables[name], place))
        if expect.changes is not None and changes is not None:
            place = (*path, "changes")
            self._note(healer.changes(expect.changes, self._written(place), changes, place))

    def _healer(self, comparison: Comparison) -> Healer:
        if self._stability is None:
            loaded = self._loaded
            source = [loaded.written, *(layer.source for layer in loaded.layers)]
            now = comparison.casts.now()
            self._stability = Stability("\n".join(_scalars(source)), now, self._previous)
        return Healer(comparison, self._stability)

    def _written(self, path: Path) -> Any:
        """The node at a path; what is no collection, a template, stands for all below it."""
        node: Any = self._loaded.written
        for step in path:
            if isinstance(node, str):
                break
            node = node[step]
        return node

    def _note(self, healing: Healing) -> None:
        # What stands for a placeholder may be seen twice: by itself, and with what it is part of.
        # What is inserted is not: two rows may be equal, and stand at one place.
        self.edits += (
            edit
            for edit in healing.edits
            if (edit.action == "insert" or edit not in self.edits)
            and not self._is_refused(edit.path)
        )
        for each in healing.refusals:
            self._tell(each.path, each.reason)

    def _is_refused(self, path: Path) -> bool:
        """Whether an edit would change something that is refused, or something inside of it."""
        return any(path[: len(each)] == each[: len(path)] for each in self._refused)

    def _tell(self, path: Path, reason: str) -> None:
        refusal = f"{dotted(path)}: {reason}"
        if refusal not in self.refusals:
            self.refusals.append(refusal)


def _changes_seen(healer: Healer, rest: Path, seen: Seen, path: Path) -> Healing:
    """Replace a placeholder for all changes, for those of a table, or for one kind of them."""
    match rest:
        case ():
            return healer.seen_changes(seen, path)
        case (str(name),):
            return healer.seen_change(seen.get(name, _UNCHANGED), path)
        case (str(name), str(kind)):
            change = getattr(seen.get(name, _UNCHANGED), kind)
            return healer.seen("count", SqlResult(change), path)
    return Healing()  # inside a row: healed with it


def _scalars(value: Any) -> Iterator[str]:
    """All that stands in YAML as text, keys left out."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    else:
        yield str(value)
