"""`tables`: what is read after the last operation, and as whom."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.results import RowCount, SpecResult

Passes = Callable[[str], None]
Failure = Callable[[str], str]


def spec(sql: str, tables: str) -> str:
    return f"""\
seed: {{accounts: [{{id: 1, owner: Ann, balance: 10}}]}}
operations:
  - sql: |
      {sql}
expect:
  tables: {tables}
"""


@pytest.mark.parametrize(
    "sql",
    [
        "set role somebody",
        "set local role somebody",
        "set session authorization somebody",
        "set local session authorization somebody",
    ],
)
@pytest.mark.parametrize("where", ["", "where: 'id = 1', ", "where: {id: 1}, "])
def test_tables_are_read_as_the_connections_own_role(passes: Passes, sql: str, where: str) -> None:
    passes(spec(sql, f"{{accounts: {{{where}rows: [{{owner: Ann}}]}}}}"))


def test_the_role_of_a_spec_is_its_own_again_afterwards(passes: Passes) -> None:
    passes(
        """\
operations:
  - sql: set local role somebody
    expect: {changes: {}}
  - sql: select current_user as role, session_user = current_user as both
    expect: [{role: somebody, both: false}]
  - sql: set local session authorization somebody
    expect: {changes: {}}
  - sql: select current_user as role, session_user = current_user as both
    expect: [{role: somebody, both: true}]
"""
    )


def test_settings_of_the_spec_do_not_hide_digits_of_a_table(failure: Failure) -> None:
    said = failure(
        """\
operations:
  - sql: create table readings (value float8)
  - sql: insert into readings values (0.30000000000000004)
  - sql: set local extra_float_digits = 0
expect:
  tables: {readings: [{value: 0.3}]}
"""
    )
    assert said.endswith("row 1: value: 0.3 expected, 0.30000000000000004 found")


@pytest.mark.parametrize("where", ["id = ", "no_such_column = 1", "1 / (id - 1) = 1", "owner > 3"])
def test_a_condition_that_fails_leaves_the_other_tables_to_be_judged(
    run: Callable[[str], SpecResult], where: str
) -> None:
    result = run(
        spec("select 1", f"{{accounts: {{where: '{where}', count: 1}}, codes: {{count: 1}}}}")
    )
    reasons = [mismatch.reason for _, mismatch in result.failures]
    assert reasons[0].startswith("the table cannot be read: ")
    assert reasons[1:] == ["number of rows: 1 expected, 0 found"]


def test_a_spec_that_failed_tells_its_variables_and_the_rows_that_it_changed(
    run: Callable[[str], SpecResult],
) -> None:
    result = run(
        """\
vars: {who: Ann}
seed: {accounts: [{id: 1, owner: "{{ who }}"}]}
operations:
  - sql: create table made (id integer)
  - sql: insert into made values (1), (2) returning id
    save: {ids: "rows[*].id"}
  - sql: insert into later values (1, 99)
    expect: {affected: 2}
"""
    )
    assert result.variables == (("who", "Ann"), ("ids", "[1, 2]"))
    assert result.counts == (
        RowCount("accounts", 0, 1),
        RowCount("later", 0, 1),
        RowCount("made", 0, 2),
    )
    reasons = [mismatch.reason for _, mismatch in result.failures]
    assert reasons[0] == "affected rows: 2 expected, 1 found"
    assert "could never be committed" in reasons[1]


def test_nothing_is_told_of_a_spec_that_passed(run: Callable[[str], SpecResult]) -> None:
    result = run("vars: {a: 1}\noperations:\n  - sql: select 1\n")
    assert (result.variables, result.counts, result.script) == ((), (), None)


def test_row_counts_of_a_transaction_that_has_failed_are_not_known(
    run: Callable[[str], SpecResult],
) -> None:
    result = run(
        "operations:\n  - sql: insert into accounts values (1, 'a')\n  - sql: select 1 / 0\n"
    )
    assert result.counts == ()
