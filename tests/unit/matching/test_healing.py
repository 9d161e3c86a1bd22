"""Healing: the edits of each kind of expectation, what is refused, and that it then holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path as File
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.matching import SqlResult, judge_error, judge_sql, judge_table
from harness.matching.calls import judge_result
from harness.matching.casts import RememberedCasts
from harness.matching.changes import judge_changes
from harness.matching.comparison import Comparison
from harness.matching.healing import Healer, Healing, Refusal, Stability
from harness.matching.notices import judge_notices
from harness.matching.objects import of_python
from harness.matching.queries import judge_queries
from harness.matching.responses import Response, judge_response
from harness.matching.values import value_of
from harness.results import Edit, Path, ResultSet, SentQuery, TableChange
from harness.source import parse
from harness.spec.expectations import Changes, HttpOutcome, SqlOutcome, as_changes
from harness.spec.state import TableState

from .recorded import TS, TSTZ, Recorded, expectation, result_set

NOW = "2026-03-01 12:00:00+00"
OLD_ID = "7f6f0f5e-0000-4000-8000-000000000001"
NEW_ID = "7f6f0f5e-0000-4000-8000-000000000002"
COLUMNS = {"id": "integer", "title": "text", "payload": "jsonb"}
THREE = result_set(COLUMNS, ("1", "a", '{"n": [4, 5]}'), ("2", "b", None), ("3", "c", "null"))
EMPTY = result_set(COLUMNS)
NUMBER = result_set({"n": "bigint"}, ("7",))


class Timed(Recorded):
    """In a transaction that began at `NOW`."""

    def now(self) -> str:
        return NOW

    def cast(self, text: str, type: str) -> str:
        is_naive = type == TSTZ and text.startswith("2026-03-01 ") and "+" not in text
        return f"{text}+00" if is_naive else super().cast(text, type)


def comparison() -> Comparison:
    return Comparison(RememberedCasts(Timed()))


def healer(source: str = "", previous: Any = None) -> Healer:
    return Healer(comparison(), Stability(source, NOW, previous))


def yaml(text: str) -> Any:
    return parse(text, File("spec.yaml"))


def applied(data: Any, edits: Sequence[Edit]) -> Any:
    """The data after the edits, all of whose paths lead through it as it was."""
    if not edits:
        return data
    if any(not edit.path for edit in edits):
        (whole,) = edits
        assert whole.action == "replace"
        return yaml(whole.value or "")

    def inserted(step: Any) -> list[Any]:
        return [yaml(e.value or "") for e in edits if (e.path, e.action) == ((step,), "insert")]

    def below(step: Any) -> list[Edit]:
        inner = [
            e for e in edits if e.path[0] == step and (e.path, e.action) != ((step,), "insert")
        ]
        return [replace(edit, path=edit.path[1:]) for edit in inner]

    def removed(step: Any) -> bool:
        return any(not edit.path and edit.action == "remove" for edit in below(step))

    if isinstance(data, dict):
        kept = {key: applied(item, below(key)) for key, item in data.items() if not removed(key)}
        new = {edit.path[0]: inserted(edit.path[0])[0] for edit in edits if inserted(edit.path[0])}
        assert not kept.keys() & new.keys()
        assert {edit.path[0] for edit in edits} <= data.keys() | new.keys()
        return kept | new
    result = []
    assert {edit.path[0] for edit in edits} <= {*range(len(data) + 1)}
    for index, item in enumerate(data):
        result += inserted(index)
        result += [] if removed(index) else [applied(item, below(index))]
    return result + inserted(len(data))


def outcome(written: Any) -> SqlOutcome:
    return SqlOutcome.model_validate({"rows": written} if isinstance(written, list) else written)


def state(written: Any) -> TableState:
    return TableState.model_validate({"rows": written} if isinstance(written, list) else written)


def heal_sql(written: Any, seen: SqlResult, source: str = "", previous: Any = None) -> Healing:
    return healer(source, previous).sql(outcome(written), written, seen, ())


def healed(text: str, seen: SqlResult | ResultSet, source: str = "") -> Any:
    """What `expect` says after its healing; it holds, and there is nothing more to heal."""
    seen = SqlResult(seen) if isinstance(seen, ResultSet) else seen
    written = yaml(text)
    healing = heal_sql(written, seen, source)
    assert healing.refusals == ()
    after = applied(written, healing.edits)
    assert judge_sql(outcome(after), seen, (), comparison()) == ()
    assert heal_sql(after, seen, source) == Healing()
    return after


def refused(text: str, seen: SqlResult | ResultSet) -> list[tuple[Path, str]]:
    """Why there is no edit at all."""
    seen = SqlResult(seen) if isinstance(seen, ResultSet) else seen
    healing = heal_sql(yaml(text), seen)
    assert healing.edits == ()
    return [(refusal.path, refusal.reason) for refusal in healing.refusals]


ROWS: list[tuple[str, ResultSet, str]] = [
    # cells
    ("[{id: 1, title: x}, {id: 2}, {id: 3}]", THREE, "[{id: 1, title: a}, {id: 2}, {id: 3}]"),
    (
        "[{id: {$lt: 9}, title: x}, {id: 2}, {id: 3}]",
        THREE,
        "[{id: {$lt: 9}, title: a}, {id: 2}, {id: 3}]",
    ),
    ("[{id: {$gt: 9}}, {id: 2}, {id: 3}]", THREE, "[{id: 1}, {id: 2}, {id: 3}]"),
    ("[{id: 1, nope: x}, {id: 2}, {id: 3}]", THREE, "[{id: 1}, {id: 2}, {id: 3}]"),
    (
        "[{nope: x}, {id: 2}, {id: 3}]",
        THREE,
        "[{id: 1, title: a, payload: {n: [4, 5]}}, {id: 2}, {id: 3}]",
    ),
    (
        "[{id: 1, payload: {n: [4, 6]}}, {id: 2}, {id: 3}]",
        THREE,
        "[{id: 1, payload: {n: [4, 5]}}, {id: 2}, {id: 3}]",
    ),
    (
        "[{id: 1, payload: '???'}, {id: '???'}, {id: 3}]",
        THREE,
        "[{id: 1, payload: {n: [4, 5]}}, {id: 2}, {id: 3}]",
    ),
    (
        "[{id: {$absent: true}, title: a}, {id: 2}, {id: 3}]",
        THREE,
        "[{id: 1, title: a}, {id: 2}, {id: 3}]",
    ),
    # rows
    ("[{id: 1}, {id: 3}]", THREE, "[{id: 1}, {id: 2}, {id: 3}]"),
    (
        "[{id: 1, title: a}, {title: c}]",
        THREE,
        "[{id: 1, title: a}, {id: 2, title: b}, {title: c}]",
    ),
    (
        "[{id: 0}, {id: 1}, {id: 9}, {id: 2}, {id: 3}, {id: 4}]",
        THREE,
        "[{id: 1}, {id: 2}, {id: 3}]",
    ),
    (  # one that differs is paired with the row that is most like it
        "[{id: 1}, {id: 9, title: {$regex: c}}]",
        THREE,
        "[{id: 1}, {id: 2, title: b}, {id: 3, title: {$regex: c}}]",
    ),
    ("[{id: 1}, {id: 2}]", EMPTY, "[]"),
    ("[]", NUMBER, "[{n: 7}]"),
    (
        "{rows: [{$one_of: [{id: 8}, {id: 9}]}], count: 1}",
        result_set({"id": "int"}, ("5",)),
        "{rows: [{id: 5}], count: 1}",
    ),
    (
        "{rows: [{id: 2}, {id: 9, title: c}, {id: 1}], order: any}",
        THREE,
        "{rows: [{id: 2}, {id: 3, title: c}, {id: 1}], order: any}",
    ),
    (
        "{rows: [{id: 7, title: z}, {id: 1, title: a}, {id: 2, title: y}], order: any}",
        THREE,
        "{rows: [{id: 1, title: a}, {id: 2, title: b}, {id: 3, title: c}], order: any}",
    ),
    (
        "{rows: [{id: 7}, {id: 8}], order: any}",
        THREE,
        "{rows: [{id: 1}, {id: 2}, {id: 3}], order: any}",
    ),
    (
        "{columns: [id, title, payload], rows: [[1, x, {$any: true}], [3, c, null]]}",
        THREE,
        "{columns: [id, title, payload], rows: [[1, a, {$any: true}], [2, b, null], [3, c, null]]}",
    ),
    (
        "{columns: [title, id], rows: [[a, {$lt: 2}], [x, 2], [c, 3]]}",
        THREE,
        "{columns: [id, title, payload], rows: [[{$lt: 2}, a, {n: [4, 5]}], [2, b, null], [3, c, null]]}",
    ),
    # some rows
    (
        "{contains: [{id: 2}, {id: 9, title: c}, {id: 8}]}",
        THREE,
        "{contains: [{id: 2}, {id: 3, title: c}]}",
    ),
    # one row, one value, counts
    ("{row: {n: 8}}", NUMBER, "{row: {n: 7}}"),
    (
        "{row: {id: 1, title: a}}",
        THREE,
        "{rows: [{id: 1, title: a}, {id: 2, title: b}, {id: 3, title: c}]}",
    ),
    ("{row: {id: 1}, count: 1}", EMPTY, "{rows: [], count: 0}"),
    ("{value: 8}", NUMBER, "{value: 7}"),
    ("{value: 8}", result_set({"a": "int", "b": "int"}, ("1", "2")), "{rows: [{a: 1, b: 2}]}"),
    ("{count: 8}", THREE, "{count: 3}"),
    ("{count: {$gt: 3}}", THREE, "{count: 3}"),
    ("{columns: [id], count: {$gt: 2}}", THREE, "{columns: [id, title, payload], count: {$gt: 2}}"),
]


@pytest.mark.parametrize(("text", "result", "expected"), ROWS, ids=lambda item: str(item)[:60])
def test_a_result_is_healed(text: str, result: ResultSet, expected: str) -> None:
    assert healed(text, result) == yaml(expected)


VALUES: list[tuple[str | None, str, str, str]] = [
    # text of a value, its type, what is expected of it, what is expected after that
    ("1.50", "numeric", "2", "1.50"),
    ("9007199254740993.000000000000000001", "numeric", "1", "9007199254740993.000000000000000001"),
    ("NaN", "numeric", "1", "NaN"),
    ("t", "boolean", "false", "true"),
    (None, "text", "{$null: false}", "null"),
    ("null", "text", "x", "'null'"),
    ("a: b, #c", "text", "x", "'a: b, #c'"),
    ("line\none", "text", "x", '"line\\none"'),
    ("???", "text", "x", r"{$regex: '\A\?\?\?\Z'}"),
    ("Hello {{ name }}", "text", "x", r"{$regex: '\AHello\ \{\{\ name\ \}\}\Z'}"),
    ('{"a {b",NULL}', "text[]", "[]", "['a {b', null]"),
    ("{1,2,3}", "integer[]", "[1, 3]", "[1, 2, 3]"),
    ("{1,2}", "integer[]", "'{1}'", "[1, 2]"),
    ("2020-01-01 00:00:00", TS, "'2021-01-01'", "2020-01-01 00:00:00"),
    ("\\x00ff", "bytea", "x", "\\x00ff"),
    # json: at the leaf
    ('{"a": 1, "b": {"c": [1, 2]}}', "jsonb", "{a: 1, b: {c: [1, 3]}}", "{a: 1, b: {c: [1, 2]}}"),
    ('{"a": 1, "b": 2}', "json", "{a: {$type: int}, x: 1}", "{a: {$type: int}, b: 2}"),
    ('{"a": 1, "$b": 2}', "jsonb", "{a: 1, $$b: 3}", "{a: 1, $$b: 2}"),
    ('{"a": 1, "$b": {"$c": 2}}', "jsonb", "{a: 1}", "{a: 1, $$b: {$$c: 2}}"),
    ("{}", "jsonb", "{a: 1}", "{}"),
    ('{"a": {}}', "jsonb", "{a: {b: 1}}", "{a: {}}"),
    ("[]", "jsonb", "[1]", "[]"),
    ("null", "jsonb", "[1]", "null"),
    ('{"a": 1, "z": 9}', "jsonb", "{$partial: {a: 2}}", "{$partial: {a: 1}}"),
    ('{"a": {"b": 1, "c": 2}}', "jsonb", "{$partial: {a: {b: 2}}}", "{$partial: {a: {b: 1}}}"),
    ('{"a": 1}', "jsonb", "{$partial: {b: 2}}", "{$partial: {a: 1}}"),
    ("{}", "jsonb", "{$partial: {b: 2}}", "{}"),
    ('[{"a": 1, "b": 2}]', "jsonb", "{$partial: [{a: 0}, {a: 3}]}", "{$partial: [{a: 1}]}"),
    ("[1, 2, 3]", "jsonb", "{$unordered: [3, {$lt: 2}, 9]}", "{$unordered: [3, {$lt: 2}, 2]}"),
    ("[1, 2, 3]", "jsonb", "{$unordered: [3]}", "{$unordered: [3, 1, 2]}"),
    ("[1]", "jsonb", "{$unordered: [3, 1]}", "{$unordered: [1]}"),
    ("[1, 2]", "jsonb", "{$each: 1}", "[1, 2]"),
    ("abc", "text", "{$all: [{$regex: b}, {$len: 4}]}", "{$all: [{$regex: b}, abc]}"),
    ('{"a": 1}', "jsonb", "{$type: json, $partial: {a: '???'}}", "{$type: json, $partial: {a: 1}}"),
    ("5", "integer", "{$gt: 1, $lt: 3}", "5"),
    ("5", "integer", "{$one_of: [1, 2]}", "5"),
    ('{"a": [1, 2]}', "jsonb", "{a: ['???', 3]}", "{a: [1, 2]}"),
]


@pytest.mark.parametrize(("seen", "type", "text", "expected"), VALUES)
def test_a_value_is_healed(seen: str | None, type: str, text: str, expected: str) -> None:
    written, value = yaml(text), value_of(seen, type)

    healing = healer().heal(expectation(written), written, value, ())

    assert healing.refusals == ()
    after = applied(written, healing.edits)
    assert str(after) == str(yaml(expected))  # 1.50 is not 1.5
    assert comparison().verdict(expectation(after), value) is None
    assert healer().heal(expectation(after), after, value, ()) == Healing()


def test_only_what_differs_is_edited() -> None:
    written = yaml("[{id: 1, payload: {n: [4, 6]}}, {id: 9, title: b}, {id: 8}]")

    healing = heal_sql(written, SqlResult(THREE))

    assert healing.edits == (
        Edit((0, "payload", "n", 1), "replace", "5"),
        Edit((1, "id"), "replace", "2"),
        Edit((2, "id"), "replace", "3"),
    )


def test_paths_are_those_of_the_form_that_is_written() -> None:
    short, long = yaml("[{n: 8}]"), yaml("{rows: [{n: 8}]}")

    edits = [heal_sql(written, SqlResult(NUMBER)).edits for written in (short, long)]

    assert [[edit.path for edit in each] for each in edits] == [[(0, "n")], [("rows", 0, "n")]]


def test_rows_are_inserted_where_they_come_and_removed_where_they_stand() -> None:
    written = yaml("[{id: 0}, {id: 2}, {id: 4}, {id: 5}]")
    result = result_set({"id": "integer"}, ("1",), ("1",), ("2",), ("3",), ("4",))

    healing = heal_sql(written, SqlResult(result))

    assert healing.edits == (
        Edit((0, "id"), "replace", "1"),
        Edit((1,), "insert", "{id: 1}"),
        Edit((2,), "insert", "{id: 3}"),
        Edit((3,), "remove"),
    )


@pytest.mark.parametrize(
    ("text", "result", "value"),
    [
        ("[{id: 1}, {id: 2}]", EMPTY, "[]"),
        ("{rows: [{id: 7}, {id: 8}], order: any}", THREE, "[{id: 1}, {id: 2}, {id: 3}]"),
        ("[{list: []}]", result_set({"list": "integer[]"}, ("{1,2}",)), "[1, 2]"),
        ("[{list: [1, 2]}]", result_set({"list": "integer[]"}, ("{}",)), "[]"),
    ],
)
def test_a_list_of_which_nothing_stays_is_replaced(
    text: str, result: ResultSet, value: str
) -> None:
    edits = heal_sql(yaml(text), SqlResult(result)).edits

    assert [(edit.action, edit.value) for edit in edits] == [("replace", value)]


def test_a_row_that_is_missing_in_a_long_list_is_one_edit() -> None:
    rows = [(str(number),) for number in range(600)]
    written = [{"n": number} for number in range(600) if number != 20]

    healing = heal_sql(written, SqlResult(result_set({"n": "integer"}, *rows)))

    assert healing.edits == (Edit((20,), "insert", "{n: 20}"),)


def test_affected_rows_are_healed() -> None:
    assert healed("{affected: 3}", SqlResult(affected=2)) == {"affected": 2}
    assert healed("{affected: {$gt: 1}}", SqlResult(affected=2)) == {"affected": {"$gt": 1}}


FAILED = psycopg.errors.UndefinedTable("no")

REFUSED: list[tuple[str, SqlResult | ResultSet, Path, str]] = [
    ("[{n: '{{ x }}'}]", NUMBER, (0, "n"), "it is a template"),
    ("[{n: 7}, {n: '{{ x }}'}]", NUMBER, (1,), "it is a template"),
    ("{row: {$one_of: [{n: '{{ x }}'}]}}", NUMBER, ("row",), "it is a template"),
    ("{count: '{{ x }}'}", NUMBER, ("count",), "it is a template"),
    ("{row: {n: '{{ x }}'}}", THREE, ("row",), "it is a template"),
    (
        "{columns: [id], rows: [['{{ x }}']]}",
        THREE,
        (),
        "the columns are others, and of the rows it is a template",
    ),
    ("[]", SqlResult(affected=1), (), "the statement has no result set"),
    (
        "{rows: [], affected: 1}",
        SqlResult(affected=1),
        ("rows",),
        "the statement has no result set",
    ),
    ("{affected: 1}", SqlResult(), ("affected",), "the statement has no command count"),
    ("[{n: 7}]", SqlResult(error=FAILED), (), "the operation failed, no error was expected"),
    (
        "{error: undefined_table}",
        SqlResult(THREE),
        ("error",),
        "the operation succeeded, an error was expected",
    ),
    (
        "{contains: [{id: 9}, {id: 8}]}",
        THREE,
        ("contains",),
        "there is no row that is anything like these",
    ),
    ("{contains: [{id: 9}]}", EMPTY, ("contains",), "there is no row that is anything like these"),
    (
        "[{n: 1}]",
        ResultSet(NUMBER.columns * 2, (("1", "2"),)),
        (),
        "the result has several columns named n",
    ),
    (
        "[{x: 1}]",
        ResultSet((), ((),)),
        (0,),
        "what was seen would not match itself: an empty mapping holds for every row and object",
    ),
    (
        "[{x: 1}]",
        result_set({"x": "tsvector"}, ("'{{':1",)),
        (0, "x"),
        "'{{':1 has a meaning of its own in a spec",
    ),
    (
        "[{x: 1}]",
        result_set({"x": "jsonb"}, ("[" * 70 + "]" * 70,)),
        (0, "x"),
        "what was seen cannot be written as YAML",
    ),
]


@pytest.mark.parametrize(("text", "seen", "path", "reason"), REFUSED)
def test_what_cannot_be_healed_is_refused(
    text: str, seen: SqlResult | ResultSet, path: Path, reason: str
) -> None:
    assert refused(text, seen) == [(path, reason)]


def test_a_whole_expectation_that_is_a_template_is_refused() -> None:
    model = outcome(yaml("{rows: [{n: 8}], count: 1}"))

    healing = healer().sql(model, "{{ case.expected }}", SqlResult(NUMBER), ())

    assert healing == Healing(refusals=(Refusal((), "it is a template"),))


TABLES: list[tuple[str, str]] = [
    ("[{id: 3}, {id: 1}, {id: 9, title: b}]", "[{id: 3}, {id: 1}, {id: 2, title: b}]"),
    ("{rows: [{id: 3}, {id: 1}], where: x}", "{rows: [{id: 3}, {id: 1}, {id: 2}], where: x}"),
    ("{count: 2}", "{count: 3}"),
    ("{contains: [{title: b, id: 1}, {id: 1}]}", "{contains: [{title: b, id: 2}, {id: 1}]}"),
    (
        "{columns: [id, title, payload], rows: [[3, c, null], [1, a, '???']]}",
        "{columns: [id, title, payload], rows: [[3, c, null], [1, a, {n: [4, 5]}], [2, b, null]]}",
    ),
]


@pytest.mark.parametrize(("text", "expected"), TABLES)
def test_a_table_is_healed(text: str, expected: str) -> None:
    written = yaml(text)

    healing = healer().table(state(written), written, THREE, ())

    after = applied(written, healing.edits)
    assert after == yaml(expected)
    assert judge_table(state(after), THREE, (), comparison()) == ()


# -- errors


class Diagnosed(psycopg.Error):
    """An error with what PostgreSQL would say of it."""

    def __init__(self, sqlstate: str | None, **diagnostics: str) -> None:
        super().__init__(diagnostics.get("message_primary", ""))
        self.sqlstate = sqlstate
        self._diagnostics = diagnostics

    @property
    def diag(self) -> Any:
        return SimpleNamespace(**self._diagnostics)


DOUBLE = Diagnosed(
    "23505",
    message_primary="duplicate key",
    constraint_name="issues_pkey",
    table_name="issues",
    schema_name="public",
)
NOT_NULL = Diagnosed(
    "23502", message_primary="null value", table_name="issues", column_name="title"
)
RAISED = Diagnosed("P0001", message_primary="no: {{ never }}")
UNNAMED = Diagnosed("ZZ999", message_primary="odd")


class lowercase(Exception):  # noqa: N801, N818 - the short form of an error takes it for a condition
    pass


ERRORS: list[tuple[str, BaseException, str]] = [
    ("KeyError", lowercase("no"), f"{__name__}:lowercase"),
    ("not_null_violation", DOUBLE, "unique_violation"),
    ("'23502'", DOUBLE, "'23505'"),
    ("KeyError", ValueError("no"), "ValueError"),
    ("unique_violation", ValueError("no"), "{exception: ValueError, message: no}"),
    (
        "{condition: not_null_violation, constraint: x_pkey}",
        DOUBLE,
        "{condition: unique_violation, constraint: issues_pkey}",
    ),
    (
        "{condition: {$regex: violation}, constraint: x}",
        NOT_NULL,
        "{condition: {$regex: violation}}",
    ),
    (
        "{condition: unique_violation, message: {$regex: x}}",
        DOUBLE,
        "{condition: unique_violation, message: duplicate key}",
    ),
    (
        "{condition: not_null_violation, constraint: null}",
        DOUBLE,
        "{condition: unique_violation, constraint: issues_pkey}",
    ),
    (
        "{condition: raise_exception, message: '???'}",
        RAISED,
        r"{condition: raise_exception, message: {$regex: '\Ano:\ \{\{\ never\ \}\}\Z'}}",
    ),
    ("{exception: KeyError, message: x}", ValueError("no"), "{exception: ValueError, message: no}"),
    ("{constraint: x}", ValueError("no"), "{exception: ValueError, message: no}"),
]


@pytest.mark.parametrize(("text", "error", "expected"), ERRORS)
def test_an_error_is_healed(text: str, error: BaseException, expected: str) -> None:
    written = yaml(f"error: {text}")
    seen = SqlResult(error=error)

    healing = heal_sql(written, seen)

    assert healing.refusals == ()
    after = applied(written, healing.edits)
    assert after == {"error": yaml(expected)}
    assert judge_error(outcome(after).error, error, ()) == ()
    assert heal_sql(after, seen) == Healing()


def test_an_error_that_holds_is_left_alone() -> None:
    assert heal_sql({"error": "unique_violation"}, SqlResult(error=DOUBLE)) == Healing()


def test_an_error_is_healed_through_what_wraps_it() -> None:
    wrapper = RuntimeError("wrapped")
    wrapper.__cause__ = DOUBLE

    healing = heal_sql({"error": "not_null_violation"}, SqlResult(error=wrapper))

    assert [edit.value for edit in healing.edits] == ["unique_violation"]


# -- notices


@pytest.mark.parametrize(
    ("text", "messages", "expected"),
    [
        ("[]", ["one"], "[one]"),
        ("[one]", [], "[]"),
        ("[one, two]", ["one", "3"], "[one, '3']"),
        ("[{$regex: o}, '???', x]", ["zero", "one", "one", "two"], "[{$regex: o}, one, one, two]"),
    ],
)
def test_notices_are_healed(text: str, messages: list[str], expected: str) -> None:
    written = yaml(text)

    healing = healer().notices([expectation(item) for item in written], written, messages, ())

    after = applied(written, healing.edits)
    assert after == yaml(expected)
    judged = [expectation(item) for item in after]
    assert judge_notices(judged, messages, (), comparison()) == ()


# -- changes


def change(inserted: int = 0, updated: int = 0, deleted: int = 0) -> TableChange:
    def rows(number: int) -> ResultSet:
        return result_set(COLUMNS, *((str(row), "t", None) for row in range(number)))

    return TableChange(rows(inserted), rows(updated), rows(deleted), rows(updated))


CHANGES: list[tuple[str, dict[str, TableChange], str]] = [
    (
        "{}",
        {"a": change(2), "b": change(0, 1, 3)},
        "{a: {inserted: 2}, b: {updated: 1, deleted: 3}}",
    ),
    ("{a: {inserted: 1}}", {}, "{}"),
    ("{a: {inserted: 1}, b: {deleted: 1}}", {"b": change(deleted=1)}, "{b: {deleted: 1}}"),
    ("{a: {inserted: 1}, ignore: [c]}", {}, "{ignore: [c]}"),
    ("{a: {inserted: 1}}", {"b": change(1)}, "{b: {inserted: 1}}"),
    ("{a: {inserted: 1}}", {"a": change(0, 2)}, "{a: {inserted: 0, updated: 2}}"),
    ("{a: {}}", {"a": change(1)}, "{a: {inserted: 1}}"),
    ("{a: {inserted: {$lt: 2}}}", {"a": change(2)}, "{a: {inserted: 2}}"),
    (
        "{a: {inserted: {$lt: 2}, deleted: 3}}",
        {"a": change(1)},
        "{a: {inserted: {$lt: 2}, deleted: 0}}",
    ),
    ("{a: {inserted: [{id: 1}]}}", {"a": change(2)}, "{a: {inserted: [{id: 1}, {id: 0}]}}"),
    (
        "{a: {updated: [{id: 5, title: t}]}}",
        {"a": change(0, 1)},
        "{a: {updated: [{id: 0, title: t}]}}",
    ),
    ("{a: {updated: [{id: 5}], inserted: 1}}", {"a": change(1)}, "{a: {updated: 0, inserted: 1}}"),
    (
        "{a: {updated: []}}",
        {"a": change(0, 1)},
        "{a: {updated: [{id: 0, title: t, payload: null}]}}",
    ),
]


@pytest.mark.parametrize(("text", "seen", "expected"), CHANGES)
def test_changes_are_healed(text: str, seen: dict[str, TableChange], expected: str) -> None:
    written = yaml(text)

    healing = healer().changes(changes(written), written, seen, ())

    assert healing.refusals == ()
    after = applied(written, healing.edits)
    assert after == yaml(expected)
    assert judge_changes(changes(after), seen, (), comparison()) == ()
    assert healer().changes(changes(after), after, seen, ()) == Healing()


def changes(written: Any) -> Changes:
    return Changes.model_validate(as_changes(written))


def test_placeholders_of_changes_stand_for_none_until_they_are_healed() -> None:
    written = yaml("{a: '???', b: {inserted: '???', deleted: 1}, c: {}}")
    model = changes(yaml("{a: {}, b: {inserted: 0, deleted: 1}, c: {}}"))
    seen = {"a": change(2), "b": change(1, 0, 1), "c": change(0, 1), "d": change(1)}

    healing = healer().changes(model, written, seen, ())

    after = applied(written, healing.edits)
    assert after == yaml(
        "{a: {inserted: 2}, b: {inserted: 1, deleted: 1}, c: {updated: 1}, d: {inserted: 1}}"
    )
    assert judge_changes(changes(after), seen, (), comparison()) == ()


def test_a_placeholder_for_all_of_a_spec_becomes_its_changes() -> None:
    healing = healer().seen_state({"a": change(2)}, ("expect",))
    assert healing.edits == (Edit(("expect",), "replace", "{changes: {a: {inserted: 2}}}"),)


def test_changes_of_which_nothing_stays_are_replaced() -> None:
    written = yaml("{a: {inserted: 1}, b: {deleted: 2}}")

    healing = healer().changes(changes(written), written, {}, ())

    assert healing.edits == (Edit((), "replace", "{}"),)


def test_changes_that_are_templates_are_refused() -> None:
    written = yaml("{a: {inserted: '{{ n }}'}, b: {inserted: '{{ n }}'}, c: '{{ x }}'}")
    model = changes(yaml("{a: {inserted: 1}, b: {inserted: 1}, c: {deleted: 1}}"))

    healing = healer().changes(model, written, {"a": change(2), "c": change(1)}, ())

    assert healing.edits == ()
    assert [refusal.path for refusal in healing.refusals] == [("a", "inserted"), ("b",), ("c",)]


# -- placeholders of whole expectations

SIGHTINGS: list[tuple[str, SqlResult, str]] = [
    (
        "expect",
        SqlResult(THREE),
        "[{id: 1, title: a, payload: {n: [4, 5]}}, {id: 2, title: b, payload: null}, {id: 3, title: c, payload: null}]",
    ),
    ("expect", SqlResult(EMPTY), "[]"),
    ("expect", SqlResult(affected=2), "{affected: 2}"),
    ("expect", SqlResult(ResultSet((), ((), ()))), "{count: 2}"),
    (
        "expect",
        SqlResult(error=DOUBLE),
        "{error: {condition: unique_violation, constraint: issues_pkey}}",
    ),
    (
        "expect",
        SqlResult(error=NOT_NULL),
        "{error: {condition: not_null_violation, table: issues, column: title}}",
    ),
    ("expect", SqlResult(error=UNNAMED), "{error: {sqlstate: ZZ999, message: odd}}"),
    ("expect", SqlResult(error=ValueError("x")), "{error: {exception: ValueError, message: x}}"),
    ("error", SqlResult(error=DOUBLE), "{condition: unique_violation, constraint: issues_pkey}"),
    ("rows", SqlResult(NUMBER), "[{n: 7}]"),
    ("contains", SqlResult(NUMBER), "[{n: 7}]"),
    ("row", SqlResult(NUMBER), "{n: 7}"),
    ("value", SqlResult(NUMBER), "7"),
    ("count", SqlResult(THREE), "3"),
    ("affected", SqlResult(affected=2), "2"),
    ("columns", SqlResult(THREE), "[id, title, payload]"),
]


@pytest.mark.parametrize(("key", "seen", "expected"), SIGHTINGS)
def test_a_placeholder_becomes_what_was_seen(key: str, seen: SqlResult, expected: str) -> None:
    path = ("expect",) if key == "expect" else ("expect", key)

    healing = healer().seen(key, seen, path)

    assert healing == Healing((Edit(path, "replace", expected),))
    value = yaml(expected)
    after = value if key == "expect" else {key: value}
    assert judge_sql(outcome(after), seen, (), comparison()) == ()


@pytest.mark.parametrize(
    ("key", "seen", "reason"),
    [
        ("expect", SqlResult(), "it returns nothing: expect its `changes` or `notices`"),
        ("rows", SqlResult(affected=1), "the statement has no result set"),
        ("rows", SqlResult(error=DOUBLE), "the operation failed, no error was expected"),
        (
            "rows",
            SqlResult(ResultSet((), ((),))),
            "the result has no columns, or several of one name",
        ),
        ("affected", SqlResult(), "the statement has no command count"),
        ("contains", SqlResult(EMPTY), "there are no rows"),
        ("error", SqlResult(EMPTY), "the operation succeeded, an error was expected"),
    ],
)
def test_a_placeholder_without_an_answer_is_refused(key: str, seen: SqlResult, reason: str) -> None:
    assert healer().seen(key, seen, ("x",)) == Healing(refusals=(Refusal(("x",), reason),))


def test_a_placeholder_for_one_row_gives_way_to_rows() -> None:
    healing = healer().seen("value", SqlResult(EMPTY), ("expect", "value"))

    assert healing.edits == (
        Edit(("expect", "value"), "remove"),
        Edit(("expect", "rows"), "insert", "[]"),
    )


def test_placeholders_for_parts_of_an_error() -> None:
    keys = ["condition", "message", "column", "constraint"]

    assert healer().seen_error(keys, None, NOT_NULL, ("error",)) == Healing(
        (
            Edit(("error", "condition"), "replace", "not_null_violation"),
            Edit(("error", "message"), "replace", "null value"),
            Edit(("error", "column"), "replace", "title"),
        ),
        (Refusal(("error", "constraint"), "the error has no constraint"),),
    )
    assert healer().seen_error(["message"], None, None, ("error",)) == Healing(
        refusals=(Refusal(("error", "message"), "the operation succeeded, an error was expected"),)
    )


class OwnError(Exception):
    def __init__(self, message: str, cause: BaseException | None = None, **told: Any) -> None:
        super().__init__(message)
        self.__cause__ = cause
        self.__dict__ |= told


def test_placeholders_for_parts_of_an_error_are_all_those_of_one() -> None:
    error = OwnError("taken", DOUBLE, code=7)

    def told(keys: list[str], others: str) -> dict[str, str | None]:
        expect = outcome(yaml(f"{{error: {others}}}")).error if others else None
        healing = healer().seen_error(keys, expect, error, ())
        assert healing.refusals == ()
        return {str(edit.path[0]): edit.value for edit in healing.edits}

    assert told(["exception", "message", "code"], "") == {
        "exception": "OwnError",
        "message": "taken",
        "code": "7",
    }
    assert told(["constraint", "message"], "") == {
        "constraint": "issues_pkey",
        "message": "duplicate key",
    }
    assert told(["message"], "{condition: unique_violation}") == {"message": "duplicate key"}
    assert told(["message"], "{exception: OwnError}") == {"message": "taken"}


class NarrowError(TypeError):
    """What an application says on purpose."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OwnError("no", code=7), "{exception: OwnError, message: no}"),
        (OwnError("no", table="t"), "{exception: OwnError, message: no}"),
        (OwnError("no", DOUBLE), "{exception: OwnError, message: no}"),
        (OwnError("no", TypeError("x")), "{exception: OwnError, message: no}"),
        (OwnError("(sql)", orig=DOUBLE), "{condition: unique_violation, constraint: issues_pkey}"),
        (OwnError("no", orig="mine"), "{exception: OwnError, message: no}"),
        (NarrowError("no"), "{exception: NarrowError, message: no}"),
        (PermissionError("no"), "{exception: PermissionError, message: no}"),
    ],
)
def test_an_error_of_the_application_is_written(error: BaseException, expected: str) -> None:
    healing = healer().seen("expect", SqlResult(error=error), ())

    assert healing == Healing((Edit((), "replace", f"{{error: {expected}}}"),))
    (edit,) = healing.edits
    assert judge_error(outcome(yaml(edit.value or "")).error, error, ()) == ()


