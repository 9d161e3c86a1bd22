"""`changes`: the net difference of the whole database, on operations and on specs."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

import pytest

from harness.database.protocol import Database
from harness.database.session import Reply, Session
from harness.results import SpecResult

Passes = Callable[[str], None]
Failure = Callable[[str], str]

SEED = """\
seed:
  accounts:
    - {id: 1, owner: Ann, balance: 10}
    - {id: 2, owner: Bob, balance: 20}
  entries: [{id: 1, account_id: 1, amount: 5}, {id: 2, account_id: 1, amount: 5}]
"""


def spec(sql: str, changes: str) -> str:
    """A spec of one statement and what it changes in all."""
    statement = indent(sql, "      ")
    return f"{SEED}operations:\n  - sql: |\n{statement}\nexpect:\n  changes: {changes}\n"


def operation(sql: str, changes: str) -> str:
    """The same, expected of the operation."""
    statement = indent(sql, "      ")
    return f"{SEED}operations:\n  - sql: |\n{statement}\n    expect:\n      changes: {changes}\n"


HOLDS = [
    ("select 1", "{}"),
    ("insert into accounts values (3, 'Cid')", "{accounts: {inserted: 1}}"),
    ("insert into accounts values (3, 'Cid')", "{public.accounts: {inserted: 1}}"),
    ("insert into side.accounts values (3)", "{side.accounts: {inserted: 1}}"),
    (
        "insert into accounts values (3, 'Cid')",
        "{accounts: {inserted: [{id: 3, owner: Cid, balance: 0}]}}",
    ),
    (
        "insert into accounts values (3, 'Cid')",
        "{accounts: {inserted: [{balance: {$gte: 0}}], updated: [], deleted: []}}",
    ),
    # an update to the value that was there is none
    ("update accounts set owner = owner, balance = 10 where id = 1", "{}"),
    (
        "update accounts set balance = 11 where id = 1; update accounts set balance = 10 where id = 1",
        "{}",
    ),
    ("update accounts set balance = 0", "{accounts: {updated: 2}}"),
    (
        "update accounts set balance = 0 where id = 2",
        "{accounts: {updated: [{id: 2, balance: 0}]}}",
    ),
    # a key that moves is another row
    (
        "update accounts set id = 7 where id = 2",
        "{accounts: {inserted: [{id: 7}], deleted: [{id: 2}]}}",
    ),
    ("delete from accounts where id = 2; insert into accounts values (2, 'Bob', 20)", "{}"),
    (
        "delete from accounts where id = 2; insert into accounts values (2, 'Bob', 21)",
        "{accounts: {updated: 1}}",
    ),
    # triggers and cascades count
    (
        "insert into entries (account_id, amount) values (2, 1)",
        "{entries: {inserted: 1}, journal: {inserted: [{what: INSERT entries}]}}",
    ),
    (
        "delete from accounts where id = 1",
        "{accounts: {deleted: 1}, entries: {deleted: 2}, journal: {inserted: 2}}",
    ),
    (
        "insert into entries (account_id, amount) values (2, 1)",
        "{entries: {inserted: 1}, ignore: [journal]}",
    ),
    # TRUNCATE is deletion, and no trigger tells
    ("truncate entries", "{entries: {deleted: 2}}"),
    (
        "truncate accounts cascade",
        "{accounts: {deleted: [{id: 2}, {id: 1}]}, entries: {deleted: 2}}",
    ),
    # what was rolled back did not happen
    ("savepoint a; delete from entries; rollback to a", "{}"),
    ("do $$ begin delete from entries; raise 'no'; exception when others then null; end $$", "{}"),
    # partitions count for their root, a move between them is none
    (
        "insert into logs values (1, '2025-05-05', 'a'), (1, '2026-05-05', 'b')",
        "{logs: {inserted: 2}}",
    ),
    ("insert into logs_2025 values (1, '2025-05-05', 'a')", "{logs: {inserted: [{text: a}]}}"),
    # without a key rows are a multiset
    ("insert into journal (what) values ('x'), ('x'), ('y')", "{journal: {inserted: 3}}"),
    ("insert into journal (what) values ('x'), ('x'); delete from journal where what = 'x'", "{}"),
    (
        "insert into scratch values (null), ('')",
        "{scratch: {inserted: [{note: ''}, {note: null}]}}",
    ),
    # keys of several columns, whatever they are called and hold
    (
        """insert into "Odd ""Name\"\"" values ('a,"(b)\\', 1, ' "x" '), ('a', 2, null)""",
        """{'Odd "Name"': {inserted: [{'the "key"': 'a,"(b)\\', 'b,c': 1, value: ' "x" '}, {value: null}]}}""",
    ),
    # children of inheritance are tables of their own
    ("insert into derived values (1, 'a', 'b')", "{derived: {inserted: [{name: a, extra: b}]}}"),
    ("insert into base values (1, 'a')", "{base: {inserted: 1}}"),
    # materialized views and temporary tables are left out
    ("refresh materialized view totals", "{}"),
    ("create temporary table t as select 1 as a", "{}"),
    # what the spec itself makes and drops
    (
        "create table made (id int primary key); insert into made values (1), (2)",
        "{made: {inserted: 2}}",
    ),
    (
        "do $$ begin create table made (id int); insert into made values (1); end $$",
        "{made: {inserted: [{id: 1}]}}",
    ),
    ("drop table entries cascade", "{entries: {deleted: 2}}"),
    ("do $$ begin drop table entries cascade; end $$", "{entries: {deleted: [{id: 1}, {id: 2}]}}"),
    (
        "do $$ begin alter table base add column more int default 3; insert into base values (1, 'a'); end $$",
        "{base: {inserted: [{more: 3}]}}",
    ),
    # the spec's own role and settings do not matter
    ("set local role somebody", "{}"),
    (
        "update accounts set balance = 1 where id = 1; set local role somebody",
        "{accounts: {updated: 1}}",
    ),
    ("set session authorization somebody", "{}"),
    (
        "update accounts set owner = 'ann' where id = 1; set local extra_float_digits = 0",
        "{accounts: {updated: 1}}",
    ),
]

FAILS = [
    (
        "insert into accounts values (3, 'Cid')",
        "{}",
        "accounts has changed, and is not named: 1 row inserted",
    ),
    (
        "update accounts set balance = 0",
        "{}",
        "accounts has changed, and is not named: 2 rows updated",
    ),
    ("truncate entries", "{}", "entries has changed, and is not named: 2 rows deleted"),
    (
        "delete from accounts where id = 1",
        "{accounts: {deleted: 1}, entries: {deleted: 2}}",
        "journal has changed, and is not named: 2 rows inserted",
    ),
    ("select 1", "{accounts: {inserted: 1}}", "rows inserted into accounts: 1 expected, 0 found"),
    (
        "select 1",
        "{accounts: {inserted: {$gte: 1}}}",
        "rows inserted into accounts: >= 1 expected, 0 found",
    ),
    (
        "select 1",
        "{accounts: {updated: [{id: 1}]}}",
        "rows updated in accounts: 1 expected, none found; row 1 has no counterpart",
    ),
    # a count that is left out is zero
    (
        "update accounts set balance = 0",
        "{accounts: {inserted: 0}}",
        "rows updated in accounts: 0 expected, 2 found",
    ),
    (
        "update accounts set balance = 0",
        "{accounts: {}}",
        "rows updated in accounts: 0 expected, 2 found",
    ),
    (
        "update accounts set balance = 0",
        "{accounts: {updated: [{balance: 0}]}}",
        "rows updated in accounts: 1 expected, 2 found",
    ),
    (
        "update accounts set balance = 0 where id = 2",
        "{accounts: {updated: [{id: 2, balance: 20}]}}",
        "rows updated in accounts: row 1: balance: 20 expected, 0.00 found",
    ),
    (
        "insert into accounts values (3, 'Cid')",
        "{accounts: {inserted: [{nam: {$not: 3}}]}}",
        "rows inserted into accounts: there is no column nam",
    ),
    (
        "insert into journal (what) values ('x'), ('x')",
        "{journal: {inserted: [{what: x}]}}",
        "rows inserted into journal: 1 expected, 2 found",
    ),
    (
        "select 1",
        "{account: {inserted: 0}}",
        "there is no table 'account' (did you mean 'accounts'?)",
    ),
    ("select 1", "{ignore: [account]}", "there is no table 'account' (did you mean 'accounts'?)"),
    (
        "select 1",
        "{logs_2025: {inserted: 0}}",
        "'logs_2025' is a partition (its rows count for the partitioned table)",
    ),
    (
        "select 1",
        "{account_names: {inserted: 0}}",
        "'account_names' is no table, its rows are others': changes do not count it (remove it)",
    ),
    (
        "select 1",
        "{accounts: {inserted: 0}, public.accounts: {inserted: 0}}",
        "'public.accounts' and 'accounts' are the same table (name it once)",
    ),
    (
        "insert into side.accounts values (3)",
        "{accounts: {inserted: 1}}",
        "rows inserted into accounts: 1 expected, 0 found",
    ),
    (
        "insert into derived values (1, 'a', 'b')",
        "{base: {inserted: 1}}",
        "rows inserted into base: 1 expected, 0 found",
    ),
    # what a display setting of the spec's would hide
    (
        "alter table base add column f float8; insert into base values (1, 'a', 0.3); update base set f = 0.30000000000000004; set local extra_float_digits = 0",
        "{base: {inserted: [{f: 0.3}]}}",
        "rows inserted into base: row 1: f: 0.3 expected, 0.30000000000000004 found",
    ),
]


@pytest.mark.parametrize(("sql", "changes"), HOLDS)
@pytest.mark.parametrize("written", [spec, operation])
def test_holds(passes: Passes, written: Callable[[str, str], str], sql: str, changes: str) -> None:
    passes(written(sql, changes))


@pytest.mark.parametrize(("sql", "changes", "reason"), FAILS)
@pytest.mark.parametrize("written", [spec, operation])
def test_fails(
    failure: Failure, written: Callable[[str, str], str], sql: str, changes: str, reason: str
) -> None:
    said = failure(written(sql, changes)).partition(": ")[2]
    hint = " (name it with what should happen to it, or in `ignore`)"
    assert said.removesuffix(hint) == reason


def test_an_operation_is_judged_alone(passes: Passes) -> None:
    passes(
        SEED
        + """\
