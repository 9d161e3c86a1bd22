"""Failure output, pinned as snapshots: `pytest tests/unit/test_report.py --snapshot-update`."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.errors import Location
from harness.report.glyphs import printable, width
from harness.report.text import SpecReport
from harness.results import (
    Cell,
    Difference,
    Mismatch,
    OperationResult,
    RowCount,
    RowDiff,
    SpecResult,
    Statement,
    Status,
    TableDiff,
)

FILE = Path("specs/issues.yaml")
NODEID = "specs/issues.yaml::an admin's issue is new"
YAML = """\
name: issues
seed:
  organizations:
    acme: {id: acme, name: Acme, subdomain: acme}
specs:
  - name: an admin's issue is new
    seed:
      issues:
        - {organization: acme, titel: Broken flipper}
    operations:
      - sql: insert into issues (title) values ('Broken flipper')
      - name: read it back
        sql: |
          select id, title, status
          from issues
          where organization_id = :org
          order by title
        params: {org: acme}
        expect:
          # as the list shows them
          - {title: Broken flipper, status: open}
          - {title: Dim lights, status: new}
        save: {issue: "rows[0].id"}
    expect:
      tables:
        issues:
          - {title: Broken flipper, status: open}

  - name: written in one line
    operations: [{sql: select 1 as one, expect: {value: 2}}]
