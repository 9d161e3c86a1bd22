"""Numbers of statements against those expected, and which of them come again."""

from __future__ import annotations

from typing import Any

import pytest

from harness.matching.queries import judge_queries, shape
from harness.results import Mismatch, SentQuery
from harness.spec.expectations import CallOutcome

from .recorded import comparison

PATH = ("expect", "queries")
PLACE = "app/issues.py:12 in list_all"


def judge(expected: Any, *texts: str) -> list[Mismatch]:
    queries = CallOutcome.model_validate({"queries": expected}).queries
    sent = [SentQuery(text, PLACE) for text in texts]
    return judge_queries(queries, sent, PATH, comparison())  # type: ignore[arg-type]  # it is given


def only(expected: Any, *texts: str) -> Mismatch:
    (mismatch,) = judge(expected, *texts)
    return mismatch


COMMENTS = "select * from comments where issue_id = %(id_1)s::INTEGER"
N_PLUS_1 = ("select * from issues", COMMENTS, COMMENTS, COMMENTS)


@pytest.mark.parametrize(
    ("expected", "texts"),
    [
        (0, ()),
        (1, ("select 1",)),
        ({"$lte": 4}, N_PLUS_1),
        ({"max": 4}, N_PLUS_1),
        ({"max": 5}, N_PLUS_1),
        ({"max": 0}, ()),
        ({"max": {"$lt": 5}}, N_PLUS_1),
        ({"repeated": 2}, N_PLUS_1),
        ({"repeated": {"$gt": 0}}, N_PLUS_1),
        ({"max": 4, "repeated": 2}, N_PLUS_1),
        ({"repeated": 0}, ()),
        ({"repeated": 0}, ("select 1", "select 2")),
        ({"repeated": 2}, ("select $1", "select $1", "select $1, $2", "select $1, $2")),
    ],
)
def test_as_expected(expected: Any, texts: tuple[str, ...]) -> None:
    assert judge(expected, *texts) == []


@pytest.mark.parametrize(
    ("expected", "texts", "place", "reason"),
    [
        (3, N_PLUS_1, (), "number of statements: 3 expected, 4 found"),
        (5, N_PLUS_1, (), "number of statements: 5 expected, 4 found"),
        (0, ("select 1",), (), "number of statements: 0 expected, 1 found"),
        (1, (), (), "number of statements: 1 expected, 0 found"),
        ({"$lt": 4}, N_PLUS_1, (), "number of statements: < 4 expected, 4 found"),
        ({"max": 3}, N_PLUS_1, ("max",), "at most 3 statements expected, 4 sent"),
        ({"max": 1}, N_PLUS_1, ("max",), "at most 1 statement expected, 4 sent"),
        ({"max": {"$lt": 4}}, N_PLUS_1, ("max",), "number of statements: < 4 expected, 4 found"),
        ({"repeated": 0}, N_PLUS_1, ("repeated",), "repeated statements: 0 expected, 2 found"),
        ({"repeated": 1}, N_PLUS_1, ("repeated",), "repeated statements: 1 expected, 2 found"),
        ({"repeated": 3}, N_PLUS_1, ("repeated",), "repeated statements: 3 expected, 2 found"),
        ({"repeated": 1}, ("select 1",), ("repeated",), "repeated statements: 1 expected, 0 found"),
        ({"repeated": {"$lt": 2}}, N_PLUS_1, ("repeated",), "repeated statements: < 2 expected, 2 found"),
    ],
)  # fmt: skip
def test_not_as_expected(
    expected: Any, texts: tuple[str, ...], place: tuple[str, ...], reason: str
) -> None:
    mismatch = only(expected, *texts)

    assert mismatch.reason == reason
    assert mismatch.path == (*PATH, *place)


def test_both_limits_are_judged() -> None:
    assert [each.path[-1] for each in judge({"max": 1, "repeated": 0}, *N_PLUS_1)] == [
        "max",
        "repeated",
    ]


@pytest.mark.parametrize("given", [None, "many", [], {"a": 1}, True, -1])
def test_what_a_template_gave_may_be_no_number(given: Any) -> None:
    written = CallOutcome.model_validate({"queries": {"max": "{{ n }}", "repeated": "{{ n }}"}})
    assert written.queries is not None
    rendered = written.queries.model_copy(update={"max": given, "repeated": given})

    assert len(judge_queries(rendered, [], PATH, comparison())) == 2


def test_a_number_that_a_template_gave() -> None:
    written = CallOutcome.model_validate({"queries": {"max": "{{ n }}"}}).queries
    assert written is not None
    rendered = written.model_copy(update={"max": 1})

    assert judge_queries(rendered, [SentQuery("select 1", None)], PATH, comparison()) == []
    assert judge_queries(rendered, [SentQuery("select 1", None)] * 2, PATH, comparison()) != []


