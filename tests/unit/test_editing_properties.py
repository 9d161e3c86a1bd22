"""What holds for every document, in whatever style, and every edit."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from harness import source
from harness.editing import EditError, edited, tree
from harness.errors import SpecError
from harness.results import Edit
from harness.results import Path as Steps
from harness.source import locate, parse

FILE = Path("any.yaml")
SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))

words = st.sampled_from(
    ["a", "b c", "it's", 'say "x"', "5", "null", "x: y", "#n", "é", "", "a,b", " p"]
)
numbers = st.integers(-5, 99) | st.sampled_from(
    [Decimal("49.00"), Decimal("1E+3"), Decimal("-0.5")]
)
lines_of_text = st.sampled_from(["one\ntwo", "one\ntwo\n", "one\n\ntwo", "a\n  b\nc\n", "x\n"])
scalars = words | numbers | st.none() | st.booleans() | lines_of_text
keys = st.sampled_from(["a", "b", "rows", "two words", "$gte", "5", "no", "k'"])
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
documents = st.lists(trees, min_size=1, max_size=4) | st.dictionaries(keys, trees, min_size=1)


@dataclass
class Printer:
    """Prints a tree in styles that a generator of random numbers chooses.

    `spans` holds where each scalar on one line was printed.
    """

    random: Random
    step: int = 2
    text: str = ""
    comments: int = 0
    spans: dict[Steps, tuple[int, int]] = field(default_factory=dict)

    def document(self, data: Any) -> str:
        self.step = self.random.choice([2, 2, 4])
        self.text = self.random.choice(["", "# head\n", "---\n", "\n\n"])
        self.block(data, 0, (), own_line=True)
        self.text += "\n"
        return self.text

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def comment(self, share: float = 0.3) -> None:
        if self.chance(share):
            self.comments += 1
            blanks = [" ", "  "] if self.text.endswith(("-", ":")) else [" ", "\t"]
            self.text += self.random.choice(blanks) + f"# c{self.comments}: é\t."

    def new_line(self, indent: int) -> None:
        self.comment()
        while self.chance(0.15):
            self.comments += 1
            margin = " " * self.random.choice([0, indent])
            self.text += self.random.choice(["\n", f"\n{margin}# l{self.comments}", "\n  "])
        self.text += "\n" + " " * indent

    def block(self, data: Any, indent: int, path: Steps, *, own_line: bool = False) -> None:
        """A non-empty collection in block style; the first line is already indented."""
        for number, (step, value) in enumerate(pairs(data)):
            if number:
                self.new_line(indent)
            if isinstance(data, list):
                self.text += "-"
            else:
                self.text += self.key(str(step)) + ":"
            self.value(value, indent, (*path, step), keyed=isinstance(data, dict))

    def value(self, value: Any, indent: int, path: Steps, *, keyed: bool) -> None:
        if self.chance(0.1):
            self.text += f" &a{len(self.text)}"
            compact = False
        else:
            compact = not keyed and self.chance(0.8)
        if value and isinstance(value, (list, dict)) and self.chance(0.6):
            if compact:
                gap = self.random.choice([1, 1, 3])
                self.text += " " * gap
                self.block(value, indent + 1 + gap, path)
                return
            zero = keyed and isinstance(value, list) and self.chance(0.3)
            inner = indent + (0 if zero else self.step)
            self.new_line(inner)
            self.block(value, inner, path)
        elif value is None and self.chance(0.3):
            pass
        elif isinstance(value, str) and "\n" in value and self.chance(0.6):
            self.literal(value, indent)
        else:
            self.text += " "
            self.flow(value, path, indent + self.step)

    def literal(self, value: str, indent: int) -> None:
        margin = " " * (indent + self.step)
        chomp = "" if value.endswith("\n") else "-"
        self.text += f" |{chomp}"
        self.comment()
        for line in value.removesuffix("\n").split("\n"):
            self.text += f"\n{margin}{line}" if line else "\n"
        # A comment behind the last line would be text.
        self.text += "\n" + margin[self.step :] + "# after"

    def flow(self, value: Any, path: Steps, indent: int) -> None:
        if not isinstance(value, (list, dict)):
            begin = len(self.text)
            self.text += self.scalar(value)
            self.spans[path] = (begin, len(self.text))
            return
        spread = bool(value) and self.chance(0.3)
        pad = self.random.choice(["", " "])
        self.text += ("[" if isinstance(value, list) else "{") + pad
        for number, (step, item) in enumerate(pairs(value)):
            if number:
                self.text += "," if spread else ", "
            if spread:
                self.new_line(indent)
            if isinstance(value, dict):
                self.text += self.key(str(step)) + ": "
            self.flow(item, (*path, step), indent + self.step)
        if spread and self.chance(0.5):
            self.text += ","
        if spread:
            self.new_line(indent - self.random.choice([0, 1]))
        self.text += pad + ("]" if isinstance(value, list) else "}")

    def key(self, name: str) -> str:
        if name in ("a", "b", "rows", "two words") and self.chance(0.7):
            return name
        return json.dumps(name) if self.chance(0.5) else "'" + name.replace("'", "''") + "'"

    def scalar(self, value: Any) -> str:
        if isinstance(value, str):
            if value in ("a", "b c", "it's", "é") and self.chance(0.6):
                return value
            single = "\n" not in value and self.chance(0.5)
            return "'" + value.replace("'", "''") + "'" if single else json.dumps(value)
        return str(value) if isinstance(value, Decimal) else json.dumps(value)


def pairs(data: Any) -> list[tuple[Any, Any]]:
    return list(data.items() if isinstance(data, dict) else enumerate(data))


def paths(data: Any, path: Steps = ()) -> list[Steps]:
    """All paths but the root's."""
    if not isinstance(data, (list, dict)):
        return []
    steps = [(*path, step) for step, _ in pairs(data)]
    return steps + [inner for step, value in pairs(data) for inner in paths(value, (*path, step))]


