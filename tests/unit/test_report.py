"""Failure output, pinned as snapshots: `pytest tests/unit/test_report.py --snapshot-update`."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.errors import Location
from harness.report.glyphs import width
from harness.report.text import SpecReport
from harness.results import (
    Cell,
    Mismatch,
    OperationResult,
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
    root: Path, *operations: OperationResult, mismatches: Sequence[Mismatch] = ()
) -> SpecReport:
    result = SpecResult(
        "an admin's issue is new", Status.FAILED, tuple(operations), tuple(mismatches)
    )
    return SpecReport(result, root, NODEID)


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
