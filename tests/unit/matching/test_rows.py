"""Rows against a result: which mismatch there is, where it points, and what its table shows."""

from __future__ import annotations

from typing import Any

import pytest

from harness.matching import SqlResult, judge_sql, judge_table
from harness.matching.comparison import Comparison
from harness.matching.rows import Table, unordered_pairs
from harness.results import Column, Mismatch, ResultSet
from harness.spec.expectations import SqlOutcome
from harness.spec.state import TableState

from .recorded import Recorded, comparison, expectation, result_set, sql, table

COLUMNS = {"id": "integer", "title": "text", "payload": "jsonb"}
THREE = result_set(
    COLUMNS,
    ("1", "a", '{"items": [{"price": 4}]}'),
    ("2", "b", None),
    ("3", "c", "null"),
)
EMPTY = result_set(COLUMNS)


def only(mismatches: tuple[Mismatch, ...]) -> Mismatch:
    assert len(mismatches) == 1, mismatches
    return mismatches[0]


def drawn(mismatch: Mismatch) -> list[str]:
    """The named columns of a table in lines; `actual≠expected` where a cell differs."""
    assert mismatch.table is not None
    named = len(mismatch.table.columns) - mismatch.table.unnamed
    lines = [" ".join(mismatch.table.columns[:named])]
    for row in mismatch.table.rows:
        cells = [
            f"{cell.actual}" if cell.matches else f"{cell.actual}≠{cell.expected}"
            for cell in row.cells[:named]
        ]
        lines.append(f"{row.mark}: {' '.join(cells)}")
    return lines


PASSING: list[tuple[dict[str, Any], ResultSet]] = [
    ({"rows": [{"id": 1}, {"title": "b"}, {"payload": None}]}, THREE),
    ({"rows": []}, EMPTY),
    ({"rows": [{"id": 3}, {"id": 1}, {"id": 2}], "order": "any"}, THREE),
    ({"contains": [{"id": 3}, {"title": "a"}]}, THREE),
    ({"columns": ["id", "title", "payload"], "contains": [[2, "b", None]]}, THREE),
    ({"row": {"$one_of": [{"n": 2}, {"n": 1}]}}, result_set({"n": "bigint"}, ("1",))),
    ({"rows": [{"$not": {"id": 2}}, {"$any": True}, {"id": 3}]}, THREE),
    ({"value": 1}, result_set({"n": "bigint"}, ("1",))),
    ({"value": None}, result_set({"n": "bigint"}, (None,))),
    ({"count": 3}, THREE),
    ({"count": {"$gt": 2}}, THREE),
    ({"count": 0}, EMPTY),
    ({"columns": ["n"], "count": 1}, result_set({"n": "bigint"}, ("1",))),
]


@pytest.mark.parametrize(("expect", "result"), PASSING, ids=repr)
def test_pass(expect: dict[str, Any], result: ResultSet) -> None:
    assert sql(expect, result) == ()


