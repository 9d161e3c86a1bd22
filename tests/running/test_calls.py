"""Calls of an application, on a real transaction: what stays of its work, and what comes back.

What `ledger` says that each function keeps is what a server of its own keeps of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from harness.config import Config
from harness.database.protocol import Database
from harness.loader import load
from harness.results import SpecResult, Status
from harness.running.calls import LeftOpenWarning
from harness.running.runner import Runner
from tests.running import ledger

LEDGER = "tests.running.ledger"
RAISED = ("commits_before_an_error", "commits_while_another_one_only_began")
REFUSED = ("fails_async",)
Run = Callable[..., SpecResult]


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Iterator[Run]:
    """Run the specs of a text with settings, one after the other; gives the last one's result."""
    runners: list[Runner] = []

    def run_text(text: str, **settings: Any) -> SpecResult:
        path = tmp_path / "spec.yaml"
        path.write_text(dedent(text).lstrip())
        runners.append(Runner(database, Config(root=tmp_path, **settings)))
        results = [runners[-1].run(each) for each in load(path, tmp_path)]
        return results[-1]

    yield run_text
    for session in ledger.KEPT:
        getattr(session, "sync_session", session).close()
    ledger.KEPT.clear()
    for runner in runners:
        runner.close()


@pytest.fixture
def passes(run: Run) -> Callable[..., None]:
    """Run a spec that must pass."""

    def check(text: str, **settings: Any) -> None:
        result = run(text, **settings)
        assert [_told(result, index) for index in range(len(result.failures))] == []
        assert result.status is Status.PASSED

    return check


@pytest.fixture
def failure(run: Run) -> Callable[..., str]:
    """Run a spec that must fail; gives its first failure, with its hint in brackets."""

    def check(text: str, **settings: Any) -> str:
        result = run(text, **settings)
        assert result.status is Status.FAILED
        return _told(result, 0)

    return check


def _told(result: SpecResult, index: int) -> str:
    mismatch = result.failures[index][1]
    hint = f" ({mismatch.hint})" if mismatch.hint else ""
    return mismatch.reason + (f"\n{mismatch.actual}" if mismatch.actual else "") + hint


# -- what stays


@pytest.mark.parametrize("name", ledger.ENDINGS)
def test_the_work_that_a_real_database_keeps(name: str, passes: Callable[..., None]) -> None:
    error = ", expect: {error: RefusedError}" if name in RAISED else ""
    error = ", expect: {error: IntegrityError}" if name in REFUSED else error
    ids = [{"id": number} for number in ledger.ENDINGS[name]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeftOpenWarning)  # of a session that is left on purpose
        passes(
            f"""
            operations:
              - {{call: "{LEDGER}:{name}"{error}}}
            expect:
              tables: {{accounts: {ids}}}
            """
        )


def test_the_next_spec_sees_nothing(passes: Callable[..., None]) -> None:
    passes(
        f"""
        specs:
          - name: first
            operations:
              - call: {LEDGER}:commits
              - sql: insert into teams (name) values ('a') returning id
                expect: {{value: 1}}
          - name: second
            operations:
              - {{call: "{LEDGER}:total", expect: {{result: null}}}}
              - sql: insert into teams (name) values ('a') returning id
                expect: {{value: 1}}
        """
    )


def test_operations_are_in_one_transaction(passes: Callable[..., None]) -> None:
    passes(
        f"""
        actors: {{ann: {{name: ann}}, bob: {{name: bob}}}}
        operations:
          - {{call: accounts.open, with: {{id: 1, owner: a}}, as: ann}}
          - {{call: accounts.open, with: {{id: 2, owner: b}}, as: bob}}
          - {{sql: "update accounts set balance = 7 where id = 1"}}
          - {{call: "{LEDGER}:find", args: [1], as: bob, expect: {{result: {{balance: 7}}}}}}
          - {{call: "{LEDGER}:find_async", args: [2], expect: {{result: {{owner: b}}}}}}
        expect: {{changes: {{accounts: {{inserted: 2}}}}}}
        """,
        caller=f"{LEDGER}:Caller",
    )