operations:
  - sql: delete from entries where id = 1
    expect: {changes: {entries: {deleted: 1}, journal: {inserted: 1}}}
  - sql: select 1
    expect: {changes: {}}
  - sql: insert into accounts values (3, 'Cid')
    expect: {changes: {accounts: {inserted: 1}}}
expect:
  changes: {entries: {deleted: 1}, journal: {inserted: 1}, accounts: {inserted: 1}}
"""
    )


def test_an_error_that_is_expected_leaves_no_change(passes: Passes) -> None:
    passes(
        SEED
        + """\
operations:
  - sql: insert into accounts values (3, 'Cid'), (1, 'Ann')
    expect: {error: unique_violation, changes: {}}
expect: {changes: {}}
"""
    )


def test_seeds_in_between_do_not_count(passes: Passes) -> None:
    passes(
        SEED
        + """\
operations:
  - sql: update accounts set balance = 11 where id = 1
  - seed:
      entries: [{id: 3, account_id: 2, amount: 1}]
      accounts: [{id: 3, owner: Cid}]
  - sql: update accounts set balance = 1 where id = 3
  - sql: delete from entries where id = 3
expect:
  changes:
    accounts: {updated: [{id: 1}, {id: 3}]}
    entries: {deleted: 1}
    journal: {inserted: [{what: DELETE entries}]}
