"""Actors on a real transaction: what they may see, what is refused, and what is left of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.database.catalog import read_catalog
from harness.database.isolation import EscapedTransactionError, Isolation
from harness.database.protocol import Database
from harness.database.session import Reply
from harness.errors import SpecError
from harness.running.actors import Actors
from harness.running.catalogs import Catalogs
from harness.spec.actors import Actor

BEGINNING = """
create role app_user;
create role reader;
create role owner_role;
create role heir in role owner_role;
create role boss superuser;
create role passer bypassrls;
create role "it's ""odd"" \\";
create table notes (id integer, organization_id text);
insert into notes values (1, 'acme'), (2, 'acme'), (3, 'globex');
alter table notes enable row level security;
create policy own_organization on notes using (
  organization_id = current_setting('request.jwt.claims', true)::json->>'organization_id');
grant select, insert on notes to app_user, reader;
create table secrets (id integer);
alter table secrets owner to owner_role;
"""

STATE = """
select current_user, session_user, current_setting('role'),
  current_setting('request.jwt.claims', true), current_setting('app.tenant', true),
  current_setting('work_mem'), current_setting('DateStyle'), current_setting('search_path')
"""


def _isolation(database: Database) -> Isolation:
    session, catalog = database.connect()
    return Isolation(session, catalog)


def _actors(database: Database, isolation: Isolation, db_role: str | None = None) -> Actors:
    _, catalog = database.connect()
    catalogs = Catalogs(catalog, lambda: read_catalog(isolation.read))
    return Actors(isolation, catalogs, db_role)


@pytest.fixture
def isolation(database: Database) -> Iterator[Isolation]:
    begun = _isolation(database)
    begun.run(BEGINNING)
    # Settings of a spec's own are empty when they have been there before, in whatever test.
    begun.run(
        "select set_config(n, '', true) from unnest('{request.jwt.claims,app.tenant}'::text[]) n"
    )
    yield begun
    begun.end()


@pytest.fixture
def actors(database: Database, isolation: Isolation) -> Actors:
    return _actors(database, isolation)


@pytest.fixture
def fresh(database: Database) -> Database:
    """Where PostgreSQL does not count in what earlier transactions have changed."""
    database.connect()[0].run("select pg_stat_force_next_flush()")
    return database


@pytest.fixture
def messages(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent from here on."""
    session, _ = database.connect()
    sent: list[str] = []
    run = session.run

    def spying(script: str) -> list[Reply]:
        sent.append(script)
        return run(script)

    monkeypatch.setattr(session, "run", spying)
    return sent


def actor(**keys: Any) -> Actor:
    return Actor.model_validate({key: value for key, value in keys.items() if value is not None})


def value(isolation: Isolation, sql: str) -> str | None:
    return isolation.run(sql)[-1].rows[0][0]


def refusal(actors: Actors, given: Actor | None) -> str:
    """Why an actor may not even begin."""
    with pytest.raises(SpecError) as refused, actors.acting(given):
        pytest.fail("it began")
    return str(refused.value)


MEMBER = actor(db_role="app_user", claims={"organization_id": "acme"})


# -- what holds inside


@pytest.mark.parametrize(("organization", "count"), [("acme", "2"), ("globex", "1"), ("x", "0")])
def test_policies_apply(
    actors: Actors, isolation: Isolation, organization: str, count: str
) -> None:
    with actors.acting(actor(db_role="app_user", claims={"organization_id": organization})):
        assert value(isolation, "select count(*) from notes") == count
    assert value(isolation, "select count(*) from notes") == "3"


def test_a_policy_refuses_what_it_does_not_allow(actors: Actors, isolation: Isolation) -> None:
    with (
        actors.acting(MEMBER),
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        isolation.undone_on_error(),
    ):
        isolation.run("insert into notes values (4, 'globex')")
    assert value(isolation, "select current_user") == "postgres"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ('it\'s \\ "odd"; $1 %s --', 'it\'s \\ "odd"; $1 %s --'),
        (7, "7"),
        (True, "true"),
        (None, ""),
        ({"a": [1, {"b": "it's"}], "c": None}, '{"a":[1,{"b":"it\'s"}],"c":null}'),
        ([1, "two", None], '[1,"two",null]'),
    ],
)
def test_values_of_settings(actors: Actors, isolation: Isolation, given: Any, text: str) -> None:
    with actors.acting(actor(db_role="app_user", settings={"app.tenant": given})):
        assert value(isolation, "select current_setting('app.tenant')") == text