FAILING: list[tuple[dict[str, Any], ResultSet, tuple[str | int, ...], str]] = [
    (
        {"rows": [{"id": 1}, {"id": 2}]},
        THREE,
        ("rows",),
        "2 rows expected, 3 returned",
    ),
    ({"rows": []}, THREE, ("rows",), "no rows expected, 3 returned"),
    (
        {"rows": [{"id": 1}]},
        EMPTY,
        ("rows", 0),
        "1 row expected, none returned; row 1 has no counterpart",
    ),
    (
        {"rows": [{"id": 1}, {"id": 2, "title": "x"}, {"id": 3}]},
        THREE,
        ("rows", 1, "title"),
        "row 2: title: x expected, b found",
    ),
    (
        {"columns": list(COLUMNS), "contains": [[2, "x", None]]},
        THREE,
        ("contains", 0, 1),
        "1 of 1 row expected is not among the 3 rows returned; row 1: title: x expected, b found",
    ),
    (
        {"rows": [{"id": 1, "payload": {"items": [{"price": 3}]}}, {"id": 2}, {"id": 3}]},
        THREE,
        ("rows", 0, "payload"),
        "row 1: payload.items[0].price: 3 expected, 4 found",
    ),
    (
        {"rows": [{"id": 9, "title": "x"}, {"id": 2}, {"id": 3}]},
        THREE,
        ("rows", 0),
        "row 1 differs in id, title",
    ),
    (
        {"rows": [{"id": 2}, {"id": 1}, {"id": 3}]},
        THREE,
        ("rows",),
        "the rows come in another order; "
        "row 1: id: 2 expected, 1 found; row 2: id: 1 expected, 2 found",
    ),
    (
        {"rows": [{"id": 1, "titel": "a"}, {"id": 2, "titel": "b"}, {"id": 3}]},
        THREE,
        ("rows",),
        "there is no column titel",
    ),
    (
        {"rows": [{"id": {"$any": True}, "titel": {"$any": True}}, {"id": 2}, {"id": 3}]},
        THREE,
        ("rows", 0, "titel"),
        "there is no column titel",
    ),
    (
        {"rows": [{"titel": {"$not": "x"}}, {"id": 2}, {"id": 3}]},
        THREE,
        ("rows", 0, "titel"),
        "there is no column titel",
    ),
    (
        {"rows": [{"$not": {"titel": "x"}}, {"id": 2}, {"id": 3}]},
        THREE,
        ("rows", 0),
        "row 1: there is no column titel",
    ),
    (
        {"rows": [{"id": {"$absent": True}}, {"id": 2}, {"id": 3}]},
        THREE,
        ("rows", 0, "id"),
        "row 1: id: it should be absent, 1 found",
    ),
    (
        {"rows": [{"id": 1}, {"id": 1}, {"id": 2}], "order": "any"},
        THREE,
        ("rows", 1, "id"),
        "row 2: id: 1 expected, 3 found",
    ),
    (
        {"rows": [{"id": 8}, {"id": 9}, {"id": 2}], "order": "any"},
        THREE,
        ("rows",),
        "row 1 has no counterpart; row 2 has no counterpart",
    ),
    (
        {"contains": [{"id": "eight"}]},
        THREE,
        ("contains", 0, "id"),
        "1 of 1 row expected is not among the 3 rows returned; row 1: id: eight expected, 1 found: "
        'invalid input syntax for type integer: "eight"',
    ),
    (
        {"contains": [{"id": 1}, {"id": 1}]},
        THREE,
        ("contains", 1),
        "1 of 2 rows expected is not among the 3 rows returned; row 2 has no counterpart",
    ),
    (
        {"row": {"id": 1}},
        THREE,
        ("row",),
        "exactly one row expected, 3 returned",
    ),
    (
        {"row": {"id": 1}},
        EMPTY,
        ("row",),
        "exactly one row expected, none returned; row 1 has no counterpart",
    ),
    (
        {"row": {"n": 2}},
        result_set({"n": "bigint"}, ("1",)),
        ("row", "n"),
        "row 1: n: 2 expected, 1 found",
    ),
    (
        {"value": 1},
        THREE,
        ("value",),
        "exactly one row with one column expected, 3 rows with 3 columns returned",
    ),
    (
        {"value": None},
        result_set({"n": "bigint"}),
        ("value",),
        "exactly one row with one column expected, no rows with 1 column returned",
    ),
    (
        {"value": 1},
        result_set({"n": "bigint"}, ("1",), ("1",)),
        ("value",),
        "exactly one row with one column expected, 2 rows with 1 column returned",
    ),
    (
        {"value": 2},
        result_set({"n": "bigint"}, ("1",)),
        ("value",),
        "value: 2 expected, 1 found",
    ),
    ({"count": 2}, THREE, ("count",), "number of rows: 2 expected, 3 found"),
    (
        {"columns": ["title", "id", "payload"]},
        THREE,
        ("columns",),
        "columns [title, id, payload] expected, [id, title, payload] returned",
    ),
]


@pytest.mark.parametrize(("expect", "result", "path", "reason"), FAILING, ids=repr)
def test_fail(
    expect: dict[str, Any], result: ResultSet, path: tuple[str | int, ...], reason: str
) -> None:
    mismatch = only(sql(expect, result))

    assert mismatch.path == ("expect", *path)
    assert mismatch.reason == reason


def test_the_nearest_column_is_hinted() -> None:
    mismatch = only(sql({"contains": [{"titel": "a"}]}, THREE))

    assert mismatch.hint == "did you mean 'title'?"


def test_the_right_rows_in_another_order_are_hinted() -> None:
    mismatch = only(sql({"rows": [{"id": 3}, {"id": 2}, {"id": 1}]}, THREE))

    assert mismatch.hint is not None
    assert "order: any" in mismatch.hint


def test_all_mismatches_come_together() -> None:
    expect = {"rows": [{"id": 1}], "count": 1, "columns": ["id"], "affected": 1}

    mismatches = sql(expect, THREE, affected=3)

    assert [each.path[-1] for each in mismatches] == ["columns", "rows", "count", "affected"]


@pytest.mark.parametrize(
    "expect",
    [
        {"rows": []},
        {"rows": [{"a": 1}]},
        {"contains": [{"a": 1}]},
        {"columns": ["a"]},
        {"row": {"a": {"$absent": True}}},
        {"value": None},
        {"value": {"$any": True}},
        {"count": 0},
    ],
    ids=repr,
)
def test_a_statement_without_result_set_never_satisfies_rows(expect: dict[str, Any]) -> None:
    mismatch = only(sql(expect, None, affected=0))

    assert mismatch.path == ("expect", *expect)
    assert mismatch.reason == "the statement has no result set"