def test_a_savepoint_of_the_spec_undoes_calls(passes: Callable[..., None]) -> None:
    passes(
        f"""
        operations:
          - sql: savepoint a
          - call: {LEDGER}:commits
          - {{sql: select count(*) from accounts, expect: {{value: 1}}}}
          - sql: rollback to a
          - {{sql: select count(*) from accounts, expect: {{value: 0}}}}
          - {{call: "{LEDGER}:commits", expect: {{changes: {{accounts: {{inserted: 1}}}}}}}}
        """
    )


@pytest.mark.parametrize("find", ["find", "find_async", "holds_async"])
def test_an_operation_reads_what_another_one_changed(
    find: str, passes: Callable[..., None]
) -> None:
    passes(
        f"""
        seed: {{accounts: [{{id: 1, owner: a}}]}}
        operations:
          - {{call: "{LEDGER}:{find}", args: [1], expect: {{result: {{owner: a}}}}}}
          - {{sql: "update accounts set owner = 'b'"}}
          - {{call: "{LEDGER}:{find}", args: [1], expect: {{result: {{owner: b}}, queries: 1}}}}
        """
    )


def test_an_object_that_the_caller_holds_is_read_again(passes: Callable[..., None]) -> None:
    passes(
        """
        seed: {accounts: [{id: 1, owner: a}]}
        operations:
          - {call: accounts.remember, args: [1]}
          - {sql: "update accounts set owner = 'b'"}
          - {call: accounts.remembered, expect: {result: b}}
        """,
        caller=f"{LEDGER}:Caller",
    )


# -- overlapping transactions


@pytest.mark.parametrize(
    "name",
    [
        "overlaps",
        "overlaps_silently",
        "writes_into_another_one",
        "begins_after_a_failure",
        "commits_what_was_undone",
    ],
)
def test_transactions_that_overlap_are_refused(name: str, failure: Callable[..., str]) -> None:
    for expect in ("", ", expect: {error: {message: {$regex: .}}}"):
        told = failure(f'operations: [{{call: "{LEDGER}:{name}"{expect}}}]')
        assert told.startswith("transactions of the application overlap: one that began at ")
        assert "tests/running/ledger.py:" in told
        assert "share one connection" in told


# -- errors


def test_deferred_constraints_are_checked_at_each_commit(passes: Callable[..., None]) -> None:
    passes(
        f"""
        operations:
          - call: {LEDGER}:commits_an_orphan
            expect:
              error: {{exception: IntegrityError, condition: foreign_key_violation, table: later}}
              changes: {{accounts: {{inserted: [{{id: 1}}]}}}}
          - sql: delete from accounts
          - call: {LEDGER}:catches_an_orphan
            expect: {{changes: {{accounts: {{inserted: [{{id: 1}}, {{id: 3}}]}}}}}}
        """
    )


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("leaves_an_orphan", "{exception: IntegrityError, table: later}"),
        ("swallows_a_duplicate", "{exception: PendingRollbackError}"),
        ("exits", "{exception: SystemExit, message: no way}"),
        ("exits_async", "{exception: SystemExit, code: 3}"),
        ("cancels", "{exception: CancelledError, message: enough}"),
        ("loads_lazily_async", "{exception: MissingGreenlet}"),
        ("refuses", "{exception: RefusedError, message: 5 missing, missing: 5}"),
        ("refuses", "{exception: 'tests.running.ledger:RefusedError'}"),
    ],
)
def test_errors_undo_what_is_not_committed(
    name: str, error: str, passes: Callable[..., None]
) -> None:
    arguments = ", args: [5]" if name == "refuses" else ""
    passes(
        f"""
        operations:
          - call: {LEDGER}:{name}{arguments.replace(", ", chr(10) + "            ")}
            expect: {{error: {error}, changes: {{}}}}
          - {{call: "{LEDGER}:total", expect: {{result: null}}}}
        """
    )


def test_an_error_that_nobody_expects(failure: Callable[..., str]) -> None:
    told = failure(f'operations: [{{call: "{LEDGER}:swallows_a_duplicate"}}]')
    assert "PendingRollbackError: This Session's transaction has been rolled back" in told
    assert "duplicate key value" in told


def test_ctrl_c_ends_the_run(run: Run) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(f'operations: [{{call: "{LEDGER}:interrupts"}}]')