@pytest.mark.parametrize(
    "error",
    [
        TypeError("m"),
        AttributeError("m"),
        ModuleNotFoundError("m"),
        UnboundLocalError("m"),
        IndexError("m"),
        OwnError("(sql)", orig=Diagnosed("42703", message_primary="m")),
    ],
)
def test_a_mistake_in_the_program_is_not_expected(error: BaseException) -> None:
    reason = "the operation failed: m (`error: ???` would expect that)"
    seen = SqlResult(error=error)

    assert healer().seen("expect", seen, ()) == Healing(refusals=(Refusal((), reason),))
    assert healer().seen("error", seen, ()).refusals == ()


def test_placeholders_for_notices_and_changes() -> None:
    assert healer().seen_notices(["one", "2"], ()).edits == (Edit((), "replace", "[one, '2']"),)
    assert healer().seen_change(change(1), ()).edits == (Edit((), "replace", "{inserted: 1}"),)
    assert healer().seen_changes({"a b": change(1, 0, 2)}, ()).edits == (
        Edit((), "replace", "{a b: {inserted: 1, deleted: 2}}"),
    )


def test_what_a_call_returned_is_healed() -> None:
    class Issue:
        def __init__(self) -> None:
            self.id, self.title, self.parent, self._hidden = 5, "t", self, 1

    written = yaml("{id: 4, title: {$regex: t}}")
    inside = healer().heal(expectation(written), written, of_python(Issue()), ())
    whole = healer().heal(expectation("???"), "???", of_python([Issue()]), ())

    assert inside.edits == (Edit(("id",), "replace", "5"),)
    assert whole.edits == (Edit((), "replace", "[{id: 5, title: t}]"),)


