"""Whether an index can serve a statement, asked of a real planner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.config import Config
from harness.database.isolation import Isolation
from harness.database.protocol import Database
from harness.database.worker import WorkerPGlite
from harness.results import Mismatch
from harness.running.plans import judge_plan
from harness.running.sql import prepare
from harness.spec.expectations import Plan
from harness.spec.operations import SqlOperation

SCHEMA = """
create table people (
  id integer primary key, org text not null, email text, name text not null, age integer,
  born date, gone boolean not null default false, tags text[] not null default '{}', spot point
);
create unique index people_email on people (email);
create index people_org on people (org);
create index people_org_born on people (org, born);
create index people_lower_name on people (lower(name));
create index people_age on people (age);
create index people_present on people (name) where not gone;
create index people_tags on people using gin (tags);
create index people_spot on people using gist (spot);
create index people_born on people using brin (born);
create index people_spots on people using gist (spot, circle(spot, 1));
create table notes (
  id integer primary key, person_id integer references people, stars integer, body text
);
create index notes_person on notes (person_id);
create index notes_stars on notes (stars);
create table events (id integer not null, day date not null, kind text) partition by range (day);
create table events_old partition of events for values from ('2000-01-01') to ('2026-01-01');
create table events_new partition of events for values from ('2026-01-01') to ('2100-01-01');
create index events_kind on events (kind);
create index events_day on events (day);
create index events_new_id on events_new (id);
create unique index events_key on events (id, day);
create schema other;
create table other.people (id integer primary key, email text, "an.odd (one" integer);
create index odd_column on other.people ("an.odd (one");
create index people_email on other.people (id);
create index "Odd Name" on other.people (email);
create role reader;
grant select on people, notes to reader;
alter table notes enable row level security;
create policy mine on notes using (person_id = 7);
"""

FILLED = """
insert into people (id, org, email, name, age)
  select n, 'org' || n % 3, n || '@example.com', 'name' || n, n % 50 from generate_series(1, 100) n;
insert into notes select n, n, n % 5, 'x' from generate_series(1, 100) n;
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    root = tmp_path_factory.mktemp("plans")
    root.joinpath("schema.sql").write_text(SCHEMA)
    opened = WorkerPGlite(Config(root=root, setup=("schema.sql",)), lambda _message: None)
    yield opened
    opened.replace()


@pytest.fixture
def isolation(database: Database) -> Iterator[Isolation]:
    session, catalog = database.connect()
    isolation = Isolation(session, catalog)
    yield isolation
    isolation.end()


def judge(
    isolation: Isolation, index: str, sql: str, params: dict[str, Any] | None = None
) -> tuple[Mismatch, ...]:
    given = {} if params is None else {"params": params}
    operation = SqlOperation.model_validate({"sql": sql, **given})
    return judge_plan(Plan(index=index), prepare(operation, params), isolation, ("plan",))


def only(mismatches: tuple[Mismatch, ...]) -> Mismatch:
    assert len(mismatches) == 1, mismatches
    return mismatches[0]


