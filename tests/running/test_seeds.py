"""Seeds: what goes in, in which order, with which values, and what is refused where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Passes = Callable[[str], None]
Failure = Callable[[str], str]


def test_tables_go_in_by_their_foreign_keys(passes: Passes) -> None:
    passes("""
    seed:
      people:
        ann: {team: red, name: Ann, mood: calm, email: a@x}
        bob: {team: blue, name: Bob, mood: cross, email: b@x, boss: ann}
      teams:
        red: {name: Red}
        blue: {name: Blue}
    operations:
      - sql: select p.id, p.name, t.name as team, b.name as boss from people p
             join teams t on t.id = p.team_id left join people b on b.id = p.boss_id order by p.id
        expect:
          - {id: 1, name: Ann, team: Red, boss: null}
          - {id: 2, name: Bob, team: Blue, boss: Ann}
    """)


def test_rows_go_in_by_their_references_to_each_other(passes: Passes) -> None:
    passes("""
    seed:
      teams: {red: {name: Red}}
      people:
        worker: {team: red, boss: chief, name: Worker}
        chief: {team: red, name: Chief}
    operations:
      - sql: select id, boss_id from people where name = 'Worker'
        expect: [{id: 2, boss_id: 1}]
    """)


def test_rows_of_one_table_that_need_each_other(passes: Passes) -> None:
    passes("""
    seed:
      teams: {red: {name: Red}}
      people:
        a: {team: red, boss: b, name: A}
        b: {team: red, boss: a, name: B}
    operations:
      - sql: select p.name, b.name as boss from people p join people b on b.id = p.boss_id order by 1
        expect: [{name: A, boss: B}, {name: B, boss: A}]
    """)


def test_a_cycle_through_a_nullable_key(passes: Passes) -> None:
    passes("""
    seed:
      owners: {o: {id: 1, thing: t}}
      things: {t: {id: 7, owner: o}}
    operations:
      - sql: select owner_id from things
        expect: [{owner_id: 1}]
      - sql: select thing_id from owners
        expect: [{thing_id: 7}]
    """)


def test_a_cycle_with_explicit_keys(passes: Passes) -> None:
    passes("""
    seed:
      things: [{id: 7, owner_id: 1}]
      owners: [{id: 1, thing_id: 7}]
    operations:
      - sql: select owner_id from things
        expect: [{owner_id: 1}]
    """)


def test_a_cycle_through_a_deferrable_key(passes: Passes) -> None:
    passes("""
    seed:
      eggs: {e: {id: 2, hen: h}}
      hens: {h: {id: 1, egg: e}}
    operations:
      - sql: select egg_id from hens
        expect: [{egg_id: 2}]
      - sql: insert into hens values (5, 99)
        expect: {error: foreign_key_violation}
    """)


def test_composite_keys_by_the_constraints_name(passes: Passes) -> None:
    passes("""
    seed:
      pairs: {p: {a: 1, b: 2}}
      pair_users: [{id: 1, to_pair: p}, {id: 2, to_pair: null}]
    operations:
      - sql: select a, b from pair_users order by id
        expect: [{a: 1, b: 2}, {a: null, b: null}]
    """)


def test_autofill(passes: Passes) -> None:
    passes("""
    seed:
      teams: [{}, {name: given}]
      people: [{team_id: 1}, {team_id: 1}, {team_id: 1, email: email-4}, {team_id: 2}]
      codes: [{}, {}]
    operations:
      - sql: select name from teams order by id
        expect: [{name: name-1}, {name: given}]
      - sql: select name, email, mood, score, tags, data, born from people order by id
        expect:
          - {name: name-1, email: email-1, mood: calm, score: null, tags: [], data: null, born: null}
          - {name: name-1, email: email-2, mood: calm}
          - {email: email-4}
          - {email: email-3}
      - sql: select count(distinct code) as n from codes
        expect: [{n: 2}]
    """)


def test_values_take_the_columns_type(passes: Passes) -> None:
    passes("""
    seed:
      teams: {red: {name: 5}}
      people:
        - team: red
          score: 1.50
          tags: [a, "b c", null, 'd"e', "{{ '{' }}"]
          data: {n: 1.10, list: [1, two, null], $$ref: x, deep: {y: true}}
          born: 2000-02-29
          mood: cross
    operations:
      - sql: select score::text, tags, data, born, data->>'n' as digits from people
        expect:
          - score: "1.50"
            tags: [a, b c, null, 'd"e', "{"]
            data: {n: 1.1, list: [1, two, null], $$ref: x, deep: {y: true}}
            born: 2000-02-29
            digits: "1.10"
      - sql: select name from teams
        expect: [{name: "5"}]
    """)


def test_sql_expressions_and_templates(passes: Passes) -> None:
    passes("""
    vars: {color: Red}
    seed:
      teams:
        red: {name: "{{ color }}"}
        sum: {name: {$sql: "'{{ color }}' || -- not a template\\n upper('x')"}}
        one: {name: "{{ 1 + 1 }} and {{ 'x' }}"}
      people:
        - {team_id: "{{ seed.teams.red.id }}", name: "{{ seed.teams[1].name }}", born: "{{ today() }}"}
        - {team_id: "{{ seed.teams[2].id }}", name: "{{ uuid('x') }}", data: ["{{ 1 }}"]}
    operations:
      - sql: select name from teams order by id
        expect: [{name: Red}, {name: "{{ '{{ color }}' }}X"}, {name: 2 and x}]
      - sql: select team_id, name, born = current_date as today, data from people order by id
        expect:
          - {team_id: 1, name: "{{ '{{ color }}' }}X", today: true, data: null}
          - {team_id: 3, name: "{{ uuid('x') }}", today: null, data: [1]}
    """)


def test_rows_from_a_query_are_data_and_come_in_their_tables_turn(passes: Passes) -> None:
    passes("""
    vars: {v: rendered}
    seed:
      codes: {sql: "select gen_random_uuid() as code, id as team_id from teams"}
      teams: {sql: "select '{{ v }}' as name from generate_series(1, 3)"}
    operations:
      - sql: select count(*) as n from codes join teams on teams.id = team_id
        expect: [{n: 3}]
      - sql: select distinct name from teams
        expect: [{name: "{{ '{{ v }}' }}"}]
    """)


def test_rows_from_files(passes: Passes, tmp_path: Path) -> None:
    tmp_path.joinpath("teams.csv").write_text(
        'name,id\n"Red, or ""Rot""",5\n{{ x }},6\n', "utf-8-sig"
    )
    tmp_path.joinpath("more.json").write_text(
        '[{"team_id": 5, "name": "A", "score": 1.10, "data": {"a": [1]}}]'
    )
    passes("""
    seed:
      people: {file: more.json}
      teams: {file: teams.csv}
    operations:
      - sql: select name from teams order by id
        expect: [{name: 'Red, or "Rot"'}, {name: "{{ '{{ x }}' }}"}]
      - sql: select score::text, data from people
        expect: [{score: "1.10", data: {a: [1]}}]
    """)


