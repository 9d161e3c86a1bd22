"""What holds for every text and every tree of plain data."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from harness import source
from harness.errors import SpecError
from harness.source import locate, parse

FILE = Path("any.yaml")
REFUSED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3)
scalars = st.none() | st.booleans() | numbers | texts
trees = st.recursive(
    scalars,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=30,
)
# Text that is often nearly YAML: the parts that the grammar is made of, in any order.
fragments = st.lists(
    st.sampled_from(
        [
            *(
                "{{",
                "}}",
                "{",
                "}",
                "[",
                "]",
                ": ",
                ":",
                "- ",
                ", ",
                "? ",
                "'",
                '"',
                "# ",
                "\\",
                "@",
            ),
            *("\n", "\n  ", "\r\n", "\t", " ", "|\n", ">-\n", "---\n", "...\n", "%YAML 1.2\n"),
            *(
                "&a ",
                "*a",
                "<<: ",
                "!!str ",
                "!x ",
                "!!int ",
                "a",
                "b: 1",
                "0x1",
                "1e9",
                "~",
                "null",
            ),
            *("true", ".inf", "\ufeff"),
        ]
    ),
    max_size=30,
).map("".join)


def as_json(tree: Any) -> str:
    """JSON, which is YAML; a Decimal keeps its digits, and what a file may not hold is escaped."""
    if isinstance(tree, Decimal):
        return str(tree)
    if isinstance(tree, list):
        return "[" + ", ".join(map(as_json, tree)) + "]"
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{as_json(k)}: {as_json(v)}" for k, v in tree.items()) + "}"
    text = json.dumps(tree, ensure_ascii=False)
    return REFUSED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1 from True, and 1.0 from 1.00."""
    if isinstance(right, dict):
        return list(left) == list(right) and all(same(left[k], right[k]) for k in right)
    if isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and str(left) == str(right)


@given(trees)
def test_data_comes_back_as_it_was(tree: Any) -> None:
    assert same(parse(as_json(tree), FILE), tree)


@given(trees)
def test_data_comes_back_from_block_style(tree: Any) -> None:
    printer = Printer()
    printer.node(tree, indent=0)
    assert same(parse(printer.text, FILE), tree)


@pytest.mark.parametrize("loader", [source._Loader, yaml.SafeLoader])
@given(text=st.text(st.characters(), max_size=60) | fragments)
@example(text="a: &a {<<: *a}")
@example(text='"\\ud800\\U99999999"')
@example(text="? {{ x")
def test_every_text_gives_data_or_a_spec_error(loader: type, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "_Loader", loader)
        try:
            parse(text, FILE)
        except SpecError as error:
            (problem,) = error.problems
            assert problem.where is not None
            lines = re.split(r"\r\n|\r|\n", text)
            assert 1 <= problem.where.line <= len(lines)
            assert 1 <= problem.where.column <= len(lines[problem.where.line - 1]) + 1


@given(st.binary(max_size=40))
def test_every_file_gives_data_or_a_spec_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    with contextlib.suppress(SpecError):
        source.read(path)


@dataclass
class Printer:
    """Prints a tree in block style, and notes what stands where."""

    text: str = ""
    values: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    keys: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def node(self, tree: Any, indent: int, path: tuple[str | int, ...] = ()) -> None:
        if tree and isinstance(tree, dict | list):
            if path:
                self.text += "\n" + " " * indent
            self.values[path] = len(self.text)
            for index, (step, child) in enumerate(steps(tree)):
                self.text += "\n" + " " * indent if index else ""
                self.keys[*path, step] = len(self.text)
                self.text += "- " if isinstance(tree, list) else f"{as_json(step)}: "
                self.node(child, indent + 2, (*path, step))
        else:
            self.values[path] = len(self.text)
            self.text += as_json(tree)


def steps(tree: dict[str, Any] | list[Any]) -> Iterator[tuple[str | int, Any]]:
    yield from tree.items() if isinstance(tree, dict) else enumerate(tree)


@given(
    tree=trees.filter(lambda tree: isinstance(tree, dict | list)),
    line_break=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.sampled_from(["", "\ufeff"]),
)
def test_locate_points_at_the_text_of_the_node(tree: Any, line_break: str, bom: str) -> None:
    printer = Printer()
    printer.node(tree, indent=0)
    data = parse(bom + printer.text.replace("\n", line_break), FILE)
    lines = printer.text.split("\n")

    def offset(path: tuple[str | int, ...], *, key: bool) -> int:
        place = locate(data, path, key=key)
        return sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1

    for path, begin in printer.values.items():
        assert offset(path, key=False) == begin
        assert offset((*path, "no such key"), key=True) == begin
    for path, begin in printer.keys.items():
        is_item = isinstance(path[-1], int)
        assert offset(path, key=True) == (printer.values[path] if is_item else begin)