class Node:
    """Holds others of its kind, each of which holds it."""

    def __init__(self, name: str, *inner: Node) -> None:
        self.name, self.inner = name, list(inner)
        for each in inner:
            each.__dict__["outer"] = self


class Point(NamedTuple):
    x: int
    y: float


class Mood(Enum):
    HAPPY = "happy"


@dataclass(frozen=True)
class First:
    z: int


@dataclass(frozen=True)
class Second:
    a: int


@dataclass
class Everything:
    """One of each kind."""

    mood: Mood = Mood.HAPPY
    price: Decimal = Decimal("5.00")
    day: date = date(2020, 1, 2)
    wait: timedelta = timedelta(hours=1)
    data: bytes = b"a"
    point: Point = field(default_factory=lambda: Point(1, 0.5))
    tags: frozenset[str] = frozenset({"b", "a"})
    code: str = "5"
    secret: str = "{{ x }}"
    work: Callable[[], None] = print


EVERYTHING = (
    "{mood: happy, price: 5.00, day: 2020-01-02, wait: 01:00:00, data: '\\x61', point: {x: 1, y: 0.5},"
    " tags: {$unordered: [a, b]}, code: '5', secret: {$regex: '\\A\\{\\{\\ x\\ \\}\\}\\Z'}}"
)