def test_claims_are_json_whatever_is_in_them(actors: Actors, isolation: Isolation) -> None:
    claims = {"o'": "'; drop table notes; -- \\ \"", "roles": ["a", {"b": None}], "n": 1}
    with actors.acting(actor(db_role="app_user", claims=claims)):
        same = value(
            isolation,
            "select current_setting('request.jwt.claims')::jsonb = jsonb_build_object('o''',"
            """ E'\\'; drop table notes; -- \\\\ "', 'roles', '["a", {"b": null}]'::jsonb, 'n', 1)""",
        )
    assert same == "t"


def test_empty_claims_are_claims(actors: Actors, isolation: Isolation) -> None:
    with actors.acting(actor(db_role="app_user", claims={})):
        assert value(isolation, "select current_setting('request.jwt.claims')") == "{}"


def test_names_of_roles_are_exact(actors: Actors, isolation: Isolation) -> None:
    odd = 'it\'s "odd" \\'
    with actors.acting(actor(db_role=odd)):
        assert value(isolation, "select current_user") == odd
    said = refusal(actors, actor(db_role="App_User"))
    assert "the actor's db_role 'App_User' does not exist" in said
    assert "did you mean 'app_user'?" in said


def test_settings_are_given_by_the_connections_own_role(
    actors: Actors, isolation: Isolation
) -> None:
    isolation.run("set local role reader")
    given = actor(db_role="app_user", settings={"session_replication_role": "replica"})
    with actors.acting(given):
        assert value(isolation, "show session_replication_role") == "replica"
        assert value(isolation, "select current_user") == "app_user"
    assert value(isolation, "show session_replication_role") == "origin"
    assert value(isolation, "select current_user") == "reader"


def test_the_configured_role_is_for_actors_that_name_none(
    database: Database, isolation: Isolation
) -> None:
    actors = _actors(database, isolation, "app_user")
    for given in (None, actor(), actor(claims={"organization_id": "x"})):
        with actors.acting(given):
            assert value(isolation, "select current_user") == "app_user"
    with actors.acting(actor(db_role="reader")):
        assert value(isolation, "select current_user") == "reader"
    assert value(isolation, "select current_user") == "postgres"


# -- what is left


DIRTY = actor(
    db_role="app_user",
    claims={"organization_id": "acme"},
    settings={
        "app.tenant": {"id": 1},
        "work_mem": "9MB",
        "datestyle": "German",
        "search_path": "pg_temp",
    },
)


@pytest.mark.parametrize(
    "before",
    [
        "select",
        "set local role reader",
        "set local session authorization reader; set local role none",
        "set local app.tenant = 'it''s'; set local work_mem = '5MB'; set local role reader",
        'set local role "it\'s ""odd"" \\"; set local search_path = "a ""b""", public',
    ],
)
@pytest.mark.parametrize(
    "within",
    [
        "select",
        "savepoint mine; release mine",
        "set local app.tenant = 'y'; set local work_mem = '7MB'",
    ],
)
def test_afterwards_all_is_as_before(
    actors: Actors, isolation: Isolation, before: str, within: str
) -> None:
    isolation.run("grant app_user to reader")
    isolation.run(before)
    state = isolation.run(STATE)[0].rows
    with actors.acting(DIRTY):
        assert value(isolation, "select current_user") == "app_user"
        isolation.run(within)
    assert isolation.run(STATE)[0].rows == state


def test_after_an_error_all_is_as_before(actors: Actors, isolation: Isolation) -> None:
    isolation.run("set local role reader; set local app.tenant = 'x'")
    before = isolation.run(STATE)[0].rows
    with pytest.raises(ZeroDivisionError), actors.acting(DIRTY):
        _ = 1 / 0
    assert isolation.run(STATE)[0].rows == before
    with (
        pytest.raises(psycopg.errors.DivisionByZero),
        actors.acting(DIRTY),
        isolation.undone_on_error(),
    ):
        isolation.run("select 1/0")
    assert isolation.run(STATE)[0].rows == before