ALIKE: list[tuple[str, ...]] = [
    ("select $1", "select $2", "select  $1", "select\n\t$1", " select $1 ", "select $1;"),
    ("select %s", "select %(a)s", "select %(b_1)s", "select /* trace 1 */ %s", "select %s -- x"),
    ("select a=$1", "select a = $1"),
    ("select f( $1 )", "select f($1)"),
    ("a where id in ($1)", "a where id in ($1, $2)", "a where id IN ($1,$2,$3)".lower()),
    (
        "a WHERE id IN (%(id_1_1)s::UUID)",
        "a WHERE id IN (%(id_1_1)s::UUID, %(id_1_2)s::UUID)",
        "a WHERE id IN (%(id_2_1)s::UUID,\n  %(id_2_2)s::UUID, %(id_2_3)s::UUID)",
    ),
    (
        "a WHERE n IN (%(a)s::NUMERIC(5, 2))",
        "a WHERE n IN (%(a)s::NUMERIC(5, 2), %(b)s::NUMERIC(5, 2))",
    ),
    (
        'a WHERE n IN (%(a)s::"Mood")',
        'a WHERE n IN (%(a)s::"Mood", %(b)s::"Mood")',
    ),
    (
        "a where t in (%s::TIMESTAMP WITH TIME ZONE)",
        "a where t in (%s::TIMESTAMP WITH TIME ZONE, %s::TIMESTAMP WITH TIME ZONE)",
    ),
    ("a where (a, b) in (($1, $2))", "a where (a, b) in (($1, $2), ($3, $4), ($5, $6))"),
    (
        "insert into t (a, b) values ($1, $2)",
        "insert into t (a, b) values ($1, $2), ($3, $4)",
        "insert into t (a, b) values ($1, $2),\n($3, $4), ($5, $6)",
    ),
    (
        "insert into t values (%s, now(), default)",
        "insert into t values (%s, now(), default), (%s, now(), default)",
    ),
    (
        "INSERT INTO t (a) SELECT p0::INT FROM (VALUES (%(a__0)s, 0), (%(a__1)s, 1)) AS"
        " imp_sen(p0, sen_counter) ORDER BY sen_counter",
        "INSERT INTO t (a) SELECT p0::INT FROM (VALUES (%(a__0)s, 0), (%(a__1)s, 1),"
        " (%(a__2)s, 2)) AS imp_sen(p0, sen_counter) ORDER BY sen_counter",
    ),
]
UNLIKE: list[tuple[str, ...]] = [
    ("select 1", "select 2", "select $1", "select '1'", "select '2'", 'select "2"', "select null"),
    ("select 'a b'", "select 'a  b'", "select 'a b '"),
    ("select '$1'", "select '$2'", "select '%s'"),
    ("select ' in ($1,$1)'", "select ' in ($1)'"),
    ("select $$a$$", "select $$b$$"),
    ("select f($1)", "select f($1, $2)"),
    ("select coalesce($1, $2)", "select coalesce($1, $2, $3)"),
    ("a where id in ($1)", "a where id in (1)", "a where id in (1, 2)", "a where id = $1"),
    ("a where id in ($1, 2)", "a where id in ($1, 3)", "a where id in ($1, $2, 3)"),
    ("a where id not in ($1)", "a where id in ($1)", "b where id in ($1)"),
    ("a where x in ($1) and y in ($2)", "a where x in ($1)"),
    ("insert into t values ($1)", "insert into t values ($1, $2)", "insert into u values ($1)"),
    ("insert into t values ('a')", "insert into t values ('b')"),
    ("insert into t values ($1, 0), ($2, 1)", "insert into t values ($1, 0), ($2, 2)"),
    ("insert into t values ($1, 0), ($2, 5)", "insert into t values ($1, 1), ($2, 5)"),
    ("select a %%s", "select a %%b"),
    ("insert into t values ($1), (default)", "insert into t values ($1), ($2)"),
    ("select a from t", "select b from t", "select a from t limit $1", "select A from t"),
    ("select ab", "select a b"),
    ("select $1::int", "select $1::text"),
]


@pytest.mark.parametrize("texts", ALIKE, ids=range(len(ALIKE)))
def test_statements_that_differ_only_in_parameters(texts: tuple[str, ...]) -> None:
    assert {shape(text) for text in texts} == {shape(texts[0])}
    assert judge({"repeated": len(texts) - 1}, *texts) == []


@pytest.mark.parametrize("texts", UNLIKE, ids=range(len(UNLIKE)))
def test_statements_that_differ(texts: tuple[str, ...]) -> None:
    assert len({shape(text) for text in texts}) == len(texts)
    assert judge({"repeated": 0}, *texts) == []


def test_the_statements_are_listed_with_their_places() -> None:
    sent = [
        SentQuery("select *\n  from issues", "app/issues.py:5 in index"),
        SentQuery(COMMENTS, "app/issues.py:7 in index"),
        SentQuery(COMMENTS, "app/issues.py:7 in index"),
        SentQuery(COMMENTS, "app/issues.py:9 in index"),
        SentQuery("select 'x'", None),
    ]
    (mismatch,) = judge_queries(1, sent, PATH, comparison())

    assert mismatch.expected == "1"
    assert mismatch.actual == (
        "5 statements\n"
        "3 times: select * from comments where issue_id = %(id_1)s::INTEGER\n"
        "    app/issues.py:7 in index (2 times)\n"
        "    app/issues.py:9 in index\n"
        "1 times: select * from issues\n"
        "    app/issues.py:5 in index\n"
        "1 times: select 'x'"
    )


def test_of_those_that_are_repeated_only_these_are_listed() -> None:
    mismatch = only({"repeated": 0}, *N_PLUS_1)

    assert mismatch.actual == f"3 statements\n3 times: {COMMENTS}\n    {PLACE} (3 times)"
    assert "N+1" in (mismatch.hint or "")


def test_many_and_long_statements_are_shortened() -> None:
    texts = [f"select {number}, '{'x' * 10_000}'" for number in range(100)]
    actual = only(0, *texts).actual or ""

    assert len(actual) < 10_000
    assert actual.endswith("and 70 others")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "select '",
        "select (((((",
        "insert into t values " + ",".join(["(%s, %s)"] * 20_000),
        "select * from t where id in (" + ", ".join(["%s"] * 50_000) + ")",
        "values" + "(" * 5_000,
        "values " + "((a)" * 5_000,
        "values (" + "a" * 100_000,
        "select * from t where id in (" + "%s, " * 5_000,
    ],
    ids=range(10),
)
def test_odd_and_enormous_statements(text: str) -> None:
    assert judge({"repeated": 1}, text, text) == []
