"""Values of the database as the YAML that expects them, proved by reading it back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path as File
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import SpecError
from harness.matching.comparison import Comparison
from harness.matching.display import Asked, show
from harness.matching.families import TEXTUAL
from harness.matching.healing.repairs import Repair, UnwritableError, insertion, replacement
from harness.matching.healing.stability import Stability, kind_of
from harness.matching.objects import Attributes
from harness.matching.plaindata import plain_data
from harness.matching.typenames import SET
from harness.matching.values import (
    Fields,
    Items,
    Scalar,
    Unreadable,
    Value,
    value_key,
    value_of,
)
from harness.results import Path, Step
from harness.source import parse
from harness.spec.matchers import PLACEHOLDER, Expected
from harness.templating import is_template

_EXPECTED: TypeAdapter[Any] = TypeAdapter(Expected)
_UNSTABLE = "it differs from run to run"
_ALL = object()


class Writer:
    """Writes what was seen; what is not stable becomes a matcher.

    Args:
        comparison: judges what is written against what was seen.
        stability: knows what is stable, and records what was seen.
    """

    def __init__(self, comparison: Comparison, stability: Stability) -> None:
        self._comparison = comparison
        self._stability = stability

    def replacement(self, written: Any, value: Value, path: Path) -> Repair:
        """What puts a value in the place of what is written at `path`."""
        return replacement(written, path, lambda: self.text(value, path))

    def count(self, written: Any, number: int, path: Path) -> Repair:
        """What puts a number of things in the place of what is written, or where None is."""
        if written is None:
            return insertion(path, lambda: self.number(number, path))
        return replacement(written, path, lambda: self.number(number, path))

    def number(self, number: int, path: Path) -> str:
        """A number of things, seen at `path`.

        Raises:
            UnwritableError: it is not stable.
        """
        if self._stability.differs(str(number), path):
            raise UnwritableError(_UNSTABLE)
        return str(number)

    def text(self, value: Value, path: Path) -> str:
        """YAML flow text that expects this value, seen at `path`.

        Raises:
            UnwritableError: there is none.
        """
        return self.shown(self.data(value, path), value)

    def data(self, value: Value, path: Path) -> Any:
        """What `show` writes of a value: mappings and lists, with scalars and matchers in them.

        Raises:
            UnwritableError: there is none.
        """
        try:
            return self._data(value, path)
        except RecursionError as error:
            raise UnwritableError("it is nested too deeply to be written") from error

    def shown(self, data: Any, value: Value) -> str:
        """The data as YAML flow text; it is read back and must hold for the value.

        Raises:
            UnwritableError: it does not.
        """
        text = show(data)
        try:
            expected = _EXPECTED.validate_python(parse(f"[{text}]", File("seen.yaml"))[0])
        except (SpecError, ValidationError) as error:
            raise UnwritableError("what was seen cannot be written as YAML") from error
        failure = self._comparison.verdict(expected, value)
        if failure:
            raise UnwritableError(f"what was seen would not match itself: {failure}")
        return text

    def _data(self, value: Value, path: Path, plain: Any = _ALL) -> Any:
        """The data of a value; `plain` is the part of its holder's plain data that stands for it.

        Objects may hold each other. The plain data of the outermost one says how far to go.
        """
        match value:
            case Scalar():
                return self._stability.matcher(value, path) or _scalar(value)
            case Items(items=items):
                changed = self._stability.differs(f"{len(items)} elements", path)
                if changed and value.type != "record":
                    return Asked("$type", kind_of(value))
                if value.type == SET:  # the order of its plain data is another
                    plain = _ALL
                data = [
                    self._data(item, (*path, index), _below(plain, index))
                    for index, item in enumerate(items)
                ]
                return Asked("$unordered", data) if value.type == SET else data
            case Fields():
                return self._mapping(value, path, plain)
            case Unreadable(reason=reason):
                raise UnwritableError(reason)

    def _mapping(self, value: Fields, path: Path, plain: Any) -> Any:
        fields = value.fields
        if isinstance(fields, Attributes):
            plain = plain_data(fields.owner) if plain is _ALL else plain
            if not isinstance(plain, dict) or not plain:
                raise UnwritableError(f"no attribute of this {value.type} is plain")
            fields = {name: fields[name] for name in plain}
        if self._stability.differs(f"keys {sorted(fields)}", path) and not value.open:
            return Asked("$type", kind_of(value))
        return {
            name: self._data(item, (*path, name), _below(plain, name))
            for name, item in fields.items()
        }


def _scalar(value: Scalar) -> Scalar | Asked:
    """The value, or where its text would mean something else a pattern that only it fits."""
    if value.text != PLACEHOLDER and not is_template(value.text):
        return value
    if value.family not in TEXTUAL:
        raise UnwritableError(f"{value.text} has a meaning of its own in a spec")
    return Asked("$regex", rf"\A{re.escape(str(value_key(value)))}\Z")


def _below(plain: Any, step: Step) -> Any:
    """The part of plain data that a step leads to; None of what has been left out there."""
    if plain is _ALL:
        return _ALL
    if isinstance(plain, dict):
        return plain.get(step)
    return plain[step] if isinstance(plain, list) and isinstance(step, int) else None


def texts(items: Sequence[str]) -> Items:
    """A list of texts as a value."""
    return Items(tuple(value_of(item, "text") for item in items), "text[]")