SERVED = [
    ("people_pkey", "select * from people where id = 5"),
    ("people_pkey", "select * from people where id = 5;"),
    ("people_pkey", "-- a comment\nselect * from people where id between 1 and 5 -- another"),
    ("people_pkey", "(select * from people where id = 5)"),
    ("people_pkey", "select max(id) from people"),
    ("people_age", "select min(age) from people where org = 'a'"),
    ("people_age", "select count(distinct age) from people"),
    ("people_pkey", "select count(*) from people where id > 3"),
    ("people_age", "select * from people where age in (1, 2, 3)"),
    ("people_lower_name", "select * from people where lower(name) = 'ann'"),
    ("people_lower_name", "select * from people order by lower(name) desc"),
    ("people_present", "select * from people where not gone and org = 'a'"),
    ("people_present", "select name from people where not gone order by name"),
    ("people_tags", "select * from people where tags @> array['a']"),
    ("people_spot", "select * from people order by spot <-> point(1, 2) limit 3"),
    ("people_born", "select * from people where born > '2026-01-01'"),
    ("people_org_born", "select * from people where born > '2026-01-01' and org in ('a', 'b')"),
    ("people_org_born", """select * from people "x.y ""z" where org = 'a'"""),
    ("people_spots", "select * from people where circle(spot, 1) @> circle(point(1, 2), 0)"),
    # in order
    ("people_age", "select * from people order by age"),
    ("people_age", "select * from people order by age desc nulls first limit 10"),
    ("people_age", "select * from people order by age, name"),
    ("people_org_born", "select * from people order by org, born"),
    ("people_age", "select age, count(*) from people group by age"),
    ("people_age", "select distinct age from people"),
    ("people_age", "select distinct age, name from people"),
    ("people_age", "select age, name, count(*) from people group by age, name"),
    ("people_age", "select p.age, n.stars, count(*) from people p, notes n group by p.age, n.stars"),
    ("people_age", "select * from people p, notes n order by p.age, n.stars"),
    ("people_age", "select *, rank() over (order by age) from people"),
    # where the planner likes another index better
    ("people_org", "select * from people where org = 'a' and born = '2026-01-01'"),
    ("people_age", "select * from people where id = 5 and age = 3"),
    ("people_org", "select * from people where org = 'a' order by id"),
    ("people_org_born", "select * from people where org = 'a'"),
    ("people_age", "select * from people where id = 5 order by age"),
    # joins: whichever side the planner would begin with
    ("notes_person", "select * from notes join people on people.id = notes.person_id"),
    ("people_pkey", "select * from notes join people on people.id = notes.person_id"),
    ("notes_person", "select * from people left join notes on people.id = person_id where org = 'a'"),
    ("notes_person", "select * from people p where exists (select from notes where person_id = p.id)"),
    ("notes_person", "select p.*, (select count(*) from notes where person_id = p.id) from people p"),
    ("people_age", "select * from people p join notes on person_id = p.id where stars = 5 order by age"),
    ("people_age", "select age, count(*) from people p join notes on person_id = p.id where stars = 5 group by age"),
    # other statements
    ("people_org", "update people set name = 'x' where org = 'a'"),
    ("people_org", "delete from people where org = 'a'"),
    ("people_org", "insert into notes select id from people where org = 'a'"),
    ("people_org", "insert into notes select id from people where org = 'a' on conflict (id) do nothing"),
    ("people_pkey", "merge into people p using notes n on p.id = n.person_id when matched then delete"),
    ("people_org", "with x as materialized (select * from people where org = 'a') select * from x"),
    ("people_org", "with x as (delete from people where org = 'a' returning *) select count(*) from x"),
    ("people_org", "create table copied as select * from people where org = 'a'"),
    # partitions
    ("events_kind", "select * from events where kind = 'a'"),
    ("events_kind", "select * from events where kind = 'a' and day = '2026-05-05'"),
    ("events_kind", "select * from events order by kind"),
    ("events_new_id", "select * from events where id = 5"),
    ("events_key", "select * from events where id = 5"),
    ("events_kind", "insert into events select * from events where kind = 'a' on conflict (id, day) do nothing"),
    # names
    ("public.people_email", "select * from people where email = 'a'"),
    ("other.people_email", "select * from other.people where id = 5"),
    ("other.odd_column", """select * from other.people where "an.odd (one" = 5"""),
    ("other.Odd Name", "select * from other.people where email = 'a'"),
]  # fmt: skip

UNSERVED = [
    ("people_pkey", "select count(*) from people"),
    ("people_pkey", "select * from people where id + 0 = 5"),
    ("people_pkey", "select id from people where id + 0 = 5"),
    ("people_pkey", "select id from people limit 5"),
    ("people_age", "select * from people where name = 'ann' and age + 0 = 3"),
    ("people_age", "select age from people where age::text = '3'"),
    ("people_lower_name", "select * from people where upper(name) = 'ANN'"),
    ("people_lower_name", "select * from people order by name"),
    ("people_present", "select * from people where name = 'ann'"),
    ("people_present", "select * from people where gone order by name"),
    ("people_born", "select * from people order by born"),
    ("people_org_born", "select * from people where born = '2026-01-01'"),
    ("people_org_born", "select * from people p join people q on p.born = q.born where p.id = 5"),
    ("people_spot", "select count(*) from people"),
    ("people_spots", "select spot from people where name = 'ann'"),
    ("people_age", "select * from people order by org"),
    ("people_age", "select * from people order by age + 0"),
    ("people_age", "select * from people order by name, age"),
    ("people_org_born", "select * from people order by born"),
    ("people_age", "select org, count(*) from people group by org"),
    ("people_age", "select distinct org from people"),
    ("people_org_born", "select org from people where id = 5 union select 'a'"),
    ("notes_stars", "select * from notes join people on people.id = notes.person_id"),
    ("notes_stars", "select * from notes join people on people.id = person_id order by people.id"),
    ("notes_stars", "select person_id, count(*) from notes group by person_id"),
    ("people_age", "select org from people group by org order by org"),
    ("people_age", "select max(id) from people"),
    ("people_age", "select max(age + 0) from people"),
    ("people_age", "select sum(age), count(distinct org) from people"),
    ("people_pkey", "update people set name = 'x'"),
    ("people_pkey", "insert into people (id, org, name) values (1000, 'a', 'x')"),
    ("events_kind", "select count(*) from events"),
    ("events_kind", "select * from events where kind || '' = 'a'"),
]  # fmt: skip