def test_sequences_move_past_explicit_ids(passes: Passes) -> None:
    passes("""
    seed:
      teams: [{id: 7, name: a}, {name: b}]
      people: [{id: 3, team_id: 7}]
    operations:
      - sql: insert into teams (name) values ('c') returning id
        expect: [{id: 8}]
      - sql: insert into people (team_id, name, email, mood) values (7, 'x', 'y', 'calm') returning id
        expect: [{id: 4}]
    """)


def test_identity_always(passes: Passes) -> None:
    passes("""
    seed: {always: [{id: 5, n: 1}, {n: 2}]}
    operations:
      - sql: select id from always order by n
        expect: [{id: 5}, {id: 1}]
    """)


def test_other_schemas_and_odd_names(passes: Passes) -> None:
    passes("""
    seed: {other.notes: [{id: 1, odd name: x}]}
    operations:
      - sql: select "odd name" as v from other.notes
        expect: [{v: x}]
    expect: {tables: {other.notes: [{odd name: x}]}}
    """)


def test_a_seed_operation(passes: Passes) -> None:
    passes("""
    seed: {teams: {red: {name: Red}}}
    operations:
      - seed:
          people: {ann: {team: red, name: Ann}}
          teams: [{name: Blue}]
        save: {ann: "seed.people[0].id", blue: "seed.teams[0].name"}
      - sql: select :ann::int as id, :blue as name
        params: {ann: "{{ ann }}", blue: "{{ blue }}"}
        expect: [{id: 1, name: Blue}]
      - sql: select :first as first, :second as second
        params: {first: "{{ seed.teams[0].name }}", second: "{{ seed.teams[1].name }}"}
        expect: [{first: Red, second: Blue}]
      - seed: {people: [{team: red, email: email-1}]}
        expect: {error: {condition: unique_violation, constraint: people_email_key}}
      - sql: create table made (id int primary key)
      - seed: {made: [{id: 1}]}
    expect:
      tables: {people: {count: 1}, made: [{id: 1}]}
    """)


