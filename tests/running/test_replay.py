"""Scripts of failing specs: replayed on the same database, they show what the spec saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from harness.config import Config
from harness.database.catalog import Catalog, read_catalog
from harness.database.literals import parameter
from harness.database.protocol import Database
from harness.database.script import Script as SqlScript
from harness.database.session import Reply
from harness.loader import load
from harness.results import Mismatch, SpecResult, Statement, Status
from harness.running.constants import constant, type_of
from harness.running.replay import Replay as Notes
from harness.running.runner import Runner
from harness.running.sql import Prepared

SETTINGS: dict[str, str | int | float | bool] = {
    "app.tenant": "ünder 'quotes'",
    "search_path": 'public, "$user"',
}
Script = Callable[[str], str]
Replay = Callable[[str], list[Reply]]
Refusal = Callable[[str], psycopg.Error]


@pytest.fixture
def script(database: Database, tmp_path: Path) -> Iterator[Script]:
    """Run a spec that must fail; gives its script, which must leave the sequences as they were."""
    config = Config(root=tmp_path, settings=SETTINGS)
    runner = Runner(database, config, script=True)

    def failing(text: str) -> str:
        path = tmp_path / "spec.yaml"
        path.write_text(dedent(text).lstrip(), encoding="utf-8")
        (loaded,) = load(path, tmp_path)
        result: SpecResult = runner.run(loaded)
        assert result.status is Status.FAILED
        assert result.script is not None
        return result.script

    yield failing
    session, catalog = database.connect()
    if session.status is not TransactionStatus.IDLE:
        session.run("ROLLBACK")
    assert read_catalog(session.run).sequences == catalog.sequences


@pytest.fixture
def replay(database: Database, script: Script) -> Replay:
    """Run a spec that must fail, then its script, twice: it ends without an error, and alike."""

    def replies(text: str) -> list[Reply]:
        session, _ = database.connect()
        written = script(text)
        session.run(written)
        found = session.run(written)
        assert session.status is TransactionStatus.IDLE
        return found

    return replies


@pytest.fixture
def refusal(database: Database, script: Script) -> Refusal:
    """Run a spec that must fail, then its script; gives the script's own error."""

    def error(text: str) -> psycopg.Error:
        session, _ = database.connect()
        written = script(text)
        with pytest.raises(psycopg.Error) as raised:
            session.run(written)
        session.run("ROLLBACK")
        return raised.value

    return error


def values(replies: list[Reply]) -> tuple[str | None, ...]:
    """The only row of the last statement before the ROLLBACK."""
    (row,) = replies[-2].rows
    return row


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -5,
        2**31 - 1,
        -(2**31),
        3_000_000_000,
        -(2**63),
        2**70,
        Decimal("1.50"),
        Decimal("-1E+3"),
        1.5,
        float("-inf"),
        "",
        "it's",
        "back\\slash",
        "two\nlines, 'ünï' \\' -- 😀 $1 :name $$",
        {"a": Decimal("1.0"), "b": ["it's", None, "\\"]},
        [],
        [None],
        [1, None, -2],
        [1, 3_000_000_000],
        [1, Decimal("1.5")],
        [True, False],
        ["a", 'b"c', "d\\e", "NULL", ""],
        [["a", "b"], ["c", "d"]],
        [[1, 2], [3, 4]],
        [{"a": 1}, "x"],
        b"\x00\xff'",
    ],
    ids=repr,
)
@pytest.mark.parametrize("place", ["$1", "pg_typeof($1)", "array[$1, $1]", "coalesce($1, null)"])
def test_a_constant_is_what_the_parameter_was(database: Database, value: Any, place: str) -> None:
    session, _ = database.connect()
    bound = parameter(value)
    try:
        expected = session.execute(f"select {place} as it", [bound])
    except psycopg.errors.IndeterminateDatatype:
        assert type_of(bound) is None
        return
    found = session.run(f"select {place.replace('$1', constant(bound))} as it")[0]
    assert found == expected