def test_arguments_are_bound_before_anything_runs(failure: Callable[..., str]) -> None:
    told = failure(f'operations: [{{call: "{LEDGER}:open_account", with: {{id: 1, ownr: a}}}}]')
    assert told == (
        "open_account(session: Session, id: int, owner: str) has no parameter 'ownr'"
        " (did you mean 'owner'?)"
    )


@pytest.mark.parametrize(
    ("caller", "target", "kept"),
    [("broken_caller", "anything", [{"id": 1}]), ("Caller", "broken.it", [])],
)
def test_errors_of_the_caller_are_outcomes(
    caller: str, target: str, kept: list[Any], passes: Callable[..., None]
) -> None:
    passes(
        f"""
        operations:
          - {{call: {target}, expect: {{error: RefusedError}}}}
        expect: {{tables: {{accounts: {kept}}}}}
        """,
        caller=f"{LEDGER}:{caller}",
    )


def test_a_target_that_the_caller_does_not_have(failure: Callable[..., str]) -> None:
    told = failure(
        "operations: [{call: accounts.opn, expect: {error: {message: {$regex: .}}}}]",
        caller=f"{LEDGER}:Caller",
    )
    assert told == ("'accounts' is of type Accounts, which has no 'opn' (did you mean 'open'?)")
    told = failure("operations: [{call: accounts.open, args: [1, a]}]")
    assert told.startswith("no `caller` is configured in [tool.harness]")


# -- what is left behind


@pytest.mark.parametrize("name", ["leaks", "leaks_async"])
def test_a_session_left_open_is_undone_and_told(name: str, passes: Callable[..., None]) -> None:
    with pytest.warns(LeftOpenWarning, match=rf"{name} left a transaction open.*in {name}: undone"):
        passes(f'operations: [{{call: "{LEDGER}:{name}", expect: {{changes: {{}}}}}}]')


def test_where_warnings_are_errors_a_session_left_open_fails(failure: Callable[..., str]) -> None:
    assert "leaks left a transaction open" in failure(f'operations: [{{call: "{LEDGER}:leaks"}}]')


def test_a_session_of_another_operation_cannot_commit(failure: Callable[..., str]) -> None:
    with pytest.warns(LeftOpenWarning):
        told = failure(
            f"""
            operations:
              - call: {LEDGER}:leaks
              - call: {LEDGER}:uses_what_was_left
            """
        )
    assert "was undone when its operation ended" in told


@pytest.mark.parametrize(
    "name",
    [
        "leaves_uncommitted",
        "leaves_unflushed",
        "closes",
        "commits_async",
        "copies_uncommitted",
        "changes_unflushed",
    ],
)
def test_uncommitted_work_can_be_refused(name: str, failure: Callable[..., str]) -> None:
    seed = "accounts: [{id: 1, owner: a}]" if name == "changes_unflushed" else ""
    told = failure(
        f"""
        seed: {{{seed}}}
        operations: [{{call: "{LEDGER}:{name}"}}]
        """,
        uncommitted="error",
    )
    assert told.startswith("the operation returned with uncommitted work")


@pytest.mark.parametrize(
    "name",
    ["commits", "total", "begins", "goes_on_after_a_duplicate", "copies_out", "changes_nothing"],
)
def test_committed_work_is_not_refused(name: str, passes: Callable[..., None]) -> None:
    seed = "accounts: [{id: 1, owner: a}]" if name == "changes_nothing" else ""
    passes(
        f"""
        seed: {{{seed}}}
        operations: [{{call: "{LEDGER}:{name}"}}]
        """,
        uncommitted="error",
    )


@pytest.mark.parametrize(
    "name", ["commits_by_sql", "commits_by_sql_and_begins", "commits_the_driver"]
)
@pytest.mark.parametrize("expect", ["", ", expect: {error: {message: {$regex: .}}}"])
def test_the_end_of_the_specs_transaction_is_found_out(name: str, expect: str, run: Run) -> None:
    result = run(f'operations: [{{call: "{LEDGER}:{name}"{expect}}}]')
    assert (result.status, result.broken) == (Status.FAILED, True)
    reasons = [mismatch.reason for _, mismatch in result.failures]
    assert reasons[-1] == "the spec's transaction was ended here"
    assert len(reasons) == (2 if name == "commits_by_sql_and_begins" else 1)