"""
SELECT = Statement(
    "select id, title, status\nfrom issues\nwhere organization_id = :org\norder by title\n",
    (("org", "acme"),),
)
ROWS = ("operations", 1, "expect", "rows")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / FILE
    path.parent.mkdir()
    path.write_text(YAML, encoding="utf-8")
    return tmp_path


def at(line: int, column: int) -> Location:
    return Location(FILE, line, column)


def same(*texts: str) -> RowDiff:
    return RowDiff("same", tuple(Cell(text, text, True) for text in texts))


def missing(*texts: str | None) -> RowDiff:
    return RowDiff("missing", tuple(Cell(None, text, False) for text in texts))


def unexpected(*texts: str) -> RowDiff:
    return RowDiff("unexpected", tuple(Cell(text, None, False) for text in texts))


def differs(*texts: str | tuple[str | None, str | None]) -> RowDiff:
    """A text alone is the same on both sides; a pair is expected and actual."""
    cells = [
        Cell(text, text, True) if isinstance(text, str) else Cell(text[1], text[0], False)
        for text in texts
    ]
    return RowDiff("differs", tuple(cells))


def table(names: str, *rows: RowDiff) -> TableDiff:
    return TableDiff(tuple(names.split()), rows)


def of_rows(reason: str, diff: TableDiff, where: Location | None = None) -> Mismatch:
    return Mismatch(ROWS, reason, table=diff, where=where or at(21, 11))


def failed(
    *mismatches: Mismatch,
    index: int = 1,
    statement: Statement | None = SELECT,
    name: str | None = "read it back",
) -> OperationResult:
    return OperationResult(index, "sql", name, Status.FAILED, statement, mismatches)


def report(
    root: Path,
    *operations: OperationResult,
    mismatches: Sequence[Mismatch] = (),
    verbosity: int = 0,
    **fields: Any,
) -> SpecReport:
    """The report of a spec; `fields` are further ones of its result."""
    name = "an admin's issue is new"
    result = SpecResult(name, Status.FAILED, tuple(operations), tuple(mismatches), **fields)
    return SpecReport(result, root, NODEID, verbosity)


class Screen:
    """As much of pytest's terminal writer as reports use.

    Args:
        fullwidth: columns.
        tags: show the markup, as tags.
    """

    def __init__(self, fullwidth: int, *, tags: bool = False) -> None:
        self.fullwidth = fullwidth
        self.tags = tags
        self.text = ""

    def write(self, msg: str, **markup: bool) -> None:
        self.text += f"<{' '.join(markup)}>{msg}</>" if markup and self.tags else msg


def shown(told: SpecReport, columns: int) -> str:
    """The report in a terminal of this width."""
    screen = Screen(columns)
    told.toterminal(screen)
    lines = screen.text.split("\n")
    assert max(width(line) for line in lines if not line.startswith("run it again")) <= columns
    return "\n".join(lines)


# -- samples


def one_wrong_cell() -> OperationResult:
    diff = table(
        "title status",
        differs("Broken flipper", ("open", "new")),
        same("Dim lights", "new"),
    )
    return failed(of_rows("row 1: status: open expected, new found", diff, at(21, 45)))


def wide_table() -> OperationResult:
    names = [f"column_{number}" for number in range(1, 15)]
    values = [f"value of {name}" for name in names]
    wrong: list[str | tuple[str | None, str | None]] = [*values]
    wrong[4], wrong[11] = ("normal", "high"), ("2026-01-01", "2026-01-02")
    diff = TableDiff(tuple(names), (same(*values), differs(*wrong)))
    return failed(of_rows("row 2 differs in column_5, column_12", diff))


def other_columns() -> OperationResult:
    """Two columns are expected, five others are not; one of these has no value."""
    names = ["title", "status", "id", "number", "empty", "created_at", "note"]
    rows = (
        differs("Broken flipper", ("open", "new")),
        same("Dim lights", "new"),
        unexpected("Dead battery", "closed"),
        missing("Loose screw", "new"),
    )
    besides = [
        tuple(
            Cell(text, None, True)
            for text in (f"id-{n}", f"{n}", "null", f"2026-01-0{n}", "x" * 30)
        )
        for n in range(1, 4)
    ]
    nothing = tuple(Cell(None, None, False) for _ in range(5))
    wide = tuple(
        replace(row, cells=row.cells + cells)
        for row, cells in zip(rows, [*besides, nothing], strict=True)
    )
    return failed(
        of_rows("row 1: status; 1 row too many", TableDiff(tuple(names), wide, unnamed=5))
    )


def json_parts() -> OperationResult:
    """A long json value that differs in several parts, and a short array."""
    whole = (
        "{customer: {city: %s, name: Ada Lovelace}, items: [{price: %s, sku: a}], more: ['"
        + "x" * 300
        + "']}"
    )
    expected, actual = whole % ("Paris", 4), whole % ("London", 5)
    row = RowDiff(
        "differs",
        (
            Cell("1", "1", True),
            Cell(actual, expected, False, parts=3),
            Cell("[a, c]", "[a, b]", False, parts=1),
        ),
    )
    long = "y" * 150
    parts = (
        Difference(
            "row 2: payload.customer.city", "Paris expected, London found", "Paris", "London"
        ),
        Difference("row 2: payload.items[0].price", "4 expected, 5 found", "4", "5"),
        Difference(
            "row 2: payload.more[0]",
            f"…{long}1… expected, …{long}2… found",
            f"{'x' * 300}{long}1",
            f"{'x' * 300}{long}2",
        ),
        Difference("row 2: payload", "unexpected key extra"),
        Difference("row 2: tags[1]", "> b expected, a found", "b", "a"),
    )
    reason = "row 2 differs in payload, tags (payload.customer.city: Paris expected, London found)"
    return failed(replace(of_rows(reason, table("id payload tags", row)), differences=parts))


def json_value(*parts: Difference, reason: str) -> OperationResult:
    """A value that is a long mapping."""
    whole = "{city: %s, more: '" + "x" * 300 + "', n: %s}"
    mismatch = Mismatch(
        ("operations", 1, "expect", "value"),
        reason,
        whole % ("Paris", 1),
        whole % ("London", 2),
        where=at(19, 9),
        differences=parts,
    )
    return failed(mismatch)


CITY = Difference("city", "Paris expected, London found", "Paris", "London")
NUMBER = Difference("n", "1 expected, 2 found", "1", "2")
CONTEXT: dict[str, Any] = {
    "variables": (
        ("org", "acme"),
        ("issue", "{id: 7f6f0f5e-0000-4000-8000-000000000001, title: Broken flipper, status: new}"),
        *((f"variable_{number}", f"value {number}") for number in range(12)),
        ("odd", "'two\x1b[31m'"),
    ),
    "counts": (RowCount("issues", 0, 3), RowCount("audit_log", 12, 11)),
}


def many_rows() -> OperationResult:
    rows = [same(str(number), f"issue {number}") for number in range(100)]
    rows[40] = differs("40", ("issue 40", "issue XL"))
    rows[43] = differs("43", ("issue 43", "issue XLIII"))
    return failed(of_rows("row 41: title; row 44: title", table("id title", *rows)))


def sql_error() -> OperationResult:
    mismatch = Mismatch(
        ("operations", 0),
        'the operation failed: relation "isues" does not exist',
        actual='psycopg.errors:UndefinedTable: relation "isues" does not exist\n'
        "SQLSTATE 42P01 (undefined_table)\n"
        "detail: there is none\n"
        'hint: Perhaps you meant to reference the table "issues".',
        hint='Perhaps you meant to reference the table "issues".',
        where=at(11, 9),
    )
    statement = Statement("insert into isues (title) values ('Broken flipper')")
    return failed(mismatch, index=0, statement=statement, name=None)


def spec_level() -> Mismatch:
    diff = table("title status", differs("Broken flipper", ("open", "new")))
    return Mismatch(
        ("expect", "tables", "issues", "rows", 0, "status"),
        "row 1: status: open expected, new found",
        table=diff,
        where=at(27, 45),
    )


def odd_values() -> OperationResult:
    long = "lorem ipsum " * 16
    diff = table(
        "id text",
        differs("1", ('"two\\nlines"', '"two\\tlines"')),
        differs("2", ("null", "'null'")),
        differs("3", ("''", "null")),
        differs("4", (f"{long}dolor{long}", f"{long}colour{long}")),
        differs("日本語", ("テスト", "テキスト")),
        differs("🙂", ("caf\u0065\u0301", "café")),
        differs("raw", ("a\nb\x1b[31m", "a\tb\u200b")),
        differs("7", ("{$absent: true}", None)),
    )
    return failed(of_rows("8 rows differ", diff))


# -- one operation


def test_one_wrong_cell(root: Path, snapshot: SnapshotAssertion) -> None:
    assert str(report(root, one_wrong_cell())) == snapshot


def test_missing_and_unexpected_rows(root: Path, snapshot: SnapshotAssertion) -> None:
    diff = table(
        "title status priority",
        same("Broken flipper", "open", "low"),
        missing("Dim lights", "new", None),
        unexpected("Dead battery", "closed", "high"),
        unexpected("Loose screw", "new", "null"),
    )
    reason = "2 rows expected, 3 returned; row 2 has no counterpart"
    mismatch = replace(of_rows(reason, diff), hint="add ORDER BY to the statement")
    assert str(report(root, failed(mismatch))) == snapshot


def test_only_unexpected_rows(root: Path, snapshot: SnapshotAssertion) -> None:
    diff = table("id", *(unexpected(str(number)) for number in range(1000)))
    assert str(report(root, failed(of_rows("no rows expected", diff)))) == snapshot


@pytest.mark.parametrize("columns", [60, 100, 140])
def test_wide_table(root: Path, snapshot: SnapshotAssertion, columns: int) -> None:
    assert shown(report(root, wide_table()), columns) == snapshot


def test_columns_that_differ_follow_below(root: Path, snapshot: SnapshotAssertion) -> None:
    names = " ".join(f"c{number}" for number in range(12))
    row = differs(*((f"expected {number}", f"actual {number}") for number in range(12)))
    assert shown(report(root, failed(of_rows("all", table(names, row)))), 80) == snapshot


def test_many_rows(root: Path, snapshot: SnapshotAssertion) -> None:
    assert str(report(root, many_rows())) == snapshot


def test_sql_error(root: Path, snapshot: SnapshotAssertion) -> None:
    assert str(report(root, sql_error())) == snapshot


@pytest.mark.parametrize("columns", [60, 100])
def test_odd_values(root: Path, snapshot: SnapshotAssertion, columns: int) -> None:
    assert shown(report(root, odd_values()), columns) == snapshot


def test_long_statement_and_parameters(root: Path, snapshot: SnapshotAssertion) -> None:
    sql = "\n".join(["select", *(f"\tcolumn_{number}," for number in range(40)), "1"])
    long = " ".join(f"word{number}" for number in range(40))
    statement = Statement(sql, (("org", "acme"), ("text", long), ("blob", "ab" * 2000)))
    mismatch = Mismatch(
        ("operations", 1, "expect", "value"),
        "value: 2 expected, 1 found",
        expected="line one\nline two",
        actual="x" * 3000,
        where=at(19, 9),
    )
    assert str(report(root, failed(mismatch, statement=statement))) == snapshot


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_columns_that_no_expectation_names(
    root: Path, snapshot: SnapshotAssertion, columns: int
) -> None:
    assert shown(report(root, other_columns()), columns) == snapshot


@pytest.mark.parametrize("columns", [60, 120])
def test_parts_of_json(root: Path, snapshot: SnapshotAssertion, columns: int) -> None:
    assert shown(report(root, json_parts()), columns) == snapshot


def test_json_of_which_one_part_differs(root: Path) -> None:
    told = str(report(root, json_value(CITY, reason=f"value: city: {CITY.reason}")))
    assert told.count("Paris") == 1
    assert "xxx" not in told


def test_json_of_which_several_parts_differ(root: Path) -> None:
    reason = f"value: city: {CITY.reason}, and 1 more part differs"
    told = str(report(root, json_value(CITY, NUMBER, reason=reason)))
    assert f"{reason}\n  city: {CITY.reason}\n  n: {NUMBER.reason}\n\n" in told


def test_very_many_parts(root: Path) -> None:
    parts = [replace(NUMBER, path=f"items[{number}]") for number in range(40)]
    operation = json_value(*parts, reason="value differs")
    told = str(report(root, operation))
    assert "items[11]" in told
    assert "items[12]" not in told
    assert "  … 28 more parts differ\n" in told
    assert "items[39]" in str(report(root, operation, verbosity=1))


def test_before_and_after(root: Path, snapshot: SnapshotAssertion) -> None:
    diff = replace(
        table(
            "id status", missing("1", "new"), unexpected("2", "new"), differs("3", ("new", "old"))
        ),
        sides="before and after",
    )
    assert str(report(root, failed(of_rows("issues has changed", diff)))) == snapshot


# -- what stood around it


@pytest.mark.parametrize("columns", [60, 100])
@pytest.mark.parametrize("verbosity", [0, 1])
def test_variables_and_rows(
    root: Path, snapshot: SnapshotAssertion, columns: int, verbosity: int
) -> None:
    told = report(root, sql_error(), verbosity=verbosity, **CONTEXT)
    assert shown(told, columns).partition("run it again")[0].rpartition("\n\n")[2] == snapshot


def test_nothing_stands_around_it(root: Path) -> None:
    assert "\n\nrun it again: " in str(report(root, sql_error()))


def test_the_script_is_shown_as_it_is(root: Path) -> None:
    script = f"-- a\nBEGIN;\n\nselect '{'x' * 300}\n\t;';\n\nROLLBACK;\n"
    for verbosity in (0, 2):
        told = report(root, sql_error(), verbosity=verbosity, script=script)
        screen = Screen(40)
        told.toterminal(screen)
        assert screen.text.endswith(f"\n\npsql script:\n{script}")


# -- more of it


def long_statement() -> OperationResult:
    sql = "\n".join(["select", *(f"column_{number}," for number in range(40)), "1"])
    mismatch = replace(
        one_wrong_cell().mismatches[0], table=None, expected="x" * 900, actual="y" * 900
    )
    return failed(mismatch, statement=Statement(sql, (("text", "word " * 400),)))


def test_verbose_shows_whole_statements_and_all_rows(root: Path) -> None:
    told = str(report(root, long_statement(), many_rows(), verbosity=1))
    assert "left out" not in told
    assert "rows alike" not in told
    assert all(f"column_{number}," in told for number in range(40))
    assert all(f"issue {number}" in told for number in range(100) if number not in (40, 43))
    assert told.count("word") == 400
    assert told.count("x" * 80) >= 10


@pytest.mark.parametrize("verbosity", [1, 2])
def test_verbose_tables(root: Path, snapshot: SnapshotAssertion, verbosity: int) -> None:
    told = report(root, other_columns(), json_parts(), verbosity=verbosity)
    assert shown(told, 80) == snapshot


def test_nothing_is_left_out(root: Path) -> None:
    operations = (wide_table(), odd_values(), json_parts(), other_columns(), long_statement())
    told = str(report(root, *operations, verbosity=2, **CONTEXT))
    assert "…x" not in told.replace("…" + "y" * 150, "")
    assert "left out" not in told
    assert "not shown" not in told
    joined = re.sub(r"\s", "", told)
    for operation in operations:
        diff = operation.mismatches[0].table
        texts = (
            text
            for row in (diff.rows if diff else ())
            for cell in row.cells
            for text in (cell.expected, cell.actual)
        )
        for text in texts:
            whole = printable(text or "")
            assert whole.replace(" ", "") in joined or ascii(whole)[1:-1] in joined


# -- several mismatches


def test_several_mismatches_of_two_operations(root: Path, snapshot: SnapshotAssertion) -> None:
    count = Mismatch(
        ("operations", 1, "expect", "count"), "number of rows: 3 expected, 2 found", "3", "2"
    )
    saved = Mismatch(
        ("operations", 1, "save", "issue"),
        "'rows[0].id' finds nothing, or null",
        hint="there is: rows, count, affected; a path that ends in ? saves null",
        where=at(23, 24),
    )
    second = failed(*one_wrong_cell().mismatches, count, saved)
    assert str(report(root, sql_error(), second, mismatches=[spec_level()])) == snapshot


def test_state_of_tables(root: Path, snapshot: SnapshotAssertion) -> None:
    passed = replace(one_wrong_cell(), status=Status.PASSED, mismatches=())
    assert str(report(root, passed, mismatches=[spec_level()])) == snapshot


def test_seed_error(root: Path, snapshot: SnapshotAssertion) -> None:
    mismatch = Mismatch(
        ("seed",),
        "the table 'issues' has no column 'titel'",
        hint="did you mean 'title'?",
        where=at(9, 32),
    )
    assert str(report(root, mismatches=[mismatch])) == snapshot


def test_the_whole_spec(root: Path, snapshot: SnapshotAssertion) -> None:
    reason = "the spec did not end within 10 seconds; its database was killed"
    late = Mismatch((), reason, hint="raise `timeout` if it needs longer", where=at(6, 11))
    never = Mismatch(("operations",), "what the operations left could never be committed")
    assert str(report(root, mismatches=[late, never])) == snapshot


# -- excerpts


def test_a_spec_in_one_line(root: Path, snapshot: SnapshotAssertion) -> None:
    mismatch = Mismatch(
        ("operations", 0, "expect", "value"), "2 expected, 1 found", "2", "1", where=at(30, 58)
    )
    assert shown(report(root, failed(mismatch, index=0, name=None)), 50) == snapshot


def test_items_in_the_column_of_their_key(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    (tmp_path / "one.yaml").write_bytes(
        b"\xef\xbb\xbfname: one\r\noperations:\r\n- sql: select 1\r\n"
        b"- sql: select 2\r\n  expect:\r\n    row:\r\n      a: 1\r\n- sql: select 3\r\n"
    )
    place = Location(tmp_path / "one.yaml", 7, 10)
    mismatch = Mismatch(ROWS, "1 expected, 2 found", where=place)
    assert str(report(tmp_path, failed(mismatch))) == snapshot


@pytest.mark.parametrize("change", ["removed", "shorter", "narrower", "binary"])
def test_a_file_that_has_changed_is_not_quoted(
    root: Path, change: Literal["removed", "shorter", "narrower", "binary"]
) -> None:
    contents = {"shorter": b"specs: []\n", "narrower": b"\n" * 40, "binary": b"\xff" * 4000}
    if change == "removed":
        (root / FILE).unlink()
    else:
        (root / FILE).write_bytes(contents[change])
    text = str(report(root, one_wrong_cell()))
    assert "specs/issues.yaml:21:45" in text
    assert " | " not in text
    assert "~ Broken flipper  open ≠ new" in text


def test_the_file_is_read_when_the_report_is_made(root: Path) -> None:
    told = report(root, one_wrong_cell())
    (root / FILE).unlink()
    assert "> 21 | " in str(told)


def test_a_file_outside_of_the_root_is_named_in_full(root: Path) -> None:
    place = Location(root / FILE, 6, 11)
    result = SpecResult("x", Status.FAILED, (), (Mismatch((), "late", where=place),))
    assert f"\n{place}\n" in str(SpecReport(result, root / "elsewhere", "x"))


# -- what pytest does with it


def test_colours(root: Path, snapshot: SnapshotAssertion) -> None:
    screen = Screen(100, tags=True)
    report(root, one_wrong_cell()).toterminal(screen)
    assert screen.text == snapshot


def test_plain_text_has_no_codes_and_survives_being_sent(root: Path) -> None:
    told = report(root, odd_values(), mismatches=[spec_level()])
    text = str(told)
    assert not any(not line.isprintable() for line in text.split("\n"))
    assert json.loads(json.dumps(text)) == text == str(pickle.loads(pickle.dumps(told)))


def test_summary(root: Path) -> None:
    crash = report(root, sql_error(), one_wrong_cell()).reprcrash
    assert crash.message == (
        'operation 1 (sql): the operation failed: relation "isues" does not exist (and 1 more)'
    )
    assert str(crash) == f"specs/issues.yaml:11:9: {crash.message}"