def test_an_undone_operation_goes_on_as_its_actor(actors: Actors, isolation: Isolation) -> None:
    with actors.acting(MEMBER):
        with pytest.raises(psycopg.errors.DivisionByZero), isolation.undone_on_error():
            isolation.run("reset role; select 1/0")
        assert value(isolation, "select count(*) from notes") == "2"


def test_the_first_error_is_told_and_a_failed_transaction_is_left(
    actors: Actors, isolation: Isolation
) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), actors.acting(MEMBER):
        isolation.run("select 1/0")
    assert not isolation.usable


def test_a_failed_transaction_is_left_without_an_error_too(
    actors: Actors, isolation: Isolation, messages: list[str]
) -> None:
    with actors.acting(MEMBER):
        with pytest.raises(psycopg.errors.DivisionByZero):
            isolation.run("select 1/0")
        messages.clear()
    assert messages == []


def test_an_error_hides_that_the_role_has_changed(actors: Actors, isolation: Isolation) -> None:
    with pytest.raises(ZeroDivisionError), actors.acting(MEMBER):  # noqa: PT012 - in this order
        isolation.run("reset role")
        _ = 1 / 0
    assert value(isolation, "select current_user") == "postgres"


@pytest.mark.parametrize("script", ["rollback", "rollback; begin", "commit and chain"])
def test_a_transaction_that_was_ended_is_left(database: Database, script: str) -> None:
    isolation = _isolation(database)
    isolation.run("create role app_user")
    with (  # noqa: PT012 - at once, or at the end
        pytest.raises(EscapedTransactionError),
        _actors(database, isolation).acting(actor(db_role="app_user", bypass=True)),
    ):
        isolation.run(script)
        isolation.end()
    database.replace()


def test_a_lost_connection_is_left(database: Database) -> None:
    isolation = _isolation(database)
    isolation.run("create role app_user")
    with (  # noqa: PT012 - in this order
        pytest.raises(psycopg.OperationalError),
        _actors(database, isolation, "app_user").acting(None),
    ):
        database.kill()
        isolation.run("select 1")
    assert isolation.lost
    database.replace()


def test_a_setting_that_cannot_be_put_back_is_an_error(
    actors: Actors, isolation: Isolation
) -> None:
    given = actor(db_role="app_user", settings={"seed": 0.5})  # what it was, nobody can read
    with (
        pytest.raises(SpecError, match=r'put back what was before this actor: .*"seed"'),
        actors.acting(given),
    ):
        isolation.run("select 1")


# -- how much is sent


def test_nobody_costs_nothing(actors: Actors, messages: list[str]) -> None:
    for given in (None, actor(), actor(headers={"x": "y"}, name="Ann", bypass=True)):
        messages.clear()
        with actors.acting(given):
            pass
        assert messages == []


def test_one_message_before_and_one_after(fresh: Database, messages: list[str]) -> None:
    isolation = _isolation(fresh)
    actors = _actors(fresh, isolation)
    isolation.run("insert into codes values (gen_random_uuid())")
    for _ in range(2):
        messages.clear()
        with actors.acting(actor(db_role="somebody", claims={}, settings={"app.tenant": "b"})):
            assert len(messages) == 1
        assert len(messages) == 2
    isolation.end()


def test_one_message_more_after_roles_or_tables_have_changed(
    actors: Actors, messages: list[str]
) -> None:
    with actors.acting(MEMBER):
        assert len(messages) == 2
    assert len(messages) == 3