@pytest.mark.parametrize(
    "name", ["commits_by_sql", "commits_by_sql_and_begins", "leaks_and_commits", "kills", "sleeps"]
)
def test_the_spec_after_one_that_broke_the_database(
    name: str,
    database: Database,
    passes: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger, "kill", database.kill)
    passes(
        f"""
        timeout: 5
        specs:
          - name: breaks
            timeout: 0.5
            operations:
              - call: {LEDGER}:leaves_uncommitted
              - call: {LEDGER}:{name}
          - name: runs
            operations:
              - {{call: "{LEDGER}:commits", expect: {{changes: {{accounts: {{inserted: 1}}}}}}}}
              - {{call: "{LEDGER}:gathers", expect: {{error: IntegrityError}}}}
        """
    )


def test_savepoints_that_sql_takes_away_are_missed(failure: Callable[..., str]) -> None:
    told = failure(
        f"""
        operations:
          - sql: savepoint of_the_spec
          - {{call: "{LEDGER}:goes_back_by_sql", expect: {{error: {{message: {{$regex: .}}}}}}}}
        """
    )
    assert told.startswith("the operation left the transaction in a failed state (a savepoint")


def test_a_statement_beside_sqlalchemy_that_fails_is_undone(passes: Callable[..., None]) -> None:
    passes(
        f"""
        operations:
          - call: {LEDGER}:fails_beside_sqlalchemy
          - call: {LEDGER}:commits
        expect: {{changes: {{accounts: {{inserted: 1}}}}}}
        """
    )


# -- results


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("open_account, with: {id: 3, owner: Cy}", "{id: 3, owner: Cy, balance: 1.5}"),
        ("find, args: [1]", "{id: 1, owner: Ann}"),
        ("find, args: [3]", "null"),
        ("find_with_entries, args: [1]", "{id: 1, entries: [{amount: 2}]}"),
        ("find_async, args: [1]", "{id: 1, owner: Ann}"),
        ("total", "5"),
        ("delayed_total", "5"),
        ("same, with: {value: [1, {a: b}]}", "[1, {a: b}]"),
        ("deletes_what_it_returns, args: [2]", "{owner: Bob}"),
    ],
)
def test_what_a_call_returns(operation: str, result: str, passes: Callable[..., None]) -> None:
    name, _, rest = operation.partition(", ")
    passes(
        f"""
        seed:
          accounts: [{{id: 1, owner: Ann, balance: 5}}, {{id: 2, owner: Bob}}]
          entries: [{{account_id: 1, amount: 2}}]
        operations:
          - {{call: "{LEDGER}:{name}"{rest and ", "}{rest}, expect: {{result: {result}}}}}
        """
    )


def test_results_are_saved(passes: Callable[..., None]) -> None:
    passes(
        f"""
        operations:
          - call: {LEDGER}:open_account
            args: [4]
            with: {{owner: Di}}
            save: {{number: result.id, all: result}}
          - {{call: "{LEDGER}:find", args: ["{{{{ number }}}}"], expect: {{result: {{owner: "{{{{ all.owner }}}}"}}}}}}
          - {{call: "{LEDGER}:refuses", args: [1], expect: {{error: RefusedError}}, save: {{told: error.message}}}}
          - {{call: "{LEDGER}:same", args: ["{{{{ told }}}}"], expect: {{result: 1 missing}}}}
        """
    )


def test_callers_are_made_for_each_actor(passes: Callable[..., None]) -> None:
    passes(
        """
        actors: {ann: {name: ann}, bob: {name: bob}}
        operations:
          - {call: who, expect: {result: null}}
          - {call: who, as: ann, expect: {result: ann}}
          - {call: who, as: bob, expect: {result: bob}}
        """,
        caller=f"{LEDGER}:Caller",
    )


def test_an_asynchronous_caller(passes: Callable[..., None]) -> None:
    passes(
        """
        seed: {accounts: [{id: 1, owner: Ann}]}
        operations:
          - {call: opened, expect: {result: [1, 2], queries: 2}}
        """,
        caller=f"{LEDGER}:async_caller",
    )


