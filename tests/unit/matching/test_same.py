"""`$same`: one name means one value, wherever in a spec it stands and whatever is tried first."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.matching import Marks, SqlResult, assignment, judge_error, judge_sql, judge_table
from harness.matching.values import value_of
from harness.results import Mismatch, ResultSet
from harness.spec.expectations import ErrorExpectation, SqlOutcome
from harness.spec.marks import same_names
from harness.spec.state import TableState

from .recorded import TSTZ, comparison, expectation, result_set

UUID_TEXT = "7f6f0f5e-0000-4000-8000-000000000001"
X, Y = {"$same": "x"}, {"$same": "y"}


class Spec:
    """One spec's marks, and the judging of one operation after the other."""

    def __init__(self) -> None:
        self.marks = Marks()
        self._operations = itertools.count()

    def sql(self, expect: dict[str, Any], result: ResultSet) -> tuple[Mismatch, ...]:
        path = ("operations", next(self._operations), "expect")
        outcome = SqlOutcome.model_validate(expect)
        return judge_sql(outcome, SqlResult(result), path, comparison(marks=self.marks))

    def value(self, expected: Any, text: str | None, type: str) -> tuple[Mismatch, ...]:
        return self.sql({"value": expected}, result_set({"v": type}, (text,)))

    def table(self, expect: dict[str, Any], result: ResultSet) -> tuple[Mismatch, ...]:
        state = TableState.model_validate(expect)
        return judge_table(state, result, ("tables", "t"), comparison(marks=self.marks))


def numbers(*texts: str | None) -> ResultSet:
    return result_set({"n": "integer"}, *((text,) for text in texts))


def pairs(*rows: tuple[str | None, str | None]) -> ResultSet:
    return result_set({"a": "integer", "b": "integer"}, *rows)


SAME: list[tuple[tuple[str, str], tuple[str, str]]] = [
    (("5", "integer"), ("5", "bigint")),
    (("5", "integer"), ("5.0", "numeric")),
    (("5", "integer"), ("5.0", "jsonb")),
    (("NaN", "numeric"), ("NaN", "real")),
    (("5", "integer"), ("5", "text")),
    ((UUID_TEXT, "uuid"), (f'"{UUID_TEXT}"', "jsonb")),
    ((UUID_TEXT, "uuid"), (f'"{UUID_TEXT.upper()}"', "jsonb")),
    ((UUID_TEXT, "uuid"), (UUID_TEXT.replace("-", ""), "text")),
    (("2026-01-01 10:00:00+00", TSTZ), ("2026-01-01 12:00:00+02", TSTZ)),
    (("2026-01-01 10:00:00+00", TSTZ), ('"2026-01-01T12:00:00+02:00"', "jsonb")),
    (("abc", "text"), ('"abc"', "jsonb")),
    (("abc", "text"), ("abc  ", "bpchar")),
    (("abc", "citext"), ("ABC", "citext")),
    (("abc", "citext"), ("ABC", "text")),
    (("1 day", "interval"), ("24:00:00", "interval")),
    (("t", "boolean"), ("true", "jsonb")),
    (("{1,2}", "integer[]"), ("[1, 2.0]", "jsonb")),
    (("{1,NULL}", "integer[]"), ("[1, null]", "jsonb")),
    (('{"a": [1, {}]}', "json"), ('{"a": [1.0, {}]}', "jsonb")),
]

NOT_SAME: list[tuple[tuple[str | None, str], tuple[str | None, str]]] = [
    (("5", "integer"), ("6", "integer")),
    (("5", "integer"), ("5.1", "numeric")),
    (("5", "jsonb"), ('"5"', "jsonb")),
    (("1", "integer"), ("t", "boolean")),
    (("1", "text"), ("t", "boolean")),
    (("no", "text"), ("f", "boolean")),
    (("1", "jsonb"), ("true", "jsonb")),
    (('"true"', "jsonb"), ("true", "jsonb")),
    ((UUID_TEXT, "uuid"), (UUID_TEXT.replace("1", "2"), "uuid")),
    ((UUID_TEXT, "uuid"), ("abc", "text")),
    (("abc", "text"), ("ABC", "text")),
    (("", "text"), (None, "text")),
    (("5", "integer"), (None, "integer")),
    (("5", "jsonb"), ("null", "jsonb")),
    (("{1,2}", "integer[]"), ("[2, 1]", "jsonb")),
    (("{1,NULL}", "integer[]"), ("{1,0}", "integer[]")),
    (("{1}", "integer[]"), ("1", "integer")),
    (("{1,2}", "integer[]"), ("[1]", "jsonb")),
    (("[]", "jsonb"), ("{}", "jsonb")),
    (("[]", "jsonb"), ('"[]"', "jsonb")),
    (('{"a": 1}', "jsonb"), ('{"a": 1, "b": 2}', "jsonb")),
    (('{"a": 1}', "jsonb"), ('{"b": 1}', "jsonb")),
    (('{"a": null}', "jsonb"), ("{}", "jsonb")),
    (("2026-01-01 10:00:00+00", TSTZ), ("2026-01-01 10:00:00+02", TSTZ)),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=repr)
