"""The text of a YAML file with edits made to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.editing.items import Items
from harness.editing.plan import EditError, Plan, Planner, difference, shown
from harness.editing.replacement import Place, Replacement
from harness.editing.splices import Splices
from harness.editing.tree import Lines, Node, Tree
from harness.editing.writer import Writer, style_of
from harness.errors import SpecError
from harness.results import Edit
from harness.results import Path as Steps
from harness.source import parse

_BOM = "\ufeff"
_RESULT = Path("<edited>")


def edited(text: str, edits: Sequence[Edit], file: Path = Path("<text>")) -> str:
    """The text after the edits; every character outside the changed nodes is what it was.

    The edits are made together: all paths are those of `text`. Where aliases or merge keys make a
    value part of several places, only the place that the path names is changed.

    Args:
        text: a YAML document.
        edits: their paths begin at the document's root.
        file: the file that errors name.

    Raises:
        EditError: an edit cannot be made without changing something else.
        SpecError: `text` is not YAML.
    """
    data = parse(text, file)
    planner = Planner(data, file)
    for edit in edits:
        planner.add(edit)
    if not planner.plan:
        return text
    bom = _BOM if text.startswith(_BOM) else ""
    body = _edited(text.removeprefix(_BOM), data, planner)
    return bom + body


def _edited(text: str, data: Any, planner: Planner) -> str:
    # A last line without an end is given one, so that every line can be treated alike.
    added = "" if text.endswith(("\n", "\r")) else Lines(text + "\n").line_break(0)
    lines = Lines(text + added)
    tree = Tree(lines)
    style = style_of(tree.root, lines)
    expected = planner.plan.applied(data)

    def attempt(*, literals: bool) -> str:
        splices = _Walk(lines, tree, planner, Writer(style, literals=literals)).splices(data)
        result = splices.result().removesuffix(added)
        if fault := _fault(splices, result, expected):
            path, why = fault
            what = f"{shown(path)} cannot be edited in the style in which it is written: {why}"
            raise planner.refusal(path, what, "edit it by hand, or write it in a simpler style")
        return result

    try:
        return attempt(literals=True)
    except EditError:
        return attempt(literals=False)


def _fault(splices: Splices, text: str, expected: Any) -> tuple[Steps, str] | None:
    """Reads the new text back: what is wrong with it, and which edit is the likely cause."""
    try:
        found = parse(text, _RESULT)
    except SpecError as error:
        where = error.problems[0].where
        return splices.path_in(where.line if where else 1), error.problems[0].what
    path = difference(expected, found)
    if path is None:
        return None
    return splices.path_near(path), f"{shown(path)} would become another value"


class _Walk:
    """A plan over the nodes of a text: makes the splices of those that change."""

    def __init__(self, lines: Lines, tree: Tree, planner: Planner, writer: Writer) -> None:
        self._lines = lines
        self._tree = tree
        self._planner = planner
        self._writer = writer
        self._splices = Splices(lines)

    def splices(self, data: Any) -> Splices:
        """All splices; EditError if one would change what an alias elsewhere stands for."""
        root = self._tree.root
        place = Place(flow=False, keyed=False, column=0, after=root.begin)
        self._visit(root, self._planner.plan, data, place)
        self._refuse_shared()
        return self._splices

    def _visit(self, node: Node, plan: Plan, data: Any, place: Place) -> None:
        self._splices.path = plan.path
        self._splices.touched[node] = plan.path
        if plan.action == "replace" or node.kind == "alias" or self._is_rewritten(node, plan):
            value = plan.applied(data)
            Replacement(self._splices, self._writer, node, place).put(value)
            return
        inserts, removed = dict(plan.inserts), []
        for step, child in plan.children.items():
            entry = node.find(step)
            if child.action == "remove":
                if entry is None:
                    raise self._irremovable(child)
                removed.append(entry)
                self._drop(entry, child)
            elif entry is None:  # it comes by a merge key, which its own key overrides
                inserts[step] = [child.applied(data[step])]
            else:
                self._visit(entry, child, data[step], self._place(node, entry, place))
        if inserts or removed:
            self._splices.path = plan.path
            flow = place.flow or node.flow
            Items(self._splices, self._writer, node, flow=flow).change(inserts, removed)

    def _drop(self, item: Node, plan: Plan) -> None:
        self._splices.path = plan.path
        self._splices.drop(item)
        if item.key:
            self._splices.drop(item.key)

    def _is_rewritten(self, node: Node, plan: Plan) -> bool:
        """Whether items come and go in a collection that has no place for them, or loses all."""
        children = plan.children.items()
        removed = [step for step, child in children if child.action == "remove" and node.find(step)]
        is_pair = node.flow and self._lines.text[node.start] not in "[{"  # of `[a: 1]`
        changes = bool(removed or plan.inserts)
        return changes and (is_pair or len(removed) == len(node.entries))

    def _place(self, parent: Node, entry: Node, place: Place) -> Place:
        lines = self._lines
        flow = place.flow or parent.flow
        column = lines.column(parent.start)
        if entry.key is None:
            return Place(flow, keyed=False, column=column, after=entry.begin)
        colon = lines.gap(entry.key.end)
        after = colon + 1 if lines.text.startswith(":", colon) else entry.key.end
        return Place(flow, keyed=True, column=column, after=after)

    def _irremovable(self, plan: Plan) -> EditError:
        return self._planner.refusal(
            plan.path,
            f"{shown(plan.path)} comes by a merge key and cannot be removed here",
            "remove it from the mapping that is merged, or write out the keys that should stay",
        )

    def _refuse_shared(self) -> None:
        """Refuses to change what an alias elsewhere stands for, too."""
        splices = self._splices
        for alias in self._tree.aliases:
            target = alias.target
            if target in splices.touched and not splices.is_gone(alias):
                line = self._lines.number(alias.begin)
                raise self._planner.refusal(
                    splices.touched[target],
                    f"the alias *{target.anchor} in line {line} stands for this value, too",
                    "write the value out where the alias stands, or edit both by hand",
                )