RETURNED: list[tuple[str, Any, str]] = [
    ("'???'", None, "null"),
    ("'???'", Everything(), EVERYTHING),
    ("{code: '???', point: '???'}", Everything(), "{code: '5', point: {x: 1, y: 0.5}}"),
    ("{code: 5, day: {$any: true}}", Everything(), "{code: '5', day: {$any: true}}"),
    ("{nope: 1, price: 5}", Everything(), "{price: 5}"),
    ("'???'", {"b", "a"}, "{$unordered: [a, b]}"),
    ("[a, c]", {"b", "a"}, "{$unordered: [a, b]}"),
    ("'???'", [{First(1), Second(2)}], "[{$unordered: [{z: 1}, {a: 2}]}]"),
    ("'???'", SimpleNamespace(s={First(1), Second(2)}), "{s: {$unordered: [{z: 1}, {a: 2}]}}"),
    ("{$unordered: [a, c]}", {"b", "a"}, "{$unordered: [a, b]}"),
    ("[1, 2]", Point(1, 0.5), "[1, 0.5]"),
    ("{$partial: [1, 2]}", Point(1, 0.5), "{$partial: [1, 0.5]}"),
    ("{$unordered: [1, 2]}", Point(1, 0.5), "{x: 1, y: 0.5}"),
    ("{x: 2}", Point(1, 0.5), "{x: 1}"),
    ("{a: 1}", {"a": 2, "$b": 3}, "{a: 2, $$b: 3}"),
    ("{$partial: {a: 1}}", {"a": 2, "b": 3}, "{$partial: {a: 2}}"),
    ("'???'", {1: [True, 1.5, None]}, "{'1': [true, 1.5, null]}"),
    (
        "'???'",
        Node("a", Node("b"), Node("c", Node("d"))),
        "{name: a, inner: [{name: b, inner: []}, {name: c, inner: [{name: d, inner: []}]}]}",
    ),
    ("{inner: [{name: x}]}", Node("a", Node("b")), "{inner: [{name: b}]}"),
    (
        "[{id: 1, a: 1}, {id: 3, a: {$lt: 5}}]",
        [{"id": 0, "a": 0}, {"id": 1, "a": 1}, {"id": 2, "a": 7}, {"id": 3, "a": 5}],
        "[{id: 0, a: 0}, {id: 1, a: 1}, {id: 2, a: 7}, {id: 3, a: 5}]",
    ),
]