"""
    )


def test_a_seed_does_not_hide_what_an_operation_did(failure: Failure) -> None:
    said = failure(
        SEED
        + """\
operations:
  - sql: insert into journal (what) values ('INSERT entries')
  - seed:
      entries: [{id: 3, account_id: 2, amount: 1}]
expect: {changes: {}}
"""
    )
    assert "journal has changed, and is not named: 1 row inserted" in said


def test_a_seed_that_fails_as_expected_does_not_count(passes: Passes) -> None:
    passes(
        SEED
        + """\
operations:
  - seed: {accounts: [{id: 1, owner: Ann}]}
    expect: {error: unique_violation}
expect: {changes: {}}
"""
    )


def test_an_operation_may_go_back_behind_its_beginning(passes: Passes) -> None:
    passes(
        SEED
        + """\
operations:
  - sql: savepoint before
  - sql: insert into accounts values (3, 'Cid')
  - sql: rollback to savepoint before
    expect: {changes: {accounts: {deleted: [{id: 3}]}}}
expect: {changes: {}}
"""
    )


def test_what_deferred_triggers_do_counts(passes: Passes) -> None:
    passes(
        """\
operations:
  - sql: insert into settled values (1)
    expect: {changes: {settled: {inserted: 1}}}
expect:
  changes: {settled: {inserted: 1}, journal: {inserted: [{what: settled}]}}
"""
    )


def test_a_deferred_key_that_is_there_twice_for_a_while(passes: Passes) -> None:
    passes(
        """\
seed: {ranked: [{id: 1, place: 1}, {id: 2, place: 2}]}
operations:
  - sql: update ranked set id = 2 where place = 1
    expect: {changes: {ranked: {inserted: [{id: 2}], deleted: [{id: 1}]}}}
  - sql: update ranked set id = 1 where place = 2
expect:
  changes: {ranked: {updated: 2}}
"""
    )


def test_rows_that_could_never_be_committed_and_changes_are_both_told(
    run: Callable[[str], SpecResult],
) -> None:
    result = run(
        """\
operations:
  - sql: insert into later values (1, 99)
expect: {changes: {}}
"""
    )
    reasons = [mismatch.reason for _, mismatch in result.failures]
    assert len(reasons) == 2
    assert "could never be committed" in reasons[0]
    assert "later has changed" in reasons[1]


def test_templates_in_expected_changes(passes: Passes) -> None:
    passes(
        SEED
        + """\
vars: {who: Cid, how_many: 1}
operations:
  - sql: insert into accounts values (3, 'Cid') returning id
    save: {id: "rows[0].id"}
    expect: {changes: {accounts: {inserted: "{{ how_many }}"}}}
expect:
  changes: {accounts: {inserted: [{id: "{{ id }}", owner: "{{ who }}"}]}}
"""
    )


@pytest.mark.parametrize("written", [spec, operation])
def test_a_spec_that_passes_sends_two_messages_more(
    passes: Passes,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    written: Callable[[str, str], str],
) -> None:
    sent: list[str] = []
    plain = Session.run

    def counted(session: Session, script: str) -> list[Reply]:
        sent.append(script)
        return plain(session, script)

    monkeypatch.setattr(Session, "run", counted)
    statement = "insert into accounts values (3, 'Cid')"
    passes(f"{SEED}operations:\n  - sql: {statement}\n")
    without = len(sent)
    sent.clear()
    passes(written(statement, "{accounts: {inserted: 1}}"))

    assert len(sent) <= without + 2