@pytest.mark.parametrize("filled", ["", FILLED], ids=["empty", "filled"])
@pytest.mark.parametrize(("index", "sql"), SERVED)
def test_an_index_that_can_serve(isolation: Isolation, index: str, sql: str, filled: str) -> None:
    isolation.run(filled)
    assert judge(isolation, index, sql) == ()


@pytest.mark.parametrize("filled", ["", FILLED], ids=["empty", "filled"])
@pytest.mark.parametrize(("index", "sql"), UNSERVED)
def test_an_index_that_cannot(isolation: Isolation, index: str, sql: str, filled: str) -> None:
    isolation.run(filled)
    mismatch = only(judge(isolation, index, sql))
    assert mismatch.path == ("plan", "index")
    assert mismatch.reason == (
        f"the index {index} serves neither a condition nor an order of the statement"
    )


def test_parameters_are_bound_as_in_the_statement(isolation: Isolation) -> None:
    sql = "select * from people where lower(name) = :name and age = any(:ages) limit :limit"
    params = {"name": "ann", "ages": [1, 2], "limit": 3}
    assert judge(isolation, "people_lower_name", sql, params) == ()
    assert judge(isolation, "people_age", sql, params) == ()
    mismatch = only(judge(isolation, "people_org", sql, params))
    assert "'ann'::text" in (mismatch.actual or "")


def test_a_failure_shows_the_plan(isolation: Isolation) -> None:
    mismatch = only(
        judge(isolation, "people_age", "select * from people where email = 'a' order by name")
    )
    assert mismatch.actual == (
        "Sort\n"
        "    Sort Key: people.name\n"
        "  Index Scan using people_email on people\n"
        "      Index Cond: (people.email = 'a'::text)"
    )


def test_an_unknown_index(isolation: Isolation) -> None:
    mismatch = only(judge(isolation, "people_emial", "select 1"))
    assert mismatch.path == ("plan", "index")
    assert mismatch.reason == "there is no index 'people_emial'"
    assert mismatch.hint == "did you mean 'people_email'?"
    assert only(judge(isolation, "Odd Name", "select 1")).reason == "there is no index 'Odd Name'"
    assert only(judge(isolation, "people", "select 1")).reason == "there is no index 'people'"


def test_the_index_of_another_table(isolation: Isolation) -> None:
    for index, table in {
        "notes_person": "notes",
        "other.people_email": "people",  # not the one that the statement reads
        "events_kind": "events and events_new and events_old",
    }.items():
        mismatch = only(judge(isolation, index, "select * from people where id = 5"))
        assert mismatch.reason == (
            f"the statement does not read {table}, which the index {index} is on"
        )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 1; delete from people", "cannot insert multiple commands into a prepared statement"),
        ("select 1; commit", "cannot insert multiple commands into a prepared statement"),
        ("create index x on people (age)", 'syntax error at or near "index"'),
        ("analyze people", 'syntax error at or near "analyze"'),
        ("analyze select 1", 'syntax error at or near "analyze"'),
        ("call nothing()", 'syntax error at or near "call"'),
        ("commit", 'syntax error at or near "commit"'),
        ("-- nothing", "syntax error at end of input"),
    ],
)  # fmt: skip
def test_a_statement_without_a_plan(isolation: Isolation, sql: str, message: str) -> None:
    isolation.run(FILLED)
    mismatch = only(judge(isolation, "people_age", sql))
    assert mismatch.path == ("plan",)
    assert mismatch.hint is not None
    assert mismatch.reason.startswith("the statement cannot be explained: ")
    assert mismatch.reason.endswith(message)
    assert isolation.run("select count(*) from people")[0].rows == (("100",),)