def test_the_whole_of_a_script(script: Script) -> None:
    assert script("""
    name: a transfer
    seed:
      teams: {red: {name: Red}}
    operations:
      - name: in
        sql: insert into people (team_id, name, email, mood) values (:team, 'Ann', 'a@x', 'calm')
        params: {team: "{{ seed.teams.red.id }}"}
      - sql: select nothing
        expect: {error: undefined_column}
      - name: >-
          back and
          forth
        sql: select name from people where id = :id -- just one
        params: {id: 1}
        expect: [{name: Bob}]
      - sql: select 1
    """) == dedent("""\
    -- spec.yaml::a transfer
    -- for psql, on a database that the project's `setup` has built
    BEGIN;
    SET LOCAL client_encoding = 'UTF8';
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL DateStyle = 'ISO';
    SET LOCAL "app"."tenant" = 'ünder ''quotes''';
    SET LOCAL search_path = public, "$user";
    ALTER SEQUENCE teams_id_seq RESTART WITH 1;
    ALTER SEQUENCE people_id_seq RESTART WITH 1;
    DISCARD SEQUENCES;

    -- seed, spec.yaml:3
    INSERT INTO "public"."teams" ("name") VALUES ('Red');
    SET CONSTRAINTS public.settle IMMEDIATE;
    SET CONSTRAINTS public.settle DEFERRED;

    -- operation 1 (sql): in, spec.yaml:5
    insert into people (team_id, name, email, mood) values (1, 'Ann', 'a@x', 'calm');

    -- operation 2 (sql), spec.yaml:8
    SAVEPOINT harness_operation;
    select nothing;
    ROLLBACK TO SAVEPOINT harness_operation;

    -- operation 3 (sql): back and forth, spec.yaml:10
    select name from people where id = 1 -- just one
    ;
    -- failed: row 1: name: Bob expected, Ann found

    ROLLBACK;
    """)


def test_the_rows_that_the_spec_saw(replay: Replay) -> None:
    text = """
    seed:
      teams: {red: {name: Red}, blue: {id: 40, name: Blue}}
      people:
        worker: {team: red, boss: chief, name: Worker}
        chief: {team: blue, name: "Chief's"}
      owners: {o: {id: 1, thing: t}}
      things: {t: {id: 7, owner: o}}
      hens: {h: {id: 1, egg: e}}
      eggs: {e: {id: 2, hen: h}}
    operations:
      - seed: {teams: [{name: Green}]}
      - sql: >-
          select string_agg(p.id || p.name || t.id || p.email, ' ' order by p.id),
            (select string_agg(id::text, ' ' order by id) from teams), current_setting('app.tenant'),
            (select count(*) from hens), (select owner_id from things) from people p
            join teams t on t.id = p.team_id
        expect: []
    """
    people = "1Chief's40email-1 2Worker1email-2"
    assert values(replay(text)) == (people, "1 40 41", "ünder 'quotes'", "1", "1")


def test_ids_that_the_database_made_up(replay: Replay, database: Database) -> None:
    assert values(
        replay("""
    operations:
      - sql: create table made (id uuid primary key default gen_random_uuid(), n integer)
      - seed: {made: {one: {n: 1}}}
      - sql: select n from made where id = :id
        params: {id: "{{ seed.made.one.id }}"}
        expect: []
    """)
    ) == ("1",)


