"""Edits in every style that a file may be written in: before, edits, after."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from harness.editing import EditError, edited, fingerprint, write
from harness.errors import SpecError
from harness.results import Edit
from harness.source import parse

FILE = Path("any.yaml")


def replace(*path: str | int, value: str) -> Edit:
    return Edit(path, "replace", value)


def insert(*path: str | int, value: str) -> Edit:
    return Edit(path, "insert", value)


def remove(*path: str | int) -> Edit:
    return Edit(path, "remove")


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        # The style stays if it can hold the value.
        ("a: x", "y", "a: y"),
        ("a: 'x'", "y", "a: 'y'"),
        ('a: "x"', "y", 'a: "y"'),
        ("a: 'x'", '"it\'s"', "a: 'it''s'"),
        ('a: "x"', "'say \"x\"\\'", 'a: "say \\"x\\"\\\\"'),
        ("a: x", "a, b", "a: a, b"),
        # What would be read as something else is quoted, or no longer is.
        ("a: x", "'5'", "a: '5'"),
        ("a: x", "'null'", "a: 'null'"),
        ("a: x", "'yes'", "a: yes"),
        ("a: x", "'2026-01-01'", "a: 2026-01-01"),
        ("a: x", "''", "a: ''"),
        ("a: x", "'x: y'", "a: 'x: y'"),
        ("a: x", "'x #y'", "a: 'x #y'"),
        ("a: x", "'{{ y }}'", "a: '{{ y }}'"),
        ("a: x", '" x"', "a: ' x'"),
        ("a: '5'", "6", "a: 6"),
        ('a: "x"', "null", "a: null"),
        ("a: '5'", "5", "a: 5"),
        ("a: 5", "'5'", "a: '5'"),
        # Numbers keep their digits.
        ("a: 1", "49.00", "a: 49.00"),
        ("a: 49.0", "49.00", "a: 49.00"),
        ("a: 1", "1e3", "a: 1E+3"),
        ("a: 1", "5.", "a: 5."),
        ("a: 1", ".inf", "a: .inf"),
        ("a: 1", "-.inf", "a: -.inf"),
        ("a: 1", ".nan", "a: .nan"),
        ("a: 1", "true", "a: true"),
        ("a: 0x1F", "31", "a: 0x1F"),
        # What is not to be seen is escaped.
        ("a: 'x'", r'"a\tb"', r'a: "a\tb"'),
        ("a: x", r'"\u200b"', r'a: "\u200b"'),
        ("a: x", r'"\U000e0001"', r'a: "\U000e0001"'),
        ("a: é", "ü", "a: ü"),
        # A null may be nothing at all.
        ("a:", "5", "a: 5"),
        ("a:  # why", "5", "a: 5  # why"),
        ("{a, b: 1}", "5", "{a: 5, b: 1}"),
        ("{a: , b: 1}", "5", "{a: 5, b: 1}"),
        # Anchors stay, tags go.
        ("a: &x old", "new", "a: &x new"),
        ("a: &x", "new", "a: &x new"),
        ("a: !!str 5", "6", "a: 6"),
        ("a: &x !!str 5", "'6'", "a: &x '6'"),
        ("a: !!str &x 5", "'6'", "a: &x '6'"),
        ("a:\n  - &x 1\n  - 2", "[]", "a: []"),
        # Elsewhere nothing moves.
        ("a:\tx \t# why\t\u00e9\n\n# end", "y", "a:\ty \t# why\t\u00e9\n\n# end"),
        ("a:\n  x  # why", "y", "a:\n  y  # why"),
        ("? a\n: x", "y", "? a\n: y"),
        ('{"a":"x"}', "y", '{"a":"y"}'),
        ("--- {a: x}\n...\n", "y", "--- {a: y}\n...\n"),
    ],
)
def test_a_scalar_is_replaced(before: str, value: str, after: str) -> None:
    assert edited(before, [replace("a", value=value)]) == after


def change(before: str, *edits: Edit) -> str:
    return edited(dedent(before), edits)


def test_a_file_has_its_own_quotes() -> None:
    before = 'a: "x"\nb: "y"\nc: \'z\'\nd: w\n'
    after = change(before, replace("d", value="'5'"), insert("e", value="'it\\s'"))
    assert after == 'a: "x"\nb: "y"\nc: \'z\'\nd: "5"\ne: it\\s\n'
    assert change(before, replace("d", value="'say \"x\": y'")).endswith("d: 'say \"x\": y'\n")


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("a: |\n  x\n  y\nb: 1\n", r'"1\n\n  2\n"', "a: |\n  1\n\n    2\nb: 1\n"),
        ("a: |  # why\n    x\n\nb: 1\n", r'"1\n2\n"', "a: |  # why\n    1\n    2\n\nb: 1\n"),
        ("a: |\n  x\nb: 1\n", r'"1\n2"', "a: |-\n  1\n  2\nb: 1\n"),
        ("a: |-\n  x\nb: 1\n", r'"1\n2\n"', "a: |\n  1\n  2\nb: 1\n"),
        ("a: |2-\n    x\nb: 1\n", r'"1\n2"', "a: |2-\n  1\n  2\nb: 1\n"),
        ("a: |+\n  x\n\n\nb: 1\n", r'"1\n2\n"', "a: |\n  1\n  2\nb: 1\n"),
        ("a: &x |\n  x\nb: 1\n", r'"1\n2\n"', "a: &x |\n  1\n  2\nb: 1\n"),
        ("a: >-\n  x\n  y\nb: 1\n", "1 2", "a: >-\n  1 2\nb: 1\n"),
        ("a: >-\n  x\nb: 1\n", r'"1\n2"', "a: >-\n  1\n\n  2\nb: 1\n"),
        ("a: >\n  x\nb: 1\n", r'"1\n\n2\n"', "a: >\n  1\n\n\n  2\nb: 1\n"),
        # What they cannot hold, or one line that ends otherwise, is an ordinary scalar.
        ("a: |  # why\n  x\n  y\nb: 1\n", "z", "a: z  # why\nb: 1\n"),
        ("a: |\n  x\nb: 1\n", r'"1\n2\n\n"', 'a: "1\\n2\\n\\n"\nb: 1\n'),
        ("a: |\n  x\nb: 1\n", r'" 1\n2\n"', 'a: " 1\\n2\\n"\nb: 1\n'),
        ("a: >-\n  x\n  y\nb: 1\n", "5", "a: 5\nb: 1\n"),
        # Texts of several lines become literals, where no comment follows that they would take in.
        ("a: x  # why\nb: 1\n", r'"1\n2"', "a: |-  # why\n  1\n  2\nb: 1\n"),
        ('a: "x"\n', r'"1\n2"', 'a: "1\\n2"\n'),
        ("a: x\n  # why\n", r'"1\n2"', 'a: "1\\n2"\n  # why\n'),
        ("{a: x}\n", r'"1\n2"', '{a: "1\\n2"}\n'),
    ],
)
def test_block_scalars(before: str, value: str, after: str) -> None:
    assert edited(before, [replace("a", value=value)]) == after


def test_a_folded_text_is_wrapped() -> None:
    text = " ".join(f"word{number}" for number in range(40))
    after = edited("a: >-\n  x\n", [replace("a", value=text)])
    assert max(map(len, after.splitlines())) <= 100
    assert len(after.splitlines()) == 4
    assert parse(after, FILE) == {"a": text}


ROWS = """
    rows:  # all
      # the first
      - {a: 1, b: "x"}  # one

      - {a: 2, b: 'y'}  # two
    # what follows
    next: 1
    """


@pytest.mark.parametrize(
    ("edit", "line", "lines"),
    [
        (replace("rows", 0, "a", value="'5'"), 3, ["  - {a: '5', b: \"x\"}  # one"]),
        (replace("rows", 1, "b", value="z"), 5, ["  - {a: 2, b: 'z'}  # two"]),
        (insert("rows", 0, "c", value="[1]"), 3, ['  - {a: 1, b: "x", c: [1]}  # one']),
        (remove("rows", 0, "a"), 3, ['  - {b: "x"}  # one']),
        (remove("rows", 0, "b"), 3, ["  - {a: 1}  # one"]),
        (replace("rows", 0, value="{a: 3}"), 3, ["  - {a: 3}  # one"]),
        (replace("rows", 0, value="z"), 3, ["  - z  # one"]),
        (remove("rows", 0), 3, []),
        (remove("rows", 1), 5, []),
    ],
)
def test_rows_change_in_their_own_lines(edit: Edit, line: int, lines: list[str]) -> None:
    before = dedent(ROWS).splitlines()
    after = [*before[:line], *lines, *before[line + 1 :]]
    assert change(ROWS, edit).splitlines() == after


@pytest.mark.parametrize(("index", "line"), [(0, 3), (1, 4), (2, 6)])
def test_rows_are_inserted_below_the_one_before(index: int, line: int) -> None:
    lines = dedent(ROWS).splitlines()
    lines[line:line] = ["  - {a: 9}", "  - {a: 8}"]
    edits = insert("rows", index, value="{a: 9}"), insert("rows", index, value="{a: 8}")
    assert change(ROWS, *edits).splitlines() == lines


BLOCK = """
    - a: 1  # one
      b: 2
    -   a: 3
        # about c
        c:
        - 4
    """


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([remove(0, "a")], BLOCK.replace("a: 1  # one\n      ", "")),
        ([remove(0, "b")], BLOCK.replace("      b: 2\n", "")),
        ([remove(1, "a")], BLOCK.replace("   a: 3", "")),
        ([remove(1, "c", 0)], BLOCK.replace("c:\n        - 4", "c: []")),
        ([remove(0, "a"), remove(0, "b")], BLOCK.replace("a: 1  # one\n      b: 2", "{}")),
        ([insert(0, "z", value="y")], BLOCK.replace("b: 2", "b: 2\n      z: y")),
        ([insert(2, value="{z: y, x: w}")], BLOCK[:-4] + "    -   z: y\n        x: w\n    "),
        ([insert(2, value="5")], BLOCK[:-4] + "    -   5\n    "),
        ([insert(0, value="{z: y, x: w}")], BLOCK.replace("- a", "- z: y\n      x: w\n    - a")),
        (
            [replace(0, value="{z: y, x: w}")],
            BLOCK.replace("a: 1  # one\n      b: 2", "z: y\n      x: w"),
        ),
        ([replace(0, value="5")], BLOCK.replace("a: 1  # one\n      b: 2", "5")),
        ([replace(1, "c", value="[5, 6]")], BLOCK.replace("- 4", "- 5\n        - 6")),
        ([replace(1, "c", value="{d: 6}")], BLOCK.replace("- 4", "  d: 6")),
        ([replace(1, "c", value="x")], BLOCK.replace("c:\n        - 4", "c: x")),
        ([insert(1, "c", 1, value="5")], BLOCK.replace("- 4", "- 4\n        - 5")),
        (
            [remove(1, "c"), insert(2, value="5")],
            BLOCK.replace("c:\n        - 4\n", "").rstrip() + "\n    -   5\n    ",
        ),
    ],
)
def test_block_style(edits: list[Edit], after: str) -> None:
    assert change(BLOCK, *edits) == dedent(after)


FLOW = """
    {
      a: [1, 'x'],  # about a
      # about b
      b: {c: 1, "d": 2,},
      e: 3  # about e
    }
    """


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([remove("a", 0)], FLOW.replace("1, 'x'", "'x'")),
        ([remove("a", 1)], FLOW.replace("1, 'x'", "1")),
        ([remove("a", 0), remove("a", 1)], FLOW.replace("1, 'x'", "")),
        ([remove("a", 0), insert("a", 0, value="y")], FLOW.replace("[1, ", "['y', ")),
        ([insert("a", 0, value="0"), insert("a", 0, value="y")], FLOW.replace("[1", "[0, y, 1")),
        ([insert("a", 2, value="y")], FLOW.replace("'x'", "'x', 'y'")),
        ([insert("a", 1, value="{y: 1}")], FLOW.replace("[1", "[1, {y: 1}")),
        ([remove("b", "d")], FLOW.replace(', "d": 2', "")),
        ([remove("b", "c")], FLOW.replace("c: 1, ", "")),
        ([insert("b", "z", value="5")], FLOW.replace("2,", '2, "z": 5,')),
        ([remove("e")], FLOW.replace("      e: 3  # about e\n", "").replace(",},", ",}")),
        ([remove("a")], FLOW.replace("      a: [1, 'x'],  # about a\n", "")),
        ([insert("z", value="5")], FLOW.replace("3  # about e", "3,  # about e\n      z: 5")),
        ([replace("a", value="[2, 3]")], FLOW.replace("[1, 'x']", "[2, 3]")),
        ([replace("a", value="5")], FLOW.replace("[1, 'x']", "5")),
        ([replace("e", value="[{z: 1}]")], FLOW.replace("e: 3", "e: [{z: 1}]")),
        ([replace("b", value="{}")], FLOW.replace('{c: 1, "d": 2,}', "{}")),
    ],
)
def test_flow_style(edits: list[Edit], after: str) -> None:
    assert change(FLOW, *edits) == dedent(after)


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [
        ("[\n  a,\n  b\n]\n", [insert(2, value="c")], "[\n  a,\n  b,\n  c\n]\n"),
        ("[\n  a,\n  b,\n]\n", [insert(2, value="c")], "[\n  a,\n  b,\n  c,\n]\n"),
        ("[\n  a,\n  b,\n]\n", [insert(0, value="c")], "[\n  c,\n  a,\n  b,\n]\n"),
        ("[\n  a,\n  b,\n]\n", [remove(1)], "[\n  a,\n]\n"),
        ("[\n  a,\n  b\n]\n", [remove(1)], "[\n  a\n]\n"),
        ("[\n  a,  # why\n  b]\n", [remove(1)], "[\n  a  # why\n  ]\n"),
        ("[a, b, c, d]\n", [remove(1), remove(2)], "[a, d]\n"),
        ("[a, b, c, d]\n", [remove(2), remove(3), insert(4, value="e")], "[a, b, e]\n"),
        ("[a, b]\n", [remove(0), insert(1, value="c"), insert(2, value="d")], "[c, b, d]\n"),
        ("x:\n  [\n    a,\n    b,\n  ]\n", [replace("x", value="[c]")], "x:\n  [\n    c,\n  ]\n"),
        ("[a: 1, b]\n", [insert(0, "c", value="2")], "[{a: 1, c: 2}, b]\n"),
        ("x: { a: 1 }\ny: 2\n", [replace("y", value="{b: 1}")], "x: { a: 1 }\ny: { b: 1 }\n"),
        ("x: [ ]\n", [insert("x", 0, value="5")], "x: [5]\n"),
        ("x: {}\n", [insert("x", "y", value="5")], "x: {y: 5}\n"),
        ("[[], 1]\n", [insert(0, 0, value="{a: 1}")], "[[{a: 1}], 1]\n"),
        ("- - a\n  - b\n", [remove(0, 0)], "- - b\n"),
        ("- - a\n  # why\n  - b\n", [remove(0, 0)], "-\n  # why\n  - b\n"),
        ("- a\n-\n- c\n", [replace(1, value="b")], "- a\n- b\n- c\n"),
        ("- a\n-\n- c\n", [replace(1, value="[{a: 1}]")], "- a\n- [{a: 1}]\n- c\n"),
    ],
)
def test_items_come_and_go(before: str, edits: list[Edit], after: str) -> None:
    assert edited(before, edits) == after


@pytest.mark.parametrize(
    ("value", "after"),
    [
        ("{affected: 1}", "expect: {affected: 1}  # todo\n"),
        ("[1, 2]", "expect: [1, 2]  # todo\n"),
        ("[]", "expect: []  # todo\n"),
        ("[{a: 1, b: x y}, {a: 2}]", "expect:  # todo\n  - {a: 1, b: x y}\n  - {a: 2}\n"),
        ("{rows: [{a: 1}], count: 1}", "expect:  # todo\n  rows:\n    - {a: 1}\n  count: 1\n"),
        (
            f"[{{a: {'x' * 50}, b: {'y' * 50}}}]",
            f"expect:  # todo\n  - a: {'x' * 50}\n    b: {'y' * 50}\n",
        ),
        (
            f"{{a: {'x' * 50}, b: {'y' * 50}}}",
            f"expect:  # todo\n  a: {'x' * 50}\n  b: {'y' * 50}\n",
        ),
        (r'{row: {a: "1\n2"}}', 'expect: {row: {a: "1\\n2"}}  # todo\n'),
    ],
)
def test_a_collection_takes_the_place_of_a_scalar(value: str, after: str) -> None:
    assert edited("expect: ???  # todo\n", [replace("expect", value=value)]) == after


def test_the_indentation_is_the_files() -> None:
    before = "a:\n    b: 1\nc:\n- 1\nd: ???\n"
    after = change(before, replace("d", value="{rows: [{a: 1}]}"))
    assert after == before.replace("???", "").rstrip() + "\n    rows:\n    - {a: 1}\n"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_line_breaks_and_the_byte_order_mark_stay(line_break: str) -> None:
    before = "\ufeffa: ???\nb:\n  - {c: 1}\nd: |\n  x".replace("\n", line_break)
    edits = (
        replace("a", value="[{x: 1}, {x: 2}]"),
        insert("b", 1, value="{c: 2}"),
        replace("d", value=r'"y\nz"'),
    )
    after = "\ufeffa:\n  - {x: 1}\n  - {x: 2}\nb:\n  - {c: 1}\n  - {c: 2}\nd: |-\n  y\n  z"
    assert edited(before, edits) == after.replace("\n", line_break)


def test_mixed_line_breaks_stay() -> None:
    before = "a:\r\n- 1\r\n- 2\nb: ???"
    after = edited(before, [insert("a", 2, value="3"), remove("a", 0), replace("b", value="4")])
    assert after == "a:\r\n- 2\n- 3\nb: 4"


SHARED = """
    x-row: &row {a: 1, b: {c: 2}}
    copy: *row
    merged: {<<: *row, d: 3}
    lonely: &lonely [1]
    """


@pytest.mark.parametrize(
    ("edit", "after"),
    [
        (replace("copy", value="5"), SHARED.replace("copy: *row", "copy: 5")),
        (
            replace("copy", "b", "c", value="5"),
            SHARED.replace("copy: *row", "copy: {a: 1, b: {c: 5}}"),
        ),
        (remove("copy", "b"), SHARED.replace("copy: *row", "copy: {a: 1}")),
        (remove("copy"), SHARED.replace("    copy: *row\n", "")),
        (replace("merged", "a", value="5"), SHARED.replace("d: 3", "d: 3, a: 5")),
        (replace("merged", "b", "c", value="5"), SHARED.replace("d: 3", "d: 3, b: {c: 5}")),
        (replace("merged", "d", value="5"), SHARED.replace("d: 3", "d: 5")),
        (insert("merged", "e", value="5"), SHARED.replace("d: 3", "d: 3, e: 5")),
        (replace("lonely", value="5"), SHARED.replace("[1]", "5")),
        (insert("lonely", 1, value="5"), SHARED.replace("[1]", "[1, 5]")),
        (remove("lonely"), SHARED.replace("    lonely: &lonely [1]\n", "")),
    ],
)
def test_aliases_and_merge_keys_change_where_they_are_used(edit: Edit, after: str) -> None:
    assert change(SHARED, edit) == dedent(after)


def test_an_anchor_may_change_when_its_last_alias_goes() -> None:
    before = "a: &x [1]\nb: *x\n"
    edits = replace("a", 0, value="2"), replace("b", 0, value="2")
    assert change(before, *edits) == "a: &x [2]\nb: [2]\n"


@pytest.mark.parametrize(
    ("before", "edits", "message"),
    [
        (SHARED, [replace("x-row", "a", value="5")], "any.yaml:2:17: the alias *row in line 3 stands for this value, too\n  hint: write the value out where the alias stands, or edit both by hand"),
        (SHARED, [replace("x-row", value="5")], "any.yaml:2:8: the alias *row in line 3"),
        (SHARED, [remove("x-row")], "any.yaml:2:8: the alias *row in line 3"),
        (SHARED, [remove("merged", "a")], "any.yaml:2:17: merged.a comes by a merge key"),
        ("a: {b: &x 1}\nc: *x\n", [replace("a", value="1")], "any.yaml:1:4: the alias *x in line 2"),
        ("&k a: 1\nb: *k\n", [remove("a")], "any.yaml:1:7: the alias *k in line 2"),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2}\n", [remove("c", "b")], "any.yaml:2:16: c.b cannot be edited in the style in which it is written: c would become another value"),
        ("{a: {b: 1}}", [replace("a", "c", value="1")], "any.yaml:1:5: there is no a.c in this file"),
        ("a: [1]", [replace("a", 1, value="1")], "any.yaml:1:4: there is no a[1] in this file"),
        ("a: [1]", [replace("a", -1, value="1")], "any.yaml:1:4: there is no a[-1]"),
        ("a: [1]", [insert("a", 2, value="1")], "any.yaml:1:4: there is no a[2]"),
        ("a: [1]", [insert("a", "b", value="1")], "any.yaml:1:4: there is no a.b"),
        ("a: 1", [replace("a", 0, value="1")], "any.yaml:1:4: there is no a[0]"),
        ("a: 1", [remove("b")], "any.yaml:1:1: there is no b in this file"),
        ("a: 1", [insert("a", value="2")], "any.yaml:1:4: the key 'a' is already there"),
        ("a: 1", [replace(value="2")], "any.yaml:1:1: an edit needs a path"),
        ("a: 1", [Edit(("a",), "replace")], "any.yaml:1:4: the new value of a is missing"),
        ("a: 1", [replace("a", value="[1")], "any.yaml:1:4: the new value of a cannot be written as YAML: [1"),
        ("a: 1", [replace("a", value="2"), replace("a", value="3")], "any.yaml:1:4: two edits of a contradict"),
        ("a: 1", [replace("a", value="2"), remove("a")], "any.yaml:1:4: two edits of a contradict"),
        ("a: [1]", [replace("a", value="2"), remove("a", 0)], "any.yaml:1:5: two edits of a[0] contradict"),
        ("a: [1]", [remove("a", 0), replace("a", value="2")], "any.yaml:1:4: two edits of a contradict"),
        ("a: 1", [insert("b", value="2"), insert("b", value="3")], "any.yaml:1:1: two edits of b contradict"),
        ("? a\n", [replace("a", value="{b: 1}")], "any.yaml:2:1: a cannot be edited in the style"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(before: str, edits: list[Edit], message: str) -> None:
    with pytest.raises(EditError) as caught:
        edited(dedent(before), edits, FILE)
    assert str(caught.value).startswith(message)
    assert caught.value.path in [edit.path for edit in edits]


def test_an_anchored_key_stays_when_its_value_goes() -> None:
    before = "&k a: 1\nb: *k\n"
    assert change(before, replace("a", value="2")) == "&k a: 2\nb: *k\n"


def test_the_same_edit_twice_is_one() -> None:
    edits = [replace("a", value="2")] * 2 + [remove("b")] * 2 + [insert("c", value="3")] * 2
    assert edited("a: 1\nb: 1\n", edits) == "a: 2\nc: 3\n"


def test_what_is_no_yaml_is_said() -> None:
    with pytest.raises(SpecError, match=r"any\.yaml:1:"):
        edited("a: [", [replace("a", value="1")], FILE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "issues.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1  # \xc3\xa9\r\n")
    return path


def accepted(file: Path) -> None:
    assert file.is_file()


def test_a_file_whose_new_content_is_refused_stays_as_it_was(file: Path) -> None:
    before = file.read_bytes()

    def refused(new: Path) -> None:
        assert new.read_bytes() != before
        raise SpecError("nobody wants this")

    with pytest.raises(SpecError, match="nobody wants this"):
        write(file, [replace("a", value="2")], fingerprint(file), refused)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_is_written_in_place(file: Path) -> None:
    file.chmod(0o640)
    assert write(file, [replace("a", value="2")], fingerprint(file), accepted)
    assert file.read_bytes() == b"\xef\xbb\xbfa: 2  # \xc3\xa9\r\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_a_link_stays_a_link(file: Path) -> None:
    link = file.parent / "link.yaml"
    link.symlink_to(file.name)
    assert write(link, [replace("a", value="2")], fingerprint(link), accepted)
    assert link.is_symlink()
    assert b"a: 2" in file.read_bytes()


def test_an_unchanged_file_is_not_written(file: Path) -> None:
    before = file.stat()
    assert not write(file, [replace("a", value="1")], fingerprint(file), accepted)
    assert file.stat().st_ino == before.st_ino


def test_a_file_that_has_changed_is_left_alone(file: Path) -> None:
    seen = fingerprint(file)
    file.write_text("a: 3\n")
    with pytest.raises(EditError, match="has changed since it was read"):
        write(file, [replace("a", value="2")], seen, accepted)
    assert file.read_text() == "a: 3\n"


def test_a_read_only_file_is_left_alone(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(EditError, match=r"issues.yaml:1:1: the file cannot be written.*read-only"):
        write(file, [replace("a", value="2")], fingerprint(file), accepted)
    assert b"a: 1" in file.read_bytes()


def test_a_full_disk_leaves_the_file_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = file.read_bytes()
    with pytest.raises(EditError, match=r"is as it was: No space left on device"):
        write(file, [replace("a", value="2")], fingerprint(file), accepted)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(EditError, match="the file cannot be read: No such file"):
        fingerprint(tmp_path / "none.yaml")
