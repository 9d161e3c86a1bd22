"""The edits of one file, sorted by the nodes that they change, and what the data is after them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.errors import HarnessError, Location, SpecError
from harness.results import Edit, Step
from harness.results import Path as Steps
from harness.source import locate, parse


class EditError(HarnessError):
    """An edit that cannot be made without changing something else, or a file not to be written.

    Attributes:
        path: that of the edit; empty where it is the file that cannot be written.
    """

    def __init__(
        self, path: Steps, what: str, hint: str | None = None, where: Location | None = None
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.path = path


@dataclass(slots=True)
class Plan:
    """What is to happen to one node, or to something below it.

    Attributes:
        path: of the first edit that leads here.
        action: what happens to the node as a whole, with the `value` that replaces it.
        inserts: new items by the index that they stand before, new values by their key.
        children: the plans of the items and values that are edited.
    """

    path: Steps
    action: Literal["replace", "remove"] | None = None
    value: Any = None
    inserts: dict[Step, list[Any]] = field(default_factory=dict)
    children: dict[Step, Plan] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.action or self.inserts or self.children)

    def applied(self, data: Any) -> Any:
        """What `data`, the node's value, is after the edits; `data` itself stays as it is."""
        if self.action == "replace":
            return self.value
        return self._mapping(data) if isinstance(data, Mapping) else self._list(data)

    def _mapping(self, data: Mapping[str, Any]) -> dict[str, Any]:
        result = {key: self._child(key, value) for key, value in data.items() if self._keeps(key)}
        return result | {str(key): values[-1] for key, values in self.inserts.items()}

    def _list(self, data: Sequence[Any]) -> list[Any]:
        result = []
        for index, item in enumerate(data):
            result += self.inserts.get(index, [])
            if self._keeps(index):
                result.append(self._child(index, item))
        return result + self.inserts.get(len(data), [])

    def _keeps(self, step: Step) -> bool:
        return step not in self.children or self.children[step].action != "remove"

    def _child(self, step: Step, data: Any) -> Any:
        return self.children[step].applied(data) if step in self.children else data


class Planner:
    """Sorts edits into a plan; raises EditError for those that the file has no place for."""

    def __init__(self, data: Any, file: Path) -> None:
        self._data = data
        self._file = file
        self.plan = Plan(())

    def add(self, edit: Edit) -> None:
        """Plans an edit; one that would replace a value by itself is none."""
        if not edit.path:
            raise self.refusal(edit.path, "an edit needs a path: the whole file is not replaced")
        found = self._find(edit)
        value = None if edit.action == "remove" else self._value(edit)
        if edit.action == "replace" and difference(value, found) is None:
            return
        self.plan.path = self.plan.path or edit.path
        node = self._descend(edit, edit.path[:-1])
        step = edit.path[-1]
        if edit.action == "insert":
            values = node.inserts.setdefault(step, [])
            if values and isinstance(step, str) and difference(values[-1], value) is not None:
                raise self._conflict(edit)
            values.append(value)
        else:
            self._set(node.children.setdefault(step, Plan(edit.path)), edit, value)

    def refusal(self, path: Steps, what: str, hint: str | None = None) -> EditError:
        """The error, with the place of the node that `path` leads to."""
        here = isinstance(self._data, (list, dict))
        where = locate(self._data, path) if here else Location(self._file)
        return EditError(path, what, hint, where)

    def _set(self, node: Plan, edit: Edit, value: Any) -> None:
        again = node.action == edit.action and difference(node.value, value) is None
        if node and not again:
            raise self._conflict(edit)
        node.action = "remove" if edit.action == "remove" else "replace"
        node.value = value

    def _descend(self, edit: Edit, steps: Steps) -> Plan:
        node = self.plan
        for step in steps:
            node = node.children.setdefault(step, Plan(edit.path))
            if node.action:
                raise self._conflict(edit)
        return node

    def _conflict(self, edit: Edit) -> EditError:
        return self.refusal(
            edit.path,
            f"two edits of {shown(edit.path)} contradict each other",
            "with several cases, an expectation that differs between them is written by hand",
        )

    def _find(self, edit: Edit) -> Any:
        """The value at the edit's path; None for what is to be inserted."""
        node = self._data
        for depth, step in enumerate(edit.path, start=1):
            known = range(len(node)) if isinstance(node, list) else node
            fits = isinstance(node, dict if isinstance(step, str) else list)
            if edit.action == "insert" and depth == len(edit.path) and fits:
                if isinstance(node, dict) and step in node:
                    raise self.refusal(edit.path, f"the key {step!r} is already there")
                if isinstance(step, str) or 0 <= step <= len(node):
                    return None
            if not fits or step not in known:
                raise self.refusal(
                    edit.path,
                    f"there is no {shown(edit.path[:depth])} in this file",
                    "the path of an edit names keys and items as they are written",
                )
            node = node[step]
        return node

    def _value(self, edit: Edit) -> Any:
        if edit.value is None:
            raise self.refusal(edit.path, f"the new value of {shown(edit.path)} is missing")
        try:
            return parse(edit.value, self._file)
        except SpecError as error:
            what = f"the new value of {shown(edit.path)} cannot be written as YAML: {edit.value}"
            raise self.refusal(edit.path, what, error.problems[0].what) from error


def shown(path: Steps) -> str:
    """A path as text: `specs[2].expect.rows[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".") or "the document"


def difference(left: Any, right: Any, path: Steps = ()) -> Steps | None:
    """Where two values first differ; types, the digits of numbers and the order of keys count."""
    if isinstance(left, dict) and isinstance(right, dict) and list(left) == list(right):
        return _first(((key, value, right[key]) for key, value in left.items()), path)
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return _first(((index, one, other) for index, (one, other) in pairs), path)
    return None if type(left) is type(right) and str(left) == str(right) else path


def _first(triples: Iterable[tuple[Step, Any, Any]], path: Steps) -> Steps | None:
    for step, left, right in triples:
        found = difference(left, right, (*path, step))
        if found is not None:
            return found
    return None