# -- what is refused


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (actor(claims={}), "the actor has claims, but there is no role to run under"),
        (
            actor(settings={"app.tenant": 1}),
            "the actor has settings, but there is no role to run under",
        ),
        (actor(db_role="app_usr"), "the actor's db_role 'app_usr' does not exist"),
        (actor(db_role="app_usr", bypass=True), "the actor's db_role 'app_usr' does not exist"),
        (actor(db_role="none"), "the actor's db_role 'none' does not exist"),
        (actor(db_role=""), "the actor's db_role '' does not exist"),
        (actor(db_role="x" * 80), "does not exist"),
        (actor(db_role="boss"), "the actor's db_role 'boss' is a superuser: no policy binds it"),
        (actor(db_role="postgres"), "'postgres' is a superuser"),
        (actor(db_role="passer"), "the actor's db_role 'passer' has BYPASSRLS"),
        (actor(db_role="app_user", settings={"Role": "boss"}), "Role is no setting of an actor"),
        (
            actor(db_role="app_user", settings={"session_authorization": "boss"}),
            "name the role as `db_role`",
        ),
        (
            actor(db_role="app_user", claims={}, settings={"Request.jwt.claims": "{}"}),
            "the actor has both claims and a setting Request.jwt.claims",
        ),
        (
            actor(db_role="app_user", settings={"wrk_mem": 1}),
            'PostgreSQL refuses this actor: unrecognized configuration parameter "wrk_mem"',
        ),
        (
            actor(db_role="app_user", settings={"max_connections": 1}),
            'parameter "max_connections" cannot be changed without restarting the server',
        ),
        (
            actor(db_role="app_user", settings={"work_mem": "much"}),
            'invalid value for parameter "work_mem": "much"',
        ),
        (actor(db_role="app_user", settings={"a b.c'": 1}), "invalid configuration parameter name"),
        (actor(db_role="app_user", settings={"app.a": "\ud800"}), "app.a cannot be set"),
        (actor(db_role="app_user", settings={"app.a": "\0"}), "app.a cannot be set: PostgreSQL"),
        (actor(db_role="app_user", settings={"client_encoding": "latin1"}), "leave it: PostgreSQL"),
        (
            actor(db_role="app_user", settings={"transaction_read_only": True}),
            "transaction_read_only is no setting of an actor",
        ),
        (actor(db_role="a\0b"), "db_role cannot be set: PostgreSQL"),
        (actor(db_role="app_user", claims={"n": float("nan")}), "claims cannot be set"),
    ],
)
def test_what_is_refused(actors: Actors, isolation: Isolation, given: Actor, said: str) -> None:
    isolation.run("set local role reader; set local app.tenant = 'x'")
    before = isolation.run(STATE)[0].rows
    assert said in refusal(actors, given)
    assert isolation.run(STATE)[0].rows == before


def test_the_configured_role_is_guarded_too(database: Database, isolation: Isolation) -> None:
    said = refusal(_actors(database, isolation, "boss"), None)
    assert "the configured db_role 'boss' is a superuser" in said
    said = refusal(_actors(database, isolation, "nobody"), actor(claims={}))
    assert "the configured db_role 'nobody' does not exist" in said


@pytest.mark.parametrize("role", ["owner_role", "heir"])
def test_an_owner_is_refused_unless_policies_are_forced(
    actors: Actors, isolation: Isolation, role: str
) -> None:
    given = actor(db_role=role)
    with actors.acting(given):
        pass  # there is no row-level security on what it owns
    isolation.run("alter table secrets enable row level security")
    said = refusal(actors, given)
    assert f"the actor's db_role '{role}' has the rights of the owner of secrets" in said
    assert "FORCE ROW LEVEL SECURITY" in said
    isolation.run("alter table secrets force row level security")
    with actors.acting(given):
        pass


def test_an_heir_that_does_not_inherit_is_no_owner(actors: Actors, isolation: Isolation) -> None:
    isolation.run("alter table secrets enable row level security")
    isolation.run("grant owner_role to app_user with inherit false")
    with actors.acting(actor(db_role="app_user")):
        assert value(isolation, "select row_security_active('secrets')") == "t"


def test_what_a_spec_changes_of_a_role_is_seen(actors: Actors, isolation: Isolation) -> None:
    isolation.run("do $$ begin create role late; end $$")  # no command tag tells
    with actors.acting(actor(db_role="late")):
        assert value(isolation, "select current_user") == "late"
    isolation.run("do $$ begin alter role late bypassrls; end $$")
    assert "has BYPASSRLS" in refusal(actors, actor(db_role="late"))