@pytest.mark.parametrize(
    ("sql", "params", "expected"),
    [
        ("select 1 -- x", None, ("1",)),
        ("select 1; -- x", None, ("1",)),
        ("select 1 /* ; */;", None, ("1",)),
        ("select $q$ ' ; $1$q$ || '$1' || :a", {"a": "x"}, (" ' ; $1$1x",)),
        ("select ':a' || :a::text || (array[7, 8])[1:2]::text", {"a": 1}, (":a1{7,8}",)),
        ("select '\\' || E'\\\\' || :a", {"a": "\\"}, ("\\\\\\",)),
        ("select 5 -:a, 5-:a", {"a": -1}, ("6", "6")),
        ("select :a -> 'k' ->> 0, :b[2]", {"a": {"k": ["v"]}, "b": [1, 2]}, ("v", "2")),
        ("select count(*) from (values (1), (2)) v(n) where n = any(:a)", {"a": [1, 3]}, ("1",)),
        ("select coalesce(:a, 'n'), (:a is null)::text, 'ü'", {"a": None}, ("n", "true", "ü")),
        ("select pg_typeof(:a), pg_typeof(:b)", {"a": 1, "b": 1.0}, ("integer", "numeric")),
        ('select case when true then:a else:b end, 1 as"b"', {"a": 1, "b": 2}, ("1", "1")),
        ("select (array[7, 8, n])[1:n]::text from (select 2 as n) s", None, ("{7,8}",)),
        ('select (array[7, 8, n])[1:"n"]::text from (select 2 as n) s', None, ("{7,8}",)),
        (
            "select '\x1b[31m' || :a, $$'\\\x7f$$",
            {"a": "\u202e\\'"},
            ("\x1b[31m\u202e\\'", "'\\\x7f"),
        ),
        ('select:a::text as "\u2066\\"', {"a": "\x85"}, ("\x85",)),
        ("select (:a || 'x')::text, 2 * :b", {"a": "1", "b": 3_000_000_000}, ("1x", "6000000000")),
    ],
)
def test_odd_statements(
    replay: Replay, sql: str, params: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    text = f"operations: [{{sql: {json.dumps(sql)}, expect: []"
    text += f", params: {json.dumps(params)}}}]" if params else "}]"
    assert values(replay(text)) == expected


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("select * from nowhere", None),
        ("select * from nowhere where id = :a", {"a": 1}),
        ("select jsonb_build_object('k', :a)", {"a": "v"}),
        ("select :a, :a + 1", {"a": "1"}),
        ("select interval :a", {"a": "1 day"}),
        ("set work_mem = :a", {"a": "1MB"}),
        ("select :a / 0", {"a": 1}),
        ("select (:a)::integer", {"a": "x"}),
        ("insert into teams (id, name) values (:a, :b), (:a, :b)", {"a": 1, "b": "x"}),
        ("insert into teams values (1, null); select 1", None),
        ("explain select :a || 1", {"a": 1}),
        ("call nobody(:a)", {"a": 1}),
        ("insert into teams (id, name) values (1, 'x'), (1, 'x');", None),
    ],
)
def test_the_error_that_the_spec_saw(
    refusal: Refusal, script: Script, sql: str, params: dict[str, Any] | None
) -> None:
    given = f", params: {json.dumps(params)}" if params else ""
    text = f"operations: [{{sql: {json.dumps(sql)}{given}}}]"
    error = refusal(text)
    assert error.diag.message_primary is not None
    assert f"failed: the operation failed: {error.diag.message_primary}" in script(text)


def test_an_operation_that_expects_an_error_is_undone(database: Database, script: Script) -> None:
    text = script("""
    operations:
      - sql: insert into teams (name) values ('kept')
      - sql: insert into teams (name) values ('undone'); select 1 / 0
        expect: {error: division_by_zero}
      - sql: insert into teams (name) values ('kept, too')
        expect: {error: unique_violation}
      - seed: {teams: [{id: 1, name: undone}, {id: 1, name: double}]}
        expect: {error: unique_violation}
      - seed: {teams: [{id: none}]}
        expect: {error: invalid_text_representation}
      - sql: select string_agg(name, '; ' order by id) from teams
        expect: []
    """)
    session, _ = database.connect()
    seen: list[Any] = []
    for statement in SqlScript(Path("psql"), text).statements():  # as psql goes on after an error
        try:
            seen += session.run(statement.text)[-1].rows
        except psycopg.Error as error:
            seen.append(error.sqlstate)
    assert seen == ["22012", "23505", "22P02", ("kept; kept, too",)]


def test_it_ends_with_the_last_operation_that_failed(script: Script) -> None:
    text = script("""
    operations:
      - sql: select 1 as a
        expect: {row: {a: 2}}
      - sql: select 2 as b
      - sql: select 3 as c
        expect: {row: {c: 4}, affected: 2}
      - sql: select 4 as d
    """)
    assert [line for line in text.splitlines() if line.startswith(("select", "-- failed"))] == [
        "select 1 as a;",
        "-- failed: row 1: a: 2 expected, 1 found",
        "select 2 as b;",
        "select 3 as c;",
        "-- failed: row 1: c: 4 expected, 3 found",
        "-- failed: affected rows: 2 expected, 1 found",
    ]


def test_a_failure_of_the_state_comes_last(script: Script) -> None:
    text = script("""
    operations: [{sql: select 1}]
    expect: {tables: {teams: {count: 7}}}
    """)
    assert text.endswith("select 1;\n\n-- failed: number of rows: 7 expected, 0 found\nROLLBACK;\n")


def test_what_could_not_be_committed(refusal: Refusal) -> None:
    error = refusal("""
    operations: [{sql: "insert into later values (1, 99)"}]
    """)
    assert error.diag.constraint_name == "later_team_id_fkey"


@pytest.mark.parametrize(
    "seed",
    [
        "{teams: [{id: 1, name: a}, {id: 1, name: b}]}",
        "{teams: [{id: none}]}",
        "{later: [{id: 1, team_id: 99}]}",
        "{teams: {sql: select 1 / 0 as id}}",
    ],
)
def test_a_seed_that_is_refused(refusal: Refusal, script: Script, seed: str) -> None:
    text = f"seed: {seed}\noperations: [{{sql: select 1}}]"
    assert f"refused this seed: {refusal(text).diag.message_primary}" in script(text)