def heal_returned(written: Any, value: Any, source: str = "", previous: Any = None) -> Healing:
    return healer(source, previous).returned(expectation(written), written, value, ())


@pytest.mark.parametrize(("text", "value", "expected"), RETURNED)
def test_what_a_call_returned_is_healed_or_written(text: str, value: Any, expected: str) -> None:
    written = yaml(text)

    healing = heal_returned(written, value)

    assert healing.refusals == ()
    after = applied(written, healing.edits)
    assert after == yaml(expected)
    assert judge_result(expectation(after), value, (), comparison()) == ()
    assert heal_returned(after, value) == Healing()


def test_a_placeholder_for_all_of_a_call_becomes_its_result() -> None:
    assert healer().seen_return(None, ()) == Healing((Edit((), "replace", "{result: null}"),))
    assert healer().seen_return([1, "a"], ()).edits == (Edit((), "replace", "{result: [1, a]}"),)


def test_an_object_that_comes_in_a_list_is_one_edit() -> None:
    written = yaml("[{name: a, x: 1}, {name: b, x: 2}]")
    value = [SimpleNamespace(name=name, x=x) for name, x in (("0", 0), ("a", 5), ("b", 2))]

    healing = heal_returned(written, value)

    assert healing.edits == (
        Edit((0,), "insert", "{name: '0', x: 0}"),
        Edit((0, "x"), "replace", "5"),
    )


