"""Operations and what is expected of them, on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harness.results import Status
from tests.running.conftest import Run

Passes = Callable[[str], None]
Failure = Callable[[str], str]

EQUAL = [
    ("1", "1"), ("1", '"1"'), ("1.10::numeric", "1.1"), ("'NaN'::numeric", '"NaN"'), ("0.1::real", "0.1"),
    ("1e400::numeric", '"1e400"'), ("9007199254740993", "9007199254740993"), ("'a'::text", "a"),
    ("'5'::text", "5"), ("'1.10'::text", "1.10"), ("'ab'::char(5)", "ab"), ("true", "true"), ("true", '"yes"'),
    ("null::int", "null"), ("'2026-01-01'::date", "2026-01-01"), ("'10:00'::time", '"10:00"'),
    ("'2026-01-01 10:00+02'::timestamptz", '"2026-01-01T08:00:00Z"'),
    ("'2026-01-01 10:00+02'::timestamptz", '"2026-01-01 08:00"'),
    ("'2026-01-01 10:00'::timestamp", '"2026-01-01T10:00:00"'), ("'infinity'::timestamptz", "infinity"),
    ("'0044-03-15 BC'::date", "0044-03-15 BC"), ("interval '1 day'", "24 hours"), ("interval '90 min'", '"01:30"'),
    ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("'{\"a\": [1, {\"b\": null}]}'::jsonb", "{a: [1.0, {b: null}]}"), ("'null'::jsonb", "null"),
    ("'\"x\"'::json", "x"), ("array[1,null,3]", "[1, null, 3]"), ("'{}'::text[]", "[]"),
    ("array[['a','b'],['c','d']]", "[[a, b], [c, d]]"), ("'cross'::mood", "cross"), ("5::positive", "5"),
    ("'\\xAB'::bytea", "\\xab"), ("'10.0.0.1'::inet", "10.0.0.1"), ("'10.0.0.1'::inet", "10.0.0.1/32"),
    ("int4range(1, 5)", '"[1,5)"'), ("'[1.0,2)'::numrange", '"[1,2)"'), ("B'101'", '"101"'),
    ("row(1, 'x')", '"(1,x)"'), ("'fat cat'::tsvector", "'''cat'' ''fat'''"),
]  # fmt: skip
DIFFERENT = [
    ("1", "2"), ("1", "1.5"), ("1", "true"), ("1", '"one"'), ("1.10::numeric", "1.11"), ("''::text", "null"),
    ("null::text", '""'), ("null::int", "0"), ("null::bool", "false"), ("0", "false"), ("true", "1"), ("'true'::text", "true"),
    ("'a'::text", "A"), ("'ab'::text", '"ab "'), ("'abc'::varchar(3)", "abcd"), ("'2026-01-01'::date", '"2026-01-01 10:00"'),
    ("'10:00'::time", '"2026-01-01 10:00"'), ("'2026-01-01 10:00'::timestamp", '"2026-01-01T10:00:00+05:00"'),
    ("'2026-01-01 10:00:00.123456'::timestamptz", '"2026-01-01 10:00:00.123"'), ("interval '1 month'", "31 days"),
    ("'[1,\"1\"]'::jsonb", "[1, 1]"), ("'{\"a\": 1, \"b\": 2}'::jsonb", "{a: 1}"), ("'{\"a\": null}'::jsonb", "{}"),
    ("'{\"a\": true}'::jsonb", "{a: 1}"), ("'null'::jsonb", '""'), ("'[1,2]'::jsonb", "[2, 1]"), ("array[1,2]", "[1]"),
    ("array[1,2]", "[2, 1]"), ("array[null]::int[]", "[]"), ("array['NULL']", "[null]"), ("'cross'::mood", "crosss"),
    ("gen_random_uuid()", "not a uuid"), ("B'1010'", '"1"'), ("'10.0.0.1'::inet", "10.0.0.1/24"), ("int4range(1, 5)", '"[1,4]x"'),
    ("1", "[1]"), ("'x'::text", "{a: 1}"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), EQUAL)
def test_equal(passes: Passes, expression: str, expected: str) -> None:
    passes(
        f"operations:\n  - sql: |\n      select {expression} as v\n    expect: {{value: {expected}}}\n"
    )


@pytest.mark.parametrize(("expression", "expected"), EQUAL)
def test_what_is_equal_is_not_different(failure: Failure, expression: str, expected: str) -> None:
    failure(
        f"operations:\n  - sql: |\n      select {expression} as v\n    expect: {{value: {{$not: {expected}}}}}\n"
    )


@pytest.mark.parametrize(("expression", "expected"), DIFFERENT)
def test_different(failure: Failure, expression: str, expected: str) -> None:
    text = f"operations:\n  - sql: |\n      select {expression} as v\n    expect: {{value: {expected}}}\n"
    assert failure(text).startswith("4:")
    unordered = text.replace(f"value: {expected}", f"rows: [{{v: {expected}}}], order: any")
    failure(unordered)


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ("{rows: []}", "no rows expected, 2 returned"),
        ("[{n: 1}]", "1 row expected, 2 returned"),
        ("[{n: 2}, {n: 1}]", "the rows come in another order"),
        ("{rows: [{n: 1}, {n: 1}], order: any}", ""),
        ("{contains: [{n: 1}, {n: 1}]}", ""),
        ("{count: 3}", "3"),
        ("{row: {n: 1}}", "exactly one row expected, 2 returned"),
        ("{value: 1}", "exactly one row with one column expected, 2 rows"),
        ("{columns: [m]}", "columns"),
        ("{affected: 1}", "1"),
        ("[{m: 1}, {m: 2}]", "there is no column m"),
        ("[{m: {$any: true}}, {}]".replace(", {}", ", {n: 2}"), "there is no column m"),
        ("[{n: {$absent: true}}, {n: 2}]", ""),
        ("{error: unique_violation}", "the operation succeeded"),
    ],
)
def test_results_that_differ(failure: Failure, expect: str, reason: str) -> None:
    text = f"operations:\n  - sql: values (1), (2)\n    expect: {expect}\n".replace(
        "values (1), (2)", "select n from (values (1), (2)) t(n) order by n"
    )
    assert reason in failure(text)


@pytest.mark.parametrize(
    "expect", ["[]", "{count: 0}", "{rows: []}", "{columns: [a]}", "{value: null}"]
)
def test_a_statement_without_a_result_set_has_no_rows(failure: Failure, expect: str) -> None:
    assert "no result set" in failure(
        f"operations: [{{sql: create table x (), expect: {expect}}}]\n"
    )


def test_two_columns_of_one_name(failure: Failure) -> None:
    for expect in ("[{a: 1}]", "{count: 1}", "{row: {a: 1}}"):
        text = f"operations: [{{sql: 'select 1 as a, 2 as a', expect: {expect}}}]\n"
        assert "2 columns named a" in failure(text)


def test_all_mismatches_are_told(run: Run) -> None:
    result = run("""
    operations:
      - sql: select 1 as n
        expect: {rows: [{n: 2}], affected: 5, columns: [m]}
      - sql: select 1 as n
        expect: [{n: 3}]
    expect: {tables: {teams: {count: 1}}}
    """)
    places = [mismatch.where.line for _, mismatch in result.failures if mismatch.where]
    assert sorted(places) == [3, 3, 3, 5, 6]


def test_nothing_follows_an_error(run: Run) -> None:
    result = run("""
    operations:
      - sql: select 1/0
      - sql: select 2
    """)
    assert [operation.status for operation in result.operations] == [Status.FAILED]


ERRORS = [
    "unique_violation", '"23505"', "UniqueViolation", "IntegrityError", "psycopg.errors:UniqueViolation",
    "{condition: unique_violation, constraint: people_email_key, table: people, schema: public}",
    "{sqlstate: '23505', column: null, hint: null}",
    "{message: duplicate key value violates unique constraint \"people_email_key\"}",
    "{message: {$contains: people_email_key}, detail: {$regex: 'already exists'}}",
]  # fmt: skip
WRONG_ERRORS = [
    "foreign_key_violation", '"23503"', "ForeignKeyViolation", "KeyError",
    "{condition: unique_violation, constraint: people_pkey}", "{condition: unique_violation, column: email}",
    "{condition: unique_violation, detail: null}", "{message: duplicate key}", "{message: {$contains: People}}",
    "{sqlstate: '23505', hint: {$null: false}}", "{condition: {$not: unique_violation}, table: people}",
]  # fmt: skip
TWICE = """
seed: {{teams: {{red: {{name: Red}}}}, people: [{{team: red, email: a}}]}}
operations:
  - sql: insert into people (team_id, name, email, mood) values (1, 'x', 'a', 'calm')
    expect: {{error: {}}}
  - sql: select count(*) as n from people
    expect: [{{n: 1}}]