def test_sequences_wherever_they_stand(database: Database, tmp_path: Path) -> None:
    session, _ = database.connect()
    session.run("""
        CREATE SCHEMA "Odd";
        CREATE SEQUENCE "Odd"."To\u202e 'Go'" INCREMENT -2 MINVALUE 0 MAXVALUE 9 START 9 CYCLE CACHE 3;
        SELECT setval('"Odd"."To\u202e ''Go''"', 1);
        CREATE SEQUENCE full_up MAXVALUE 3;
        SELECT setval('full_up', 3);
        CREATE SEQUENCE fresh START 5;
        CREATE SEQUENCE other;
    """)
    try:
        catalog = read_catalog(session.run)
        sql = (
            """select nextval('"Odd"."To\u202e ''Go''"'), nextval('FRESH'), setval('full_up', 2)"""
        )
        found = [session.run(_script_of(sql, catalog, tmp_path)) for _ in range(2)]
        assert [values(replies) for replies in found] == [("9", "5", "2")] * 2
        states = read_catalog(session.run).sequences
        with pytest.raises(psycopg.errors.SequenceGeneratorLimitExceeded):
            session.run(_script_of("select nextval('full_up')", catalog, tmp_path))
        session.run("ROLLBACK")
    finally:
        session.run('DROP SCHEMA "Odd" CASCADE; DROP SEQUENCE full_up, fresh, other')
    assert states == catalog.sequences


def _script_of(sql: str, catalog: Catalog, root: Path) -> str:
    path = root / "spec.yaml"
    path.write_text("operations: [{sql: select 1}]")
    (loaded,) = load(path, root)
    notes = Notes(loaded, catalog, Config(root=root))
    notes.operation(0, loaded.spec.operations[0], may_fail=False)
    notes.statement(Prepared(sql, None, Statement(sql)))
    failed = Mismatch(("operations", 0), "it failed")
    written = notes.script(SpecResult("x", Status.FAILED, mismatches=(failed,)))
    assert "other" not in written
    assert written.replace("\n", "").isprintable()
    return written


def test_nothing_of_a_spec_acts_on_a_terminal(script: Script) -> None:
    text = script(r"""
    name: hidden
    operations:
      - name: "\u202eback"
        sql: "select '\x1b[31m' as \"\x7f\" -- \x1b[2J"
        expect: {row: {"\x7f": "\x1b]0;title\a"}}
    """)
    assert text.replace("\n", "").isprintable()
    assert "-- operation 1 (sql): \\u202eback, spec.yaml:3" in text
    assert "\nselect  E'\\u001b[31m' as  U&\"\\007f\" -- \\u001b[2J\n;\n" in text


def test_rows_from_a_query_come_once(replay: Replay) -> None:
    assert values(
        replay("""
    seed: {teams: {sql: "select nextval('teams_id_seq') as id, 'x' as name -- one"}}
    operations:
      - sql: select string_agg(id::text, ' ') || nextval('teams_id_seq') from teams
        expect: []
    """)
    ) == ("12",)


def test_the_end_of_the_transaction_is_left_out(script: Script) -> None:
    text = script("""
    operations:
      - sql: insert into teams (name) values ('x')
      - sql: "commit; -- and\n\nselect 1"
    """)
    assert "\n-- left out, as it ends the transaction:\n-- commit;" in text
    assert not any(line.startswith(("commit", "select 1")) for line in text.splitlines())


def test_a_nul_cannot_be_replayed(script: Script) -> None:
    text = script(r"""
    operations: [{sql: "select :a", params: {a: "x\0y"}}]
    """)
    assert (
        "-- cannot be sent: PostgreSQL cannot store a NUL character in text\n-- select $1" in text
    )


def test_a_passing_spec_has_none(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("operations: [{sql: select 1}]")
    (loaded,) = load(path, tmp_path)
    assert Runner(database, Config(root=tmp_path), script=True).run(loaded).script is None


def test_actors_are_put_on_and_off(script: Script) -> None:
    text = script("""
    as: {db_role: reader, claims: {sub: ann}}
    operations:
      - sql: create role reader
        as: null
      - sql: select name from teams
        expect: {error: syntax_error}
    """)
    assert """set_config('request.jwt.claims', '{"sub":"ann"}', true)""" in text
    assert text.index("set_config('role', 'reader', true)") < text.index("select name from teams")