HOLDS_ITSELF: list[Any] = []
HOLDS_ITSELF.append(HOLDS_ITSELF)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (iter([1]), "a list_iterator can be read only once"),
        ([print], "a builtin_function_or_method is no value"),
        (object(), "no attribute of this object object is plain"),
        ([{"a": object()}], "no attribute of this object object is plain"),
        ({None: 1, "null": 2}, "a mapping with two keys that are both written 'null'"),
        (HOLDS_ITSELF, "it is nested too deeply to be written, or holds itself"),
        (float("nan"), "what was seen would not match itself: "),
    ],
)
def test_what_a_call_returned_and_cannot_be_written(value: Any, reason: str) -> None:
    for healing in (heal_returned("???", value), healer().seen_return(value, ())):
        assert healing.edits == ()
        (refusal,) = healing.refusals
        assert refusal.reason.startswith(reason)


def test_what_differs_in_what_a_call_returned_becomes_matchers() -> None:
    def returned(*, token: str, at: datetime, size: int) -> Any:
        return SimpleNamespace(id=uuid4(), token=token, at=at, items=list(range(size)), kept="k")

    now = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
    seen = returned(token="a", at=now, size=2)
    stability = Stability("", NOW, None)
    Healer(comparison(), stability).returned("???", "???", seen, ())
    again = returned(token="b", at=now + timedelta(seconds=1), size=3)

    (edit,) = heal_returned("???", again, previous=stability.recorded).edits

    assert edit.value == (
        "{id: {$type: uuid}, token: {$type: text}, at: {$now: 5}, items: {$type: array}, kept: k}"
    )


# -- responses


def response(
    body: Any = b"", status: int = 200, media: str = "application/json", **headers: str
) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = [("Content-Type", media), *((k.replace("_", "-"), v) for k, v in headers.items())]
    return Response(status, tuple(told), content, content.decode(errors="replace"))


def http(written: Any) -> HttpOutcome:
    return HttpOutcome.model_validate(written)


RESPONSES: list[tuple[str, Response, str]] = [
    ("{status: 200, json: [1, 3]}", response([1, 2], 201), "{status: 201, json: [1, 2]}"),
    ("{status: {$lt: 300}, json: 1}", response(2, 204), "{status: {$lt: 300}, json: 2}"),
    ("{json: '???'}", response({"a": [None, "5"]}), "{json: {a: [null, '5']}}"),
    ("{json: {a: 1, b: {$gt: 1}}}", response({"a": 2, "b": 2}), "{json: {a: 2, b: {$gt: 1}}}"),
    ("{json: {id: x}}", response({"id": str(uuid4())}), "{json: {id: {$type: uuid}}}"),
    (
        "{json: {at: x, day: x}}",
        response({"at": "2026-03-01T12:00:02Z", "day": "2026-03-01"}),
        "{json: {at: {$now: 5}, day: {$type: date}}}",
    ),
    ("{text: {$contains: b}}", response(b"a: c"), "{text: 'a: c'}"),
    (
        "{headers: {X-A: 1, x-b: {$len: 1}, x-none: {$absent: true}}}",
        response(x_a="2", x_b="b"),
        "{headers: {X-A: '2', x-b: {$len: 1}, x-none: {$absent: true}}}",
    ),
]


@pytest.mark.parametrize(("text", "seen", "expected"), RESPONSES)
def test_a_response_is_healed(text: str, seen: Response, expected: str) -> None:
    written = yaml(text)

    healing = healer().response(http(written), written, seen, ())

    assert healing.refusals == ()
    after = applied(written, healing.edits)
    assert after == yaml(expected)
    assert judge_response(http(after), seen, (), comparison()) == []
    assert healer().response(http(after), after, seen, ()) == Healing()


def test_a_header_that_comes_twice_is_written_as_it_is_compared() -> None:
    written = {"headers": {"x-a": {"$absent": True}}}
    seen = Response(200, (("X-A", "1"), ("x-a", "2")), b"", "")

    assert healer().response(http(written), written, seen, ()).edits == (
        Edit(("headers", "x-a"), "replace", "'1, 2'"),
    )


@pytest.mark.parametrize(
    ("text", "seen", "path", "reason"),
    [
        ("{json: '???'}", response(b"{"), ("json",), "the body is not JSON"),
        ("{json: 1}", response(b""), ("json",), "the body is empty"),
        ("{headers: {x: 1}}", response(), ("headers", "x"), "there is no such header"),
        ("{status: '{{ n }}'}", response(), ("status",), "it is a template"),
        ("{headers: '{{ h }}'}", response(), ("headers",), "it is a template"),
    ],
)
def test_a_response_that_cannot_be_healed(
    text: str, seen: Response, path: Path, reason: str
) -> None:
    written = yaml(text)
    healing = healer().response(http(written), written, seen, ())
    assert healing == Healing(refusals=(Refusal(path, reason),))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (response({"a": 1}, 201), "{status: 201, json: {a: 1}}"),
        (response(None), "{status: 200, json: null}"),
        (response(b"{"), "{status: 200, text: '{'}"),
        (
            response(b"[1]", media="application/problem+json; charset=utf-8"),
            "{status: 200, json: [1]}",
        ),
        (response(b"[1]", media="text/plain"), "{status: 200, text: '[1]'}"),
        (response(b"", 204), "{status: 204}"),
        (response(b"\xff\xfe", media="image/png"), "{status: 200}"),
        (response(b"GIF\0", media=""), "{status: 200}"),
    ],
)
def test_a_placeholder_for_all_of_a_response(seen: Response, expected: str) -> None:
    healing = healer().seen_response(seen, ())

    assert healing == Healing((Edit((), "replace", expected),))
    assert judge_response(http(yaml(expected)), seen, (), comparison()) == []