def at(data: Any, path: Steps) -> Any:
    for step in path:
        data = data[step]
    return data


def flow_text(value: Any) -> str:
    """JSON with the digits of decimals, which is YAML."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {flow_text(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1 from True, and 1.0 from 1.00, and minds the order of keys."""
    return repr(plain(left)) == repr(plain(right))


def plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    return [plain(item) for item in data] if isinstance(data, list) else data


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Any, Printer]:
    data = draw(documents)
    printer = Printer(draw(st.randoms(use_true_random=False)))
    return printer.document(data), data, printer


def collections(data: Any) -> list[Steps]:
    return [path for path in [(), *paths(data)] if isinstance(at(data, path), (list, dict))]


@st.composite
def inserts(draw: st.DrawFn, data: Any) -> Edit:
    path = draw(st.sampled_from(collections(data)))
    node = at(data, path)
    step = "new" if isinstance(node, dict) else draw(st.integers(0, len(node)))
    return Edit((*path, step), "insert", flow_text(draw(trees)))


def edits(data: Any) -> st.SearchStrategy[Edit]:
    some = st.sampled_from(paths(data))
    replacements = st.builds(Edit, some, st.just("replace"), trees.map(flow_text))
    return inserts(data) | replacements | st.builds(Edit, some, st.just("remove"))


def expected(data: Any, changes: list[Edit]) -> Any:
    """The data after the edits, made one by one: replacements first, then the deepest parents."""
    data = copy.deepcopy(data)
    values = {id(edit): plain(parse(edit.value, FILE)) for edit in changes if edit.value}
    for edit in changes:
        if edit.action == "replace":
            at(data, edit.path[:-1])[edit.path[-1]] = values[id(edit)]
    structural = [edit for edit in changes if edit.action != "replace"]
    for parent in sorted({edit.path[:-1] for edit in structural}, key=len, reverse=True):
        node = at(data, parent)
        here = [edit for edit in structural if edit.path[:-1] == parent]
        gone = {edit.path[-1] for edit in here if edit.action == "remove"}
        new = [(edit.path[-1], values[id(edit)]) for edit in here if edit.action == "insert"]
        if isinstance(node, dict):
            left = {key: value for key, value in node.items() if key not in gone} | dict(new)
            node.clear()
            node.update(left)
        else:
            slots = [[] if index in gone else [item] for index, item in enumerate(node)] + [[]]
            for index, value in reversed(new):
                slots[int(index)].insert(0, value)
            node[:] = [item for slot in slots for item in slot]
    return data


def contradict(changes: list[Edit]) -> bool:
    """Whether two edits are of one node, or one is of a part of what the other takes away."""
    whole = [edit.path for edit in changes if edit.action != "insert"]
    inserted = [edit.path for edit in changes if edit.action == "insert"]
    keys = [path for path in inserted if path[-1] == "new"]
    inside = any(
        path[: len(outer)] == outer
        for outer in whole
        for path in [*(path for path in whole if path != outer), *(path[:-1] for path in inserted)]
    )
    return inside or len(set(whole)) < len(whole) or len(set(keys)) < len(keys)