# -- statements


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("reads_row_by_row", "{max: 4, repeated: 2}"),
        ("reads_row_by_row_async", "{max: 4, repeated: 2}"),
        ("loads_lazily", "{max: 4, repeated: 2}"),
        ("total", "1"),
        ("executes_many", "2"),
        ("copies", "2"),
        ("copies_out", "1"),
        ("streams", "1"),
        ("streams_async", "1"),
        ("begins_nested", "3"),
        ("commits_before_an_error", "2"),
        ("fails_async", "2"),
        ("leaves_unflushed", "1"),
        ("takes_the_driver", "5"),
    ],
)
def test_statements_are_counted(name: str, queries: str, passes: Callable[..., None]) -> None:
    error = {
        "commits_before_an_error": "error: RefusedError, ",
        "fails_async": "error: IntegrityError, ",
    }
    passes(
        f"""
        seed: {{accounts: [{{id: 7, owner: a}}, {{id: 8, owner: b}}, {{id: 9, owner: c}}]}}
        operations:
          - {{call: "{LEDGER}:{name}", expect: {{{error.get(name, "")}queries: {queries}}}}}
        """
    )


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("reads_row_by_row", "in balance (2 times)"),
        ("reads_row_by_row_async", "in reads_row_by_row_async (2 times)"),
        ("loads_lazily", "in loads_lazily (2 times)"),
    ],
)
def test_repeated_statements_are_told_with_their_line(
    name: str, place: str, failure: Callable[..., str]
) -> None:
    told = failure(
        f"""
        seed: {{accounts: [{{id: 7, owner: a}}, {{id: 8, owner: b}}]}}
        operations:
          - {{call: "{LEDGER}:{name}", expect: {{queries: {{repeated: 0}}}}}}
        """
    )
    assert "tests/running/ledger.py:" in told
    assert place in told


@pytest.mark.parametrize("name", ["makes_tables", "makes_all"])
def test_tables_that_the_application_makes_are_seen(name: str, passes: Callable[..., None]) -> None:
    passes(
        f"""
        operations:
          - {{call: "{LEDGER}:{name}", expect: {{changes: {{made: {{inserted: 1}}}}}}}}
          - {{seed: {{made: [{{id: 2}}]}}}}
        expect:
          tables: {{made: [{{id: 1}}, {{id: 2}}]}}
          changes: {{made: {{inserted: 1}}}}
        """
    )


def test_columns_that_the_application_adds_are_seen(passes: Callable[..., None]) -> None:
    passes(
        f"""
        operations:
          - {{call: "{LEDGER}:adds_a_column"}}
          - {{seed: {{accounts: [{{id: 1, owner: a, colour: red}}]}}}}
        """
    )


# -- the process


@pytest.mark.parametrize("name", ["total", "commits", "swallows_what_happens", "commits_async"])
@pytest.mark.parametrize("expect", ["", ", expect: {error: {message: {$regex: .}}}"])
def test_a_database_that_dies_in_a_call(
    name: str,
    expect: str,
    database: Database,
    run: Run,
    passes: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger, "kill", database.kill)
    result = run(f'operations: [{{call: "{LEDGER}:kills"}}, {{call: "{LEDGER}:{name}"{expect}}}]')
    (told,) = [mismatch.reason for _, mismatch in result.failures]
    assert told.startswith("the database process ended: killed by signal 9")
    assert result.broken
    passes(f'operations: [{{call: "{LEDGER}:commits_async"}}]')


@pytest.mark.parametrize("name", ["computes_forever", "waits_forever", "sleeps"])
def test_a_call_that_does_not_end(
    name: str, failure: Callable[..., str], passes: Callable[..., None]
) -> None:
    told = failure(f'timeout: 0.1\noperations: [{{call: "{LEDGER}:{name}"}}]')
    assert told.startswith("the spec did not end within 0.1 seconds")
    assert ("last statement was select pg_sleep" in told) == (name == "sleeps")
    passes(f'operations: [{{call: "{LEDGER}:commits_async"}}]')


def test_ctrl_c_in_a_statement(run: Run, passes: Callable[..., None]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(f'operations: [{{call: "{LEDGER}:is_interrupted"}}]')
    passes(f'operations: [{{call: "{LEDGER}:commits"}}]')