@pytest.mark.parametrize(
    ("written", "status", "failed"),
    [
        (None, 399, False),
        (None, 400, True),
        ("???", 499, False),
        ("???", 500, True),
        ({"json": 1}, 404, True),
        ({"json": 1}, 200, False),
        ({"status": 200}, 404, False),
        ({"status": 200}, 500, True),
        ({"status": 500}, 500, False),
        ({"status": "???"}, 500, False),
    ],
)
def test_requests_that_fail(written: Any, status: int, failed: bool) -> None:
    stood_in = {"status": 0} if written == {"status": "???"} else written
    expect = http(stood_in) if isinstance(stood_in, dict) else None
    assert healer().has_failed(expect, written, response(b"", status)) is failed


# -- statements that an operation sends


def queries(written: Any) -> Any:
    return HttpOutcome.model_validate({"queries": written}).queries


SENT = tuple(SentQuery(f"select {name} from t where id = %(id)s", None) for name in "aab")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", "3"),
        ("3", "3"),
        ("{$lt: 3}", "3"),
        ("{$lt: 4}", "{$lt: 4}"),
        ("{max: 2, repeated: 0}", "{max: 3, repeated: 1}"),
        ("{max: 9, repeated: {$gt: 1}}", "{max: 9, repeated: 1}"),
        ("{max: {$lt: 3}, repeated: 1}", "{max: 3, repeated: 1}"),
    ],
)
def test_numbers_of_statements_are_healed(text: str, expected: str) -> None:
    written = yaml(text)

    healing = healer().queries(queries(written), written, SENT, ())

    assert healing.refusals == ()
    after = applied(written, healing.edits)
    assert after == yaml(expected)
    assert judge_queries(queries(after), SENT, (), comparison()) == []


def test_placeholders_of_numbers_are_written_though_what_stands_in_for_them_holds() -> None:
    whole = healer().queries(queries(0), "???", (), ("queries",))
    parts = healer().queries(
        queries({"max": 0, "repeated": 0}), {"max": "???", "repeated": "???"}, (), ()
    )

    assert whole.edits == (Edit(("queries",), "replace", "0"),)
    assert parts.edits == (Edit(("max",), "replace", "0"), Edit(("repeated",), "replace", "0"))


def test_a_number_of_statements_that_differs_is_refused() -> None:
    healing = healer(previous={("max",): "2"}).queries(queries({"max": 1}), {"max": 1}, SENT, ())
    assert healing == Healing(refusals=(Refusal(("max",), "it differs from run to run"),))


@pytest.mark.parametrize("written", ["???", "{$any: true}", "{$not: 5}", "5", "[1]"])
def test_what_cannot_be_read_is_not_written(written: str) -> None:
    data = yaml(written)
    healed = healer().heal(expectation(data), data, of_python(iter([1])), ())

    assert healed.edits == ()
    assert [refusal.reason for refusal in healed.refusals] == [
        "a list_iterator can be read only once"
    ]


# -- stability

JUST_NOW, EARLIER = "2026-03-01 12:00:03+00", "2026-03-01 07:00:00+00"
SAME_DAY = f"seed: {{t: {EARLIER}, i: {NEW_ID}, d: 2026-03-01}}"
VERSION_5 = "7f6f0f5e-0000-5000-8000-000000000001"

VOLATILE: list[tuple[str, str, str, str]] = [
    # text, type, the spec's source, what is written
    (JUST_NOW, TSTZ, "", "{$now: 5}"),
    ("2026-03-01 11:59:57", TS, "", "{$now: 5}"),
    (EARLIER, TSTZ, "", "{$type: timestamptz}"),
    (EARLIER, TSTZ, SAME_DAY, EARLIER),
    ("2026-02-01 07:00:00+00", TSTZ, "", "2026-02-01 07:00:00+00"),
    ("infinity", TSTZ, "", "infinity"),
    ("2026-03-01", "date", "", "{$type: date}"),
    ("2026-03-01", "date", SAME_DAY, "2026-03-01"),
    ("2026-02-28", "date", "", "2026-02-28"),
    (NEW_ID, "uuid", "", "{$type: uuid}"),
    (NEW_ID, "uuid", SAME_DAY.upper(), NEW_ID),
    (VERSION_5, "uuid", "", VERSION_5),
    (
        f'{{"i": "{NEW_ID}", "t": "2026-03-01T07:00:00Z", "n": 1}}',
        "jsonb",
        "",
        "{i: {$type: uuid}, t: {$type: timestamptz}, n: 1}",
    ),
    (f"{{{NEW_ID}}}", "uuid[]", "", "[{$type: uuid}]"),
    (NEW_ID, "text", "", NEW_ID),
]


@pytest.mark.parametrize(("seen", "type", "source", "expected"), VOLATILE)
def test_what_looks_generated_becomes_a_matcher(
    seen: str, type: str, source: str, expected: str
) -> None:
    healing = healer(source).heal("???", "???", value_of(seen, type), ())

    assert healing == Healing((Edit((), "replace", expected),))


DIFFERING: list[tuple[str | None, str | None, str, str]] = [
    # text in the first run, in the second, type, what is written
    ("abc", "abd", "text", "{$type: text}"),
    ("abc", "abc", "text", "abc"),
    ("4", "5", "integer", "{$type: int}"),
    ("4.5", "5", "numeric", "{$type: number}"),
    ("t", "f", "boolean", "{$type: bool}"),
    ("1 day", "2 days", "interval", "{$type: interval}"),
    ("10.0.0.1", "10.0.0.2", "inet", "{$type: inet}"),
    (VERSION_5, NEW_ID, "uuid", "{$type: uuid}"),
    (None, "5", "integer", "{$any: true}"),
    ("5", None, "integer", "{$any: true}"),
    ("{1,2}", "{1,3}", "integer[]", "[1, {$type: int}]"),
    ("{1,2}", "{1}", "integer[]", "{$type: array}"),
    ('{"a": 1, "b": 1}', '{"a": 1, "b": 2}', "jsonb", "{a: 1, b: {$type: int}}"),
    ('{"a": 1}', '{"b": 1}', "jsonb", "{$type: json}"),
    ('{"a": [1]}', '{"a": [1, 2]}', "jsonb", "{a: {$type: array}}"),
]


@pytest.mark.parametrize(("first", "second", "type", "expected"), DIFFERING)
def test_what_differs_between_two_runs_becomes_a_matcher(
    first: str | None, second: str | None, type: str, expected: str
) -> None:
    stability = Stability("", NOW)
    Healer(comparison(), stability).heal("???", "???", value_of(first, type), ())

    again = healer(previous=stability.recorded)
    healing = again.heal("???", "???", value_of(second, type), ())

    assert healing == Healing((Edit((), "replace", expected),))


def test_the_same_rows_in_two_runs_are_stable() -> None:
    written = yaml("[{id: 9, title: x}]")
    stability = Stability("", NOW)
    first = Healer(comparison(), stability).sql(outcome(written), written, SqlResult(THREE), ())

    assert heal_sql(written, SqlResult(THREE), previous=stability.recorded) == first


def test_what_only_the_second_run_sees_is_not_stable() -> None:
    healing = healer(previous={}).heal("???", "???", value_of("abc", "text"), ())

    assert healing == Healing((Edit((), "replace", "{$type: text}"),))


def test_a_placeholder_for_rows_whose_number_differs_is_refused() -> None:
    stability = Stability("", NOW)
    Healer(comparison(), stability).seen("rows", SqlResult(THREE), ())

    healing = healer(previous=stability.recorded).seen("rows", SqlResult(NUMBER), ())

    assert healing == Healing(refusals=(Refusal((), "it differs from run to run"),))


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("[]", (), "the number of rows: it differs from run to run"),
        ("{count: 0}", ("count",), "it differs from run to run"),
    ],
)
def test_a_number_of_rows_that_differs_is_refused(text: str, path: Path, reason: str) -> None:
    written = yaml(text)
    stability = Stability("", NOW)
    Healer(comparison(), stability).sql(outcome(written), written, SqlResult(THREE), ())

    healing = heal_sql(written, SqlResult(NUMBER), previous=stability.recorded)

    assert healing == Healing(refusals=(Refusal(path, reason),))