def test_affected() -> None:
    assert sql({"affected": 3}, None, affected=3) == ()
    assert sql({"affected": {"$gt": 2}}, None, affected=3) == ()
    assert (
        only(sql({"affected": 0}, None, affected=3)).reason == "affected rows: 0 expected, 3 found"
    )
    assert only(sql({"affected": 0}, None, affected=None)).path == ("expect", "affected")


@pytest.mark.parametrize("key", ["rows", "contains", "columns", "row", "value", "count"])
def test_two_columns_of_one_name_are_a_mismatch(key: str) -> None:
    result = ResultSet((Column("n", "integer"), Column("n", "integer")), (("1", "1"),))
    expect: dict[str, Any] = {
        "rows": [{"n": 1}],
        "contains": [{"n": 1}],
        "columns": ["n", "n"],
        "row": {"n": 1},
        "value": 1,
        "count": 1,
    }

    mismatch = only(sql({key: expect[key]}, result))

    assert mismatch.path == ("expect", key)
    assert mismatch.reason == "the result has 2 columns named n"


def test_rows_are_counted_whatever_their_columns_are_called() -> None:
    result = ResultSet((Column("n", "integer"), Column("n", "integer")), (("1", "1"),))

    mismatches = sql({"rows": [{"n": 1}], "count": {"$gt": 1}}, result)

    assert [each.path[1] for each in mismatches] == ["rows", "count"]


def test_the_diff_of_ordered_rows() -> None:
    expect = {"rows": [{"id": 1, "title": "x"}, {"id": 2, "title": "b"}]}

    assert drawn(only(sql(expect, THREE))) == [
        "id title",
        "differs: 1 a≠x",
        "same: 2 b",
        "unexpected: 3≠None c≠None",
    ]


def test_the_diff_of_ordered_rows_keeps_together_what_ends_alike() -> None:
    assert drawn(only(sql({"rows": [{"id": 2}, {"id": 3}]}, THREE))) == [
        "id",
        "unexpected: 1≠None",
        "same: 2",
        "same: 3",
    ]


def test_the_diff_of_unordered_rows_pairs_the_nearest() -> None:
    expect = {
        "rows": [{"id": 3, "title": "x"}, {"id": 7, "title": "z"}, {"id": 1, "title": "a"}],
        "order": "any",
    }

    assert drawn(only(sql(expect, THREE))) == [
        "id title",
        "differs: 3 c≠x",
        "missing: None≠7 None≠z",
        "same: 1 a",
        "unexpected: 2≠None b≠None",
    ]


def test_the_diff_shows_the_named_columns_in_the_order_of_the_result() -> None:
    expect = {"rows": [{"title": "a", "zzz": 1}, {"id": 2}, {"id": 3}]}

    assert drawn(only(sql(expect, THREE))) == [
        "id title zzz",
        "differs: 1 a None≠1",
        "same: 2 b None",
        "same: 3 c None",
    ]


def test_the_diff_of_no_rows_shows_all_columns() -> None:
    lines = drawn(only(sql({"rows": []}, THREE)))

    assert lines[0] == "id title payload"
    assert lines[2] == "unexpected: 2≠None b≠None null≠None"


def test_the_diff_of_contains_leaves_out_rows_that_nobody_asked_for() -> None:
    assert drawn(only(sql({"contains": [{"id": 2}, {"id": 9}]}, THREE))) == [
        "id",
        "same: 2",
        "missing: None≠9",
    ]


def test_a_matcher_of_a_row_stands_in_the_first_cell() -> None:
    expect = {"row": {"$one_of": [{"n": 2}, {"n": 3}]}}

    lines = drawn(only(sql(expect, result_set({"n": "int", "m": "int"}, ("1", "1")))))

    assert lines[1] == "differs: 1≠{$one_of: [{n: 2}, {n: 3}]} 1"


@pytest.mark.parametrize("row", [{}, None, 5, "text", [1], [1, 2, 3]], ids=repr)
def test_what_a_template_gave_may_be_no_row(row: Any) -> None:
    outcome = SqlOutcome.model_validate({"rows": ["{{ saved }}"], "columns": ["n", "m"]})
    rendered = outcome.model_copy(update={"rows": [row]})
    result = SqlResult(result_set({"n": "int", "m": "int"}, ("1", "1")))

    mismatch = only(judge_sql(rendered, result, (), comparison()))

    assert mismatch.path == ("rows", 0)
    assert mismatch.table is not None