def test_the_same_across_types_and_operations(one: tuple[str, str], other: tuple[str, str]) -> None:
    for first, second in ((one, other), (other, one)):
        spec = Spec()
        assert spec.value(X, *first) == ()
        assert spec.value(X, *second) == ()
        assert spec.value({"$not": X}, *second) != ()


@pytest.mark.parametrize(("one", "other"), NOT_SAME, ids=repr)
def test_not_the_same(one: tuple[str | None, str], other: tuple[str | None, str]) -> None:
    for first, second in ((one, other), (other, one)):
        spec = Spec()
        assert (spec.value(X, *first) == ()) is (first[0] not in (None, "null"))
        assert spec.value(X, *second) != () or first[0] in (None, "null")


def test_equal_to_every_other_not_only_to_the_first() -> None:
    spec = Spec()

    assert spec.value(X, "abc", "citext") == ()
    assert spec.value(X, "ABC", "text") == ()
    assert spec.value(X, "abc", "text") != ()


def test_a_mismatch_tells_both_values_and_where_the_first_was_marked() -> None:
    spec = Spec()
    spec.sql({"rows": [{"n": 4}, {"n": X}]}, numbers("4", "5"))

    (mismatch,) = spec.sql({"rows": [{"n": X}]}, numbers("6"))

    assert mismatch.reason == (
        "row 1: n: 5 expected, 6 found: x was marked at operations[0].expect.rows[1]"
    )


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        ([("1", "1"), ("2", "2")], True),
        ([("1", "1"), ("2", "3")], False),
        ([("1", "1"), ("2", None)], False),
    ],
)
def test_within_one_row(rows: list[tuple[str | None, str | None]], held: bool) -> None:
    expected = [{"a": {"$same": name}, "b": {"$same": name}} for name in "pq"]

    assert (Spec().sql({"rows": expected}, pairs(*rows)) == ()) is held
    assert (Spec().sql({"rows": expected, "order": "any"}, pairs(*rows)) == ()) is held
    assert (Spec().sql({"contains": expected}, pairs(*rows)) == ()) is held


def test_in_a_list() -> None:
    assert Spec().value({"$each": X}, "{5,5}", "integer[]") == ()
    assert Spec().value({"$each": X}, "{5,6}", "integer[]") != ()
    assert Spec().value([X, X], "[5, 5.0]", "jsonb") == ()
    assert Spec().value([X, X], "[5, 6]", "jsonb") != ()
    assert Spec().value({"$unordered": [1, X, X]}, "[7, 1, 7]", "jsonb") == ()
    assert Spec().value({"$unordered": [1, X, X]}, "[7, 1, 8]", "jsonb") != ()
    assert Spec().value({"$contains": [X, X]}, "[7, 1, 8, 1]", "jsonb") == ()
    assert Spec().value({"$contains": [X, X]}, "[7, 1, 8]", "jsonb") != ()


def test_one_of_marks_only_in_the_branch_that_holds() -> None:
    spec = Spec()
    branches = [{"a": X, "b": 9}, {"b": X}]

    assert spec.sql({"row": {"$one_of": branches}}, pairs(("1", "2"))) == ()
    assert spec.value(X, "1", "integer") != ()
    assert spec.value(X, "2", "integer") == ()


def test_not_compares_and_never_marks() -> None:
    spec = Spec()

    (mismatch,) = spec.value({"$not": X}, "1", "integer")
    assert mismatch.reason == "value: nothing is marked x yet"
    assert spec.value({"$not": {"$not": X}}, "1", "integer") != ()
    assert spec.value({"$ne": X}, "1", "integer") != ()
    assert spec.value({"$not": {"$one_of": [7, X]}}, "1", "integer") != ()
    assert spec.value({"$not": {"$contains": [X, 9]}}, "[1]", "jsonb") != ()
    assert spec.value({"$not": [X, 9]}, "[1]", "jsonb") != ()
    assert spec.value(X, "5", "integer") == ()
    assert spec.value({"$not": X}, "1", "integer") == ()
    assert spec.value({"$not": {"$not": X}}, "5", "integer") == ()
    assert spec.value({"$not": X}, "5", "integer") != ()
    assert spec.value({"$not": {"$contains": [X, 9]}}, "[1]", "jsonb") == ()