def test_what_the_database_was_built_with_needs_no_look(fresh: Database) -> None:
    isolation = _isolation(fresh)
    isolation.run("select 1")
    assert "'postgres' is a superuser" in refusal(
        _actors(fresh, isolation), actor(db_role="postgres")
    )
    isolation.end()


def test_what_a_spec_takes_back_is_seen(actors: Actors, isolation: Isolation) -> None:
    isolation.run("alter table secrets enable row level security; savepoint mine")
    isolation.run("alter table secrets force row level security")
    with actors.acting(actor(db_role="owner_role")):
        pass
    isolation.run("rollback to savepoint mine")
    assert "the owner of secrets" in refusal(actors, actor(db_role="owner_role"))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("do $$ begin alter role somebody superuser; end $$", "is a superuser"),
        ("set local track_counts = off; alter role somebody bypassrls", "has BYPASSRLS"),
        (
            "alter table codes enable row level security; alter table codes owner to somebody",
            "has the rights of the owner of codes",
        ),
    ],
)
def test_what_a_spec_changes_of_the_databases_own_is_seen(
    fresh: Database, script: str, said: str
) -> None:
    isolation = _isolation(fresh)
    isolation.run(script)
    assert said in refusal(_actors(fresh, isolation), actor(db_role="somebody"))
    isolation.end()


def test_a_role_that_the_connection_may_not_become(actors: Actors, isolation: Isolation) -> None:
    isolation.run("set local session authorization reader")
    said = refusal(actors, actor(db_role="app_user"))
    assert 'PostgreSQL refuses this actor: permission denied to set role "app_user"' in said
    assert value(isolation, "select current_user") == "reader"


@pytest.mark.parametrize(
    ("script", "ended_as"),
    [
        ("reset role", "postgres"),
        ("set local role reader", "reader"),
        ("set session authorization reader", "reader"),
        ("rollback to savepoint earlier", "postgres"),
        ("select set_config('role', 'reader', false)", "reader"),
    ],
)
def test_a_role_that_changes(
    actors: Actors, isolation: Isolation, script: str, ended_as: str
) -> None:
    isolation.run("savepoint earlier")
    before = isolation.run(STATE)[0].rows
    said = re.escape(f"the operation began as role 'app_user' and ended as '{ended_as}'")
    with pytest.raises(SpecError, match=said), actors.acting(MEMBER):
        isolation.run(script)
    assert isolation.run(STATE)[0].rows == before
    with actors.acting(MEMBER.model_copy(update={"bypass": True})):
        isolation.run(script)
    assert isolation.run(STATE)[0].rows == before


@pytest.mark.parametrize("role", ["boss", "passer", "owner_role", None])
def test_bypass_says_that_it_is_meant(
    actors: Actors, isolation: Isolation, role: str | None
) -> None:
    isolation.run("alter table secrets enable row level security")
    with actors.acting(actor(db_role=role, claims={"sub": "u"}, bypass=True)):
        assert value(isolation, "select current_user") == (role or "postgres")
        assert value(isolation, "select current_setting('request.jwt.claims')") == '{"sub":"u"}'
    assert value(isolation, "select current_setting('request.jwt.claims')") == ""


def test_without_a_role_what_the_spec_has_set_holds(actors: Actors, isolation: Isolation) -> None:
    isolation.run("set local role reader")
    with actors.acting(actor(claims={"organization_id": "acme"}, bypass=True)):
        assert value(isolation, "select count(*) from notes") == "2"
    assert value(isolation, "select current_user") == "reader"
    with actors.acting(None):
        isolation.run("set local role app_user")
    assert value(isolation, "select current_user") == "app_user"


def test_going_back_to_a_savepoint_brings_no_actor_back(
    actors: Actors, isolation: Isolation
) -> None:
    with (
        pytest.raises(SpecError, match="leaves a savepoint"),
        actors.acting(actor(db_role="app_user")),
    ):
        isolation.run("savepoint mine")
    assert value(isolation, "select current_user") == "postgres"