def test_a_table_has_no_order() -> None:
    assert table({"rows": [{"id": 3}, {"id": 1}, {"id": 2}]}, THREE) == ()
    assert table({"contains": [{"id": 3}], "count": 3}, THREE) == ()


def test_a_table_that_differs() -> None:
    mismatches = table({"rows": [{"id": 1}], "contains": [{"id": 4}], "count": {"$gt": 3}}, THREE)

    assert [each.path for each in mismatches] == [
        ("tables", "t", "rows"),
        ("tables", "t", "contains", 0),
        ("tables", "t", "count"),
    ]
    assert mismatches[0].reason == "1 row expected, 3 found"


def test_an_empty_table() -> None:
    assert table({"rows": []}, EMPTY) == ()
    assert table({"count": 0}, EMPTY) == ()
    assert only(table({"rows": []}, THREE)).reason == "no rows expected, 3 found"


def test_types_are_those_of_the_column_whatever_the_first_row_holds() -> None:
    result = result_set({"n": "integer", "j": "jsonb"}, (None, None), ("5", '"5"'))

    assert sql({"rows": [{"n": None, "j": None}, {"n": 5, "j": "5"}]}, result) == ()
    assert sql({"contains": [{"j": 5}]}, result) != ()


LENGTHS = result_set(
    {"id": "integer", "length": "interval", "name": "citext"},
    ("1", "1 day", "abc"),
    ("2", "24:00:00", "abc"),
)


@pytest.mark.parametrize(
    "rows",
    [
        [{"length": "24:00:00"}, {"length": "24:00:00"}],
        [{"length": "24:00:00", "name": "ABC"}, {"length": "24:00:00"}],
        [{"length": "24:00:00", "id": 1}, {"length": "24:00:00", "id": 2}],
        [{"length": "24:00:00"}, {"length": "24:00:00", "id": 2}],
        [{"length": {"$in": ["24:00:00"]}, "id": 1}, {"id": 2}],
    ],
    ids=repr,
)
def test_rows_in_any_order_that_only_postgresql_knows_to_be_equal(rows: list[Any]) -> None:
    assert sql({"rows": rows, "order": "any"}, LENGTHS) == ()
    assert sql({"contains": rows}, LENGTHS) == ()
    assert table({"rows": rows}, LENGTHS) == ()


@pytest.mark.parametrize(
    "rows",
    [
        [{"length": "24:00:00", "id": 1}, {"length": "24:00:00", "id": 1}],
        [{"length": "1 week"}, {"length": "24:00:00"}],
        [{"name": "abd"}, {"name": "abc"}],
    ],
    ids=repr,
)
def test_rows_in_any_order_that_differ_for_postgresql_too(rows: list[Any]) -> None:
    assert only(sql({"rows": rows, "order": "any"}, LENGTHS)).path[:2] == ("expect", "rows")


def test_arrays_in_any_order_that_only_postgresql_knows_to_be_equal() -> None:
    result = result_set({"a": "citext[]"}, ("{xyz}",), ("{abc}",))

    assert table({"rows": [{"a": ["ABC"]}, {"a": ["xyz"]}]}, result) == ()


def test_postgresql_is_not_asked_where_equal_texts_will_do() -> None:
    casts = Recorded()
    result = result_set({"a": "mood"}, ("ok",), ("happy",))

    state = TableState.model_validate({"rows": [{"a": "happy"}, {"a": "ok"}]})

    assert judge_table(state, result, (), comparison(casts)) == ()
    assert casts.asked == []


def _pairs(rows: list[Any], result: ResultSet) -> list[tuple[int | None, int | None]]:
    sought = [expectation(row) for row in rows]
    pairs = unordered_pairs(sought, Table(result, "found"), comparison())
    return [(pair.expected, pair.actual) for pair in pairs if pair.same]


def test_many_plain_rows_are_found_without_comparing_each_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("rows were compared one by one")

    monkeypatch.setattr(Comparison, "match", refuse)
    result = result_set(COLUMNS, *((str(n), f"t{n}", f'{{"n": [{n}]}}') for n in range(1000)))
    rows = [{"id": n, "title": f"t{n}", "payload": {"n": [n]}} for n in reversed(range(1000))]

    assert _pairs(rows, result) == [(n, 999 - n) for n in range(1000)]


def test_a_thousand_rows_that_all_want_the_same_few() -> None:
    same = result_set({"n": "int"}, *([("1",)] * 500 + [("2",)] * 500))

    assert len(_pairs([{"n": 1}] * 1000, same)) == 500


def test_a_pairing_is_found_where_the_first_come_would_take_what_others_need() -> None:
    result = result_set({"n": "int"}, *((str(n),) for n in reversed(range(60))))

    assert len(_pairs([{"n": {"$gte": n}} for n in range(60)], result)) == 60