@st.composite
def edited_cases(draw: st.DrawFn) -> tuple[str, Any, list[Edit]]:
    """A document with any line breaks, and edits that do not contradict each other."""
    text, data, _ = draw(cases())
    if not draw(st.booleans()):
        text = text.removesuffix("\n")
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))
    changes = draw(st.lists(edits(data), min_size=1, max_size=4))
    assume(not contradict(changes))
    return draw(st.sampled_from(["", "\ufeff"])) + text, data, changes


def line_breaks(text: str) -> set[str]:
    return set(re.findall(r"\r\n|\r|\n", text))


@pytest.mark.parametrize("loader", [tree._Loader, yaml.SafeLoader])
@given(case=edited_cases())
def test_the_data_is_what_the_edits_ask_for(
    loader: type, case: tuple[str, Any, list[Edit]]
) -> None:
    text, before, changes = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "_Loader", loader)
        patch.setattr(source, "_Loader", loader)
        try:
            assert same(parse(text, FILE), before)
        except SpecError:  # the parser in Python takes fewer tabs
            assert loader is yaml.SafeLoader
            return
        after = edited(text, changes)
    assert same(parse(after, FILE), expected(before, changes))
    assert after.startswith("\ufeff") == text.startswith("\ufeff")
    assert line_breaks(after) <= (line_breaks(text) or {"\n"})
    assert after.endswith(("\n", "\r")) or not text.endswith(("\n", "\r"))


@given(cases())
def test_no_edit_and_equal_values_change_nothing(case: tuple[str, Any, Printer]) -> None:
    text, data, _ = case
    assert edited(text, []) == text
    assert (
        edited(text, [Edit(path, "replace", flow_text(at(data, path))) for path in paths(data)])
        == text
    )


@given(cases(), scalars)
def test_a_scalar_is_replaced_in_its_span(case: tuple[str, Any, Printer], value: Any) -> None:
    text, data, printer = case
    assume(not (isinstance(value, str) and "\n" in value))  # it may become a literal
    for path, (begin, end) in printer.spans.items():
        if same(at(data, path), value):
            continue
        after = edited(text, [Edit(path, "replace", flow_text(value))])
        assert after.startswith(text[:begin])
        assert after.endswith(text[end:])
        assert len(after) > len(text) - (end - begin)


@given(case=cases(), data=st.data())
def test_what_is_inserted_leaves_all_the_rest(
    case: tuple[str, Any, Printer], data: st.DataObject
) -> None:
    text, before, _ = case
    change = data.draw(inserts(before))
    assume(at(before, change.path[:-1]))
    assert is_subsequence(text, edited(text, [change]))


@given(case=cases(), data=st.data())
def test_what_is_removed_leaves_all_the_rest(
    case: tuple[str, Any, Printer], data: st.DataObject
) -> None:
    text, before, _ = case
    path = data.draw(st.sampled_from(paths(before)))
    assume(len(at(before, path[:-1])) > 1)
    after = edited(text, [Edit(path, "remove")])
    assert is_subsequence(after, text)


def is_subsequence(part: str, whole: str) -> bool:
    characters = iter(whole)
    return all(character in characters for character in part)


@given(case=cases(), value=trees, data=st.data())
def test_comments_survive_the_replacement_of_a_scalar(
    case: tuple[str, Any, Printer], value: Any, data: st.DataObject
) -> None:
    text, _, printer = case
    assume(printer.spans)
    path = data.draw(st.sampled_from(sorted(printer.spans, key=repr)))
    after = edited(text, [Edit(path, "replace", flow_text(value))])
    assert re.findall(r"# [cl]\d+", after) == re.findall(r"# [cl]\d+", text)


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.name)
def test_in_our_own_specs_each_scalar_changes_alone(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    data = parse(text, file)
    shared = Counter(locate(data, path) for path in paths(data))
    for path in paths(data):
        if isinstance(at(data, path), (list, dict)):
            continue
        change, place = Edit(path, "replace", "12345.60"), locate(data, path)
        begin = sum(map(len, text.splitlines(keepends=True)[: place.line - 1])) + place.column - 1
        if shared[place] > 1 or text[begin] == "&":  # by aliases and merge keys
            assert_changes_alone_or_is_refused(text, data, change)
            continue
        after = edited(text, [change])
        assert after.startswith(text[:begin] + "12345.60")
        rest = after[begin + len("12345.60") :]
        assert text.endswith(rest)
        gone = text[begin : len(text) - len(rest)]
        assert gone.count("\n") == 0 or gone.startswith((">", "|"))


def assert_changes_alone_or_is_refused(text: str, data: Any, change: Edit) -> None:
    try:
        after = edited(text, [change])
    except EditError as refused:
        assert "stands for this value, too" in str(refused)  # noqa: PT017 - it need not be refused
    else:
        assert same(parse(after, FILE), expected(plain(data), [change]))