def test_indexes_of_this_transaction_and_of_temporary_tables(isolation: Isolation) -> None:
    isolation.run(
        "create temp table mine (a int, b int); create index mine_a on mine (a);"
        "create index mine_b on mine (b); create index people_name on people (name)"
    )
    assert judge(isolation, "mine_a", "select * from mine where a = 1 and b = 2") == ()
    assert judge(isolation, "mine_b", "select * from mine where a = 1 and b = 2") == ()
    assert judge(isolation, "mine_b", "select * from mine where a = 1") != ()
    assert judge(isolation, "people_name", "select * from people where name = 'x'") == ()


def test_the_role_in_force_plans(isolation: Isolation) -> None:
    sql = "select * from notes"
    assert judge(isolation, "notes_person", sql) != ()
    assert judge(isolation, "notes_person", "select * from notes where id = 5") != ()
    isolation.run("set local role reader")
    assert judge(isolation, "notes_person", sql) == ()  # its policy is a condition
    assert judge(isolation, "notes_person", "select * from notes where id = 5") == ()
    mismatch = only(judge(isolation, "people_age", "delete from people where age = 3"))
    assert mismatch.reason == (
        "the statement cannot be explained: permission denied for table people"
    )
    assert mismatch.hint is None
    assert isolation.run("select current_user")[0].rows == (("reader",),)


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ("set local session authorization reader", "permission denied for table pg_class"),
        ("set transaction read only", "cannot execute UPDATE in a read-only transaction"),
    ],
)
def test_where_no_index_can_be_hidden(isolation: Isolation, limit: str, why: str) -> None:
    isolation.run(limit)
    assert judge(isolation, "people_age", "select * from people where age = 3") == ()
    mismatch = only(judge(isolation, "people_age", "select * from people order by age"))
    assert (mismatch.hint or "").endswith(why)


STATE = """
select json_agg(i order by indexrelid)::text from pg_index i
union all select json_agg(c order by oid)::text from pg_class c
union all select json_agg(s order by name)::text from pg_settings s
union all select current_user || coalesce(current_setting('role'), '')
union all select count(*)::text from people
union all select count(*)::text from pg_locks where mode = 'AccessExclusiveLock'
"""
PREFERS = "explain (costs off) select * from people where id = 5 and age = 3"


@pytest.mark.parametrize("role", ["", "set local role reader"])
def test_nothing_is_changed(isolation: Isolation, role: str) -> None:
    isolation.run(FILLED)
    isolation.run("set local enable_seqscan = off; set local enable_sort = on;" + role)
    before, plan = isolation.run(STATE)[0].rows, isolation.run(PREFERS)[0].rows
    judge(isolation, "people_age", "select * from people where id = 5 and age = 3")
    judge(isolation, "people_age", "select * from people order by org")
    judge(isolation, "people_age", "delete from people where age = 3")
    judge(isolation, "people_age", "delete from people; select 1")
    judge(isolation, "people_age", "truncate people")
    assert isolation.run(STATE)[0].rows == before
    assert isolation.run(PREFERS)[0].rows == plan


def test_the_statement_is_not_executed(isolation: Isolation) -> None:
    isolation.run("create temp sequence calls; " + FILLED)
    sql = "delete from people where age = 3 and nextval('calls') > 0 returning 1 / (id - id)"
    assert judge(isolation, "people_age", sql) == ()
    assert isolation.run("select is_called from calls")[0].rows == (("f",),)


def test_savepoints_of_the_spec_stay(isolation: Isolation) -> None:
    isolation.run("savepoint mine; " + FILLED)
    judge(isolation, "people_age", "select * from people order by age")
    judge(isolation, "people_age", "commit")
    isolation.run("rollback to savepoint mine")
    assert isolation.run("select count(*) from people")[0].rows == (("0",),)


def test_a_lost_connection_is_no_mismatch(database: Database) -> None:
    session, catalog = database.connect()
    isolation = Isolation(session, catalog)
    isolation.run("select 1")
    database.kill()
    with pytest.raises(psycopg.OperationalError):
        judge(isolation, "people_age", "select 1")
    database.replace()