# -- laws

WORDS = st.sampled_from(
    [
        "",
        "a",
        "b",
        "ab",
        "1",
        "true",
        "null",
        "???",
        "{{ x }}",
        "a: b",
        "it's",
        'a"b',
        "x\ny",
        " x ",
    ]
)
KEYS = st.sampled_from(["a", "b", "$a", "$$", "", "1", "x y"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.just(Decimal("0.50")) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
ROW = st.fixed_dictionaries({"n": st.integers(0, 4), "t": st.none() | WORDS, "j": JSON})
TYPES = {"n": "integer", "t": "text", "j": "jsonb"}


def seen_rows(rows: list[dict[str, Any]]) -> ResultSet:
    return result_set(
        TYPES,
        *((str(row["n"]), row["t"], json.dumps(row["j"], default=float)) for row in rows),
    )


def expected_data(data: Any, draw: Any) -> Any:  # noqa: PLR0911 - one line for each kind of expectation
    """Data as a spec may write it: keys escaped, and matchers and placeholders here and there."""
    if isinstance(data, str) and (data == "???" or "{{" in data):
        data = "other"  # they mean something else in a spec
    match draw(st.integers(0, 11)):
        case 0:
            return "???"
        case 1:
            return draw(MATCHERS)
        case 2 if isinstance(data, (list, dict)) and data:
            return {"$partial": _inside(data, draw)}
        case 3 if isinstance(data, list):
            return {"$unordered": _inside(data[::-1], draw)}
        case 4:
            return {"$all": [expected_data(data, draw), {"$null": False}]}
        case 5:
            return {"$one_of": [_inside(data, lambda _: 11), "x"]}
        case _:
            return _inside(data, draw)


MATCHERS = st.sampled_from(
    [
        *({"$any": True}, {"$null": False}, {"$type": "int"}, {"$type": "text"}, {"$gt": 1}),
        *({"$regex": "a"}, {"$len": 2}, {"$each": {"$type": "int"}}, {"$absent": True}),
        *({"$contains": "a"}, {"$gte": 0, "$lt": 3}, {"$not": 1}, {"$in": [1, "a"]}),
    ]
)


def _inside(data: Any, draw: Any) -> Any:
    if isinstance(data, dict):
        return {
            f"${key}" if key.startswith("$") else key: expected_data(item, draw)
            for key, item in data.items()
        }
    return [expected_data(item, draw) for item in data] if isinstance(data, list) else data


@st.composite
def expectations(draw: st.DrawFn, rows: list[dict[str, Any]]) -> Any:
    """`expect`, written in one of its ways, for rows that are much like those given."""
    like = [*draw(st.permutations(rows)), *draw(st.lists(ROW, max_size=2))]
    like = [row for row in like if draw(st.integers(0, 4))]
    names = st.sets(st.sampled_from("ntj"), min_size=1)
    written = [
        {name: expected_data(row[name], draw) for name in sorted(draw(names))} for row in like
    ]
    form = draw(st.sampled_from(["short", "rows", "any", "contains", "lists", "row", "value"]))
    if form == "lists":
        lists = [[expected_data(row[name], draw) for name in "tnj"] for row in like]
        columns = ["t", "n", "j"] if draw(st.booleans()) else ["n", "t", "j"]
        return {
            "columns": columns,
            draw(st.sampled_from(["rows", "contains"])): lists or [["x"] * 3],
        }
    if form == "value":
        return {"value": expected_data(draw(JSON), draw)}
    first = written[0] if written else {"n": 9}
    return {
        "short": written,
        "rows": {"rows": written, "count": {"$gte": len(rows), "$lte": len(rows)}},
        "any": {"rows": written, "order": "any"},
        "contains": {"contains": written or [first]},
        "row": {"row": first},
    }[form]


@settings(max_examples=400, deadline=None)
@given(st.lists(ROW, max_size=4), st.data())
def test_what_is_healed_holds_and_what_holds_is_not_edited(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    seen = SqlResult(seen_rows(rows))
    written = data.draw(expectations(rows))
    healing = heal_sql(written, seen)

    holds = judge_sql(outcome(written), seen, (), comparison()) == ()
    assert holds <= (healing == Healing() or "???" in str(written))
    if healing.refusals:
        assert {refusal.reason for refusal in healing.refusals} == {
            "there is no row that is anything like these"
        }
        return
    after = applied(written, healing.edits)
    assert "???" not in strings(after)
    assert judge_sql(outcome(after), seen, (), comparison()) == ()
    assert heal_sql(after, seen) == Healing()


def strings(data: Any) -> set[str]:
    """All texts in data."""
    if isinstance(data, dict):
        return set().union(*map(strings, data.values()))
    if isinstance(data, list):
        return set().union(*map(strings, data))
    return {data} if isinstance(data, str) else set()


@settings(deadline=None)
@given(ROW, ROW, st.data())
def test_cells_that_hold_stay_as_they_are(
    found: dict[str, Any], like: dict[str, Any], data: st.DataObject
) -> None:
    cells = {
        name: expected_data((found if data.draw(st.booleans()) else like)[name], data.draw)
        for name in "ntj"
    }
    result = seen_rows([found])

    healing = heal_sql({"row": cells}, SqlResult(result))

    edited = {edit.path[1] for edit in healing.edits}
    for name, text, cell in zip("ntj", result.rows[0], cells.values(), strict=True):
        holds = comparison().verdict(expectation(cell), value_of(text, TYPES[name])) is None
        assert (name not in edited) is (holds and "???" not in strings(cell))


@given(st.lists(ROW, max_size=3), st.data())
def test_a_table_that_is_healed_holds(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    result = seen_rows(rows)
    written = [
        {name: expected_data(row[name], data.draw) for name in "tn"}
        for row in data.draw(st.lists(ROW, max_size=3))
    ]

    healing = healer().table(state(written), written, result, ())

    after = applied(written, healing.edits)
    assert judge_table(state(after), result, (), comparison()) == ()
    assert healer().table(state(after), after, result, ()) == Healing()


def test_values_that_are_the_same_stay_so() -> None:
    written = yaml(
        "[{id: 9, title: {$same: x}}, {id: 2, title: {$same: y}}, {id: 8, title: {$same: x}}]"
    )
    result = result_set(COLUMNS, ("1", "a", None), ("2", "b", None), ("3", "a", None))

    healing = heal_sql(written, SqlResult(result))

    assert healing.edits == (Edit((0, "id"), "replace", "1"), Edit((2, "id"), "replace", "3"))


@pytest.mark.parametrize(
    "title", ["[{title: {$same: x}, id: 2}, {title: {$same: x}, id: 3}]", None]
)
def test_rows_that_are_merely_tried_mark_nothing(title: str | None) -> None:
    written = yaml(title or "[{payload: [[{$same: x}, 2], [{$same: x}, 3]]}]")
    result = result_set(COLUMNS, ("1", "a", None), ("2", "b", None), ("3", "b", None))
    nested = result_set({"payload": "jsonb"}, ('[["a", 1], ["b", 2], ["b", 3]]',))

    (edit,) = heal_sql(written, SqlResult(result if title else nested)).edits

    assert edit.action == "insert"


def test_a_value_that_is_not_the_same_any_more_is_written_out() -> None:
    written = yaml("[{title: {$same: x}}, {title: {$same: x}}]")
    result = result_set({"title": "text"}, ("a",), ("b",))

    assert heal_sql(written, SqlResult(result)).edits == (Edit((1, "title"), "replace", "b"),)


@given(JSON)
def test_whatever_was_seen_is_written_so_that_it_holds(data: Any) -> None:
    value = value_of(json.dumps(data, default=float), "jsonb")

    healing = healer().heal("???", "???", value, ())

    after = applied("???", healing.edits)
    assert comparison().verdict(expectation(after), value) is None


@given(JSON)
def test_whatever_was_returned_is_written_so_that_it_holds(data: Any) -> None:
    for value in (data, SimpleNamespace(data=data)):
        (edit,) = healer().returned("???", "???", value, ()).edits

        assert judge_result(expectation(yaml(edit.value or "")), value, (), comparison()) == ()