"""


@pytest.mark.parametrize("error", ERRORS)
def test_errors(passes: Passes, error: str) -> None:
    passes(TWICE.format(error))


@pytest.mark.parametrize("error", WRONG_ERRORS)
def test_other_errors(failure: Failure, error: str) -> None:
    assert failure(TWICE.format(error)).startswith("4:")


def test_an_unexpected_error_is_told_at_the_statement(failure: Failure) -> None:
    text = failure("""
    operations:
      - name: x
        sql: select nope
        expect: [{a: 1}]
    """)
    assert text.startswith("3:10: ")
    assert 'column "nope" does not exist' in text


def test_an_operation_that_goes_behind_its_beginning_cannot_be_undone(failure: Failure) -> None:
    for statement in ("rollback to a; select 1/0", "release a; select 1/0"):
        text = failure(f"""
        operations:
          - sql: savepoint a
          - sql: {statement}
            expect: {{error: division_by_zero}}
        """)
        assert text.startswith("3:10: this went back behind its own beginning")


def test_params(passes: Passes) -> None:
    passes("""
    operations:
      - sql: select :i + 1 as i, :d::numeric as d, :t as t, :b as b, :n::int as n, :j -> 'a' as j,
             :l::int[] as l, 'x' = any(:s) as s, ':t' as lit, :t || :t as twice
        params: {i: 1, d: 1.10, t: x, b: true, n: null, j: {a: [1.50]}, l: [1, 2], s: [x, y]}
        expect:
          - {i: 2, d: 1.1, t: x, b: true, n: null, j: [1.5], l: [1, 2], s: true, lit: ":t", twice: xx}
      - sql: select count(*) as n from codes where code = any(:ids)
        params: {ids: [7f6f0f5e-0000-4000-8000-000000000001]}
        expect: {value: 0}
      - sql: select :a * :b as product, pg_typeof(:a)::text as a, pg_typeof(:big)::text as big,
             :mixed::text as mixed, :wide::text as wide
        params: {a: 30000, b: 30000, big: 3000000000, mixed: [1.50, 2, null], wide: [1, 3000000000]}
        expect:
          - {product: 900000000, a: integer, big: bigint, mixed: "{1.50,2,NULL}", wide: "{1,3000000000}"}
      - sql: select :j as j
        params: {j: {$$ref: 1}}
        expect: {value: {$$ref: 1}}
      - sql: select 1 as a; select 2 as b
        expect: [{b: 2}]
      - sql: select :a; select 1
        params: {a: 1}
        expect: {error: syntax_error}
    """)


def test_save_and_templates(passes: Passes) -> None:
    passes(
        """
    vars: {days: 3}
    operations:
      - sql: insert into teams (name) values ('a'), ('b') returning id, name
        save: {first: "rows[0].id", names: "rows[*].name", nothing: "rows[7]?", n: count, done: affected}
        expect: [{name: a}, {name: b}]
      - sql: select :first as first, :names as names, :n as n, :done as done, :nothing::int as nothing
        params:
          {first: "{{ first }}", names: "{{ names }}", n: "{{ n }}", done: "{{ done }}", nothing: "{{ nothing }}"}
        expect: {row: {first: 1, n: 2, done: 2, nothing: null}}
      - sql: select 1/0
        expect: {error: division_by_zero}
        save: {message: error.message, condition: error.condition, state: error.sqlstate}
      - sql: select 1 as one
        save: {one: value, row: row.one}
        expect: {value: "{{ one_of[0] }}"}
    """.replace("{{ one_of[0] }}", "{{ first }}")
    )
    passes("""
    operations:
      - sql: select now()::text as n, current_date::text as today, (now() - interval '3 days')::text as ago
        expect: [{n: "{{ now() }}", today: "{{ today() }}", ago: "{{ ago('3 days') }}"}]
      - sql: select now() + interval '1 hour' as ahead
        expect: [{ahead: "{{ ahead('1 hour') }}"}]
    """)


def test_env(passes: Passes, failure: Failure, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "operations: [{{sql: select 'x' as v, expect: {{value: \"{{{{ {} }}}}\"}}}}]\n"
    monkeypatch.setenv("HARNESS_TEST", "x")
    passes(text.format("env('HARNESS_TEST')"))
    monkeypatch.delenv("HARNESS_TEST")
    passes(text.format("env('HARNESS_TEST', 'x')"))
    assert "the environment has no HARNESS_TEST" in failure(text.format("env('HARNESS_TEST')"))
    assert "env('HOME') is not allowed" in failure(text.format("env('HOME')"))


def test_templates_fail_where_they_stand(failure: Failure) -> None:
    text = failure("""
    vars: {x: {a: 1}}
    operations:
      - sql: select :a, :b
        params:
          a: 1
          b: "{{ x.nope }}"
    """)
    assert text.startswith("6:10: ")
    text = failure("""
    vars: {x: {a: 1}}
    operations:
      - sql: select 1 as a
        expect:
          row:
            a: "{{ x.nope }}"
    """)
    assert text.startswith("6:12: ")
    assert "is not an interval" in failure(
        "operations: [{sql: 'select :a', params: {a: \"{{ ago(3) }}\"}}]\n"
    )


def test_a_path_that_finds_nothing_fails(failure: Failure) -> None:
    text = failure("operations: [{sql: select 1 as a, save: {b: 'rows[0].b'}}]\n")
    assert "'rows[0].b' finds nothing, or null" in text


def test_tables(passes: Passes) -> None:
    passes("""
    vars: {name: Red}
    seed: {teams: [{name: Red}, {name: Blue}, {name: Red}]}
    operations: [{sql: delete from teams where id = 3}]
    expect:
      tables:
        teams:
          rows: [{name: Blue}, {name: "{{ name }}"}]
          count: 2
          contains: [{id: 2}]
        people: []
        codes: {count: 0}
        public.always: {rows: [], where: {n: 3}}
    """)
    passes("""
    seed: {teams: [{name: Red}, {name: Blue}]}
    operations: [{sql: select 1}]
    expect: {tables: {teams: {columns: [name], rows: [[Blue], [Red]], where: "id < 9 -- all"}}}
    """)


@pytest.mark.parametrize(
    "state",
    [
        "[{name: Red}]", "[]", "{count: 1}", "{contains: [{name: Green}]}", "{contains: [{name: Red}, {name: Red}]}",
        "{rows: [{name: Red}, {name: Red}]}", "{rows: [], where: {name: Red}}", "{rows: [{name: Red}], where: {name: Blue}}",
        "{count: 2, where: {name: Red}}", "{count: 2, where: {nmae: Red}}", "{count: 2, where: nmae = 1}",
        "{columns: [nmae], count: 2}", "{count: 2, where: \"name = '{{ name }}'\"}", "[{nmae: {$any: true}}, {name: Red}]",
    ],
)  # fmt: skip
def test_tables_that_differ(failure: Failure, state: str) -> None:
    failure(f"""
    vars: {{name: Red}}
    seed: {{teams: [{{name: Red}}, {{name: Blue}}]}}
    operations: [{{sql: select 1}}]
    expect: {{tables: {{teams: {state}}}}}
    """)


def test_an_unknown_table(failure: Failure) -> None:
    text = failure("operations: [{sql: select 1}]\nexpect: {tables: {teems: []}}\n")
    assert text == "2:26: there is no table 'teems' (did you mean 'teams'?)"


def test_a_session_authorization_does_not_outlive_its_spec(passes: Passes) -> None:
    passes("operations: [{sql: set session authorization somebody}]\n")
    passes("operations: [{sql: select session_user, expect: [{session_user: postgres}]}]\n")


def test_random_is_random_again(run: Run, passes: Passes) -> None:
    seen = set()
    for _ in range(3):
        passes("operations: [{sql: select setseed(0.5)}]\n")
        result = run("operations: [{sql: select random() as r, expect: {value: -1}}]\n")
        seen.add(result.failures[0][1].actual)
    assert len(seen) == 3


def test_enormous_and_odd_cells_are_failures_with_a_short_text(run: Run) -> None:
    for expression in (
        "repeat('x', 1000000)",
        "'[' || repeat('1,', 100000) || '1]'",
        "E'\\x01\\u202e'",
    ):
        result = run(
            f'operations: [{{sql: "select {expression}::text as v", expect: {{value: y}}}}]\n'.replace(
                "\\", "\\\\"
            )
        )
        mismatch = result.failures[0][1]
        assert len(json.dumps(mismatch.reason)) < 2000
        assert len(mismatch.actual or "") <= 100_002