def test_a_pairing_is_found_whatever_comes_first() -> None:
    """Only a = 2 will do: the greedy choice for the first row leaves nothing for the second."""
    expected = [{"a": X, "b": {"$any": True}}, {"a": {"$any": True}, "b": X}]
    rows = pairs(("1", "3"), ("2", "5"), ("4", "2"))

    spec = Spec()
    assert spec.sql({"contains": expected}, rows) == ()
    assert spec.value(X, "2", "integer") == ()
    assert spec.value(X, "1", "integer") != ()


def test_parents_and_children_in_any_order() -> None:
    rows = pairs(("1", None), ("2", "1"), ("3", "2"), ("4", "1"))
    tree = [
        {"a": {"$same": "leaf"}, "b": {"$same": "node"}},
        {"a": {"$same": "node"}, "b": {"$same": "root"}},
        {"a": {"$any": True}, "b": {"$same": "root"}},
        {"a": {"$same": "root"}, "b": None},
    ]

    for order in itertools.permutations(tree):
        spec = Spec()
        assert spec.table({"rows": list(order)}, rows) == ()
        assert spec.value({"$same": "leaf"}, "3", "integer") == ()
    crossed = [*tree[:2], {"a": {"$any": True}, "b": {"$same": "node"}}, tree[3]]
    assert Spec().table({"rows": crossed}, rows) != ()


def test_marks_of_a_pairing_that_was_only_tried_do_not_count() -> None:
    spec = Spec()

    assert spec.sql({"contains": [{"a": X, "b": 2}]}, pairs(("7", "1"), ("8", "2"))) == ()
    assert spec.value(X, "8", "integer") == ()


def test_null_is_never_the_same() -> None:
    spec = Spec()

    assert spec.sql({"contains": [{"n": X}]}, numbers(None)) != ()
    assert spec.sql({"contains": [{"n": X}]}, numbers(None, "3")) == ()
    assert spec.sql({"rows": [{"n": X}, {"n": Y}], "order": "any"}, numbers(None, "3")) != ()


def test_what_a_failed_expectation_only_tried_is_not_marked() -> None:
    spec = Spec()

    assert spec.sql({"rows": [{"n": X}], "order": "any"}, numbers()) != ()
    assert spec.sql({"rows": [{"n": 1}, {"n": X}]}, numbers("2")) != ()
    assert spec.sql({"rows": [{"a": X, "b": 9}, {"a": 5}]}, pairs(("5", "1"))) != ()
    assert spec.value([X, 9], "[1]", "jsonb") != ()
    assert spec.value(X, "5", "integer") == ()


def test_an_error_marks_and_is_compared() -> None:
    spec = Spec()
    expected = ErrorExpectation.model_validate({"message": X})

    assert judge_error(expected, ValueError("abc"), (), spec.marks) == ()
    assert spec.value(X, "abc", "text") == ()
    assert judge_error(expected, ValueError("abd"), (), spec.marks) != ()


def test_without_the_marks_of_the_spec_an_error_never_holds() -> None:
    expected = ErrorExpectation.model_validate({"message": X})

    assert judge_error(expected, ValueError("abc"), ()) != ()


def test_a_search_without_end_is_a_failure_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """An odd ring of names, and rows that lead from odd numbers to even ones and back."""
    monkeypatch.setattr(assignment, "MOST_EFFORT", 1000)
    size = 9
    ring = [{"a": {"$same": f"n{i}"}, "b": {"$same": f"n{(i + 1) % size}"}} for i in range(size)]
    rows = [(str(a), str(b)) for a in range(8) for b in range(8) if (a + b) % 2]

    (mismatch,) = Spec().sql({"contains": ring}, pairs(*rows))

    assert "could mean so many values" in mismatch.reason
    assert mismatch.hint == "name more of the columns, so that fewer rows could be meant"


def test_names_that_stand_alone_do_not_make_a_search_longer() -> None:
    alone = [{"a": {"$same": f"n{n}"}} for n in range(12)]
    rows = pairs(*((str(n), str(n + 100)) for n in range(14)))

    (mismatch,) = Spec().sql({"contains": [*alone, {"a": X}, {"b": X}]}, rows)

    assert "could mean so many values" not in mismatch.reason


def test_a_mark_that_only_postgresql_knows_to_be_equal_is_found_in_any_order() -> None:
    spec = Spec()
    rows = result_set({"v": "citext"}, ("zzz",), ("ABC",))

    assert spec.value(X, "abc", "citext") == ()
    assert spec.sql({"contains": [{"v": X}]}, rows) == ()