def test_deferred_constraints_stay_deferred(passes: Passes) -> None:
    passes("""
    seed: {later: [{id: 1, team_id: null}]}
    operations:
      - sql: insert into later values (2, 99)
      - sql: insert into teams (id, name) values (99, 'x')
    """)


SEEDS = [
    ("{taems: []}", "1:8: there is no table 'taems' (did you mean 'teams'?)"),
    ("{teams: [{nmae: x}]}", "1:18: the table 'teams' has no column 'nmae' (did you mean 'name'?)"),
    (
        "{codes: [{code: x}]}",
        "1:16: PostgreSQL refused this seed: invalid input syntax for type uuid",
    ),
    ("{codes: [{}, {note: long}]}", "1:21: PostgreSQL refused this seed: value too long"),
    ("{teams: [{name: [a]}]}", "1:18: name: a list cannot go into a column of type text"),
    ("{teams: [{name: null}]}", "1:17: PostgreSQL refused this seed: null value in column"),
    ('{teams: [{name: "a\\0"}]}', "1:18: name: PostgreSQL cannot store a NUL character"),
    ("{people: [{name: x}]}", "1:18: people.team_id is a foreign key and NOT NULL"),
    ("{people: [{team: red}]}", "1:19: team: no row of 'teams' is labelled 'red'"),
    ("{people: [{team_id: 99}]}", "1:18: PostgreSQL refused this seed: insert or update on table"),
    ("{games: [{home: x}]}", "1:18: 'home' could be the foreign keys games_home_id_fkey and home"),
    ("{checked: [{kind: a}]}", "1:19: checked.payload is NOT NULL, and no value of type jsonb"),
    ("{checked: [{payload: {}}]}", "1:19: PostgreSQL refused this seed: new row for relation"),
    ("{quiet: [{id: 1}]}", "1:17: the row was not inserted: a trigger or rule"),
    ("{later: [{id: 1, team_id: 99}]}", "1:8: PostgreSQL refused this seed: insert or update"),
    ("{teams: [{id: {$sql: 1 +}}]}", "1:17: PostgreSQL refused this seed: syntax error"),
    ("{teams: {sql: selec}}", "1:15: PostgreSQL refused this seed: syntax error"),
    ("{teams: {sql: create table x ()}}", "1:15: this statement gives no rows"),
    (
        "{teams: {sql: \"select 'a' as name, 'b' as name\"}}",
        "1:15: the rows have two columns named 'name'",
    ),
    ("{teams: {file: nothing.csv}}", "1:16: 'nothing.csv' cannot be read: No such file"),
    (
        "{teams: {x: {name: a}, y: {id: 1}, z: {id: 1}}}",
        "PostgreSQL refused this seed: duplicate key",
    ),
]


@pytest.mark.parametrize(("seed", "problem"), SEEDS)
def test_what_is_refused_and_where(failure: Failure, seed: str, problem: str) -> None:
    text = failure(f"seed: {seed}\noperations: [{{sql: select 1}}]\n")
    place, _, what = problem.partition(": ") if problem[0].isdigit() else ("", "", problem)
    assert what in text
    assert text.startswith(place.split(":")[0])


def test_a_wrong_autofilled_value_names_its_column(failure: Failure) -> None:
    text = failure("seed: {checked: [{payload: {}}]}\noperations: [{sql: select 1}]\n")
    assert "the harness filled in kind; if that is what breaks it, give the value" in text


def test_the_line_of_a_file_is_named(failure: Failure, tmp_path: Path) -> None:
    tmp_path.joinpath("teams.csv").write_text("id,name\n1,a\nx,b\n")
    text = failure("seed: {teams: {file: teams.csv}}\noperations: [{sql: select 1}]\n")
    assert text.startswith(
        "3:1: PostgreSQL refused this seed: invalid input syntax for type integer"
    )


def test_repeated_columns_of_files_are_refused(failure: Failure, tmp_path: Path) -> None:
    tmp_path.joinpath("teams.csv").write_text("name,name\na,b\n")
    tmp_path.joinpath("teams.json").write_text('[{"name": "a", "name": "b"}]')
    for file, what in [("csv", "two columns named 'name'"), ("json", "'name' comes twice")]:
        text = failure(
            f"seed: {{teams: {{file: teams.{file}}}}}\noperations: [{{sql: select 1}}]\n"
        )
        assert what in text


def test_the_second_of_two_rows_is_named(failure: Failure) -> None:
    text = failure("""
    seed:
      teams:
        - {id: 1, name: a}
        - {id: 1, name: b}
    operations: [{sql: select 1}]
    """)
    assert text.startswith("4:7: PostgreSQL refused this seed: duplicate key value")