def test_a_name_inside_a_mapping_does_not_hide_what_stands_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assignment, "MOST_EFFORT", 500)
    parts = [{"$partial": {"id": {"$same": f"n{n}"}, "n": n}} for n in range(200)]
    rows = result_set({"v": "jsonb"}, *((f'{{"id": 7, "n": {n}, "x": 1}}',) for n in range(200)))
    expected = [{"v": part} for part in reversed(parts)]

    assert Spec().sql({"rows": expected, "order": "any"}, rows) == ()


def test_rows_that_are_alike_are_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "MOST_EFFORT", 1000)

    (mismatch,) = Spec().sql({"rows": [{"n": X}] * 100, "order": "any"}, numbers(*"1" * 99, "3"))

    assert "1 expected, 3 found" in mismatch.reason


def test_a_name_that_stands_alone_inside_a_list_may_need_a_search() -> None:
    rows = result_set({"v": "integer[]"}, ("{1,2}",), ("{1,3}",))
    expected = [{"v": {"$unordered": [X, 1]}}, {"v": {"$unordered": [Y, 2]}}]

    spec = Spec()
    assert spec.sql({"contains": expected}, rows) == ()
    assert spec.value(X, "3", "integer") == ()
    assert spec.value(Y, "1", "integer") == ()


def test_a_long_chain_of_names_is_found() -> None:
    chain = [{"a": {"$same": f"n{i}"}, "b": {"$same": f"n{i - 1}"}} for i in range(1, 41)]
    rows = pairs(("0", None), *((str(i), str(i - 1)) for i in reversed(range(1, 41))))

    assert Spec().sql({"rows": [*chain, {"a": 0}], "order": "any"}, rows) == ()


CELLS = st.sampled_from(["1", "2", "3", None])
EXPECTED = st.sampled_from([X, Y, {"$same": "z"}, 1, 2, {"$any": True}, {"$not": X}])


@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4),
    st.lists(st.fixed_dictionaries({"a": EXPECTED, "b": EXPECTED}), min_size=1, max_size=4),
)
def test_a_pairing_holds_exactly_if_any_order_of_rows_does(
    rows: list[tuple[str | None, str | None]], expected: list[dict[str, Any]]
) -> None:
    """Against brute force: every choice of rows, with what it makes each name mean."""
    denied = any("$not" in str(row) for row in expected)
    found = Spec().sql({"contains": expected}, pairs(*rows)) == ()
    possible = any(
        _means_one_value(zip(expected, order, strict=True))
        for order in itertools.permutations(rows, len(expected))
    )

    assert found <= possible
    assert denied or found is possible


def _means_one_value(pairing: Any) -> bool:
    cells = [(row[name], cell) for row, (a, b) in pairing for name, cell in (("a", a), ("b", b))]
    meaning: dict[str, str] = {}
    for wanted, cell in cells:
        if isinstance(wanted, int) and cell != str(wanted):
            return False
        name = wanted.get("$same") if isinstance(wanted, dict) else None
        if name and (cell is None or meaning.setdefault(name, cell) != cell):
            return False
    denied = [cell for wanted, cell in cells if isinstance(wanted, dict) and "$not" in wanted]
    return all(cell is not None and "x" in meaning and meaning["x"] != cell for cell in denied)


def test_the_names_of_an_expectation() -> None:
    rows = [{"a": X, "b": {"$one_of": [None, Y]}}, {"a": {"$not": X}, "b": {"$each": {"c": [Y]}}}]

    assert same_names(SqlOutcome.model_validate({"rows": rows})) == {"x": 2, "y": 3}
    assert same_names(expectation({"$same": "x", "$gt": 5})) == {"x": 1}
    assert same_names([1, "x", None]) == {}


def test_marks_made_later_can_be_taken_back() -> None:
    marks = Marks()
    marks.add("x", value_of("1", "integer"))
    state = marks.state
    marks.add("x", value_of("1", "text"))
    marks.add("y", value_of("2", "integer"))

    marks.restore(state)

    assert [mark.value for mark in marks.named("x")] == [value_of("1", "integer")]
    assert marks.named("y") == ()


def test_an_error_that_wraps_the_expected_one_marks_nothing() -> None:
    spec = Spec()
    expected = ErrorExpectation.model_validate({"message": X, "exception": "KeyError"})
    error = ValueError("outer")
    error.__cause__ = KeyError("inner")

    assert judge_error(expected, error, (), spec.marks) == ()
    assert spec.value(X, "'inner'", "text") == ()
