"""What an application keeps, or changes, of what it was given: nothing of it reaches a spec."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from tests.running.conftest import Run

HERE = f"{__name__}:"
KEPT: list[Any] = []
COMMITS: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    KEPT.clear()
    COMMITS.clear()


def changes_its_argument(data: Any) -> Any:
    data["extra"] = True
    return data


class CodedError(Exception):
    code = "E7"


def refuses() -> None:
    raise CodedError("no")


def keeps_its_session(session: Session) -> None:
    session.execute(text("select 1"))
    KEPT.append(session)


def uses_what_was_kept() -> int:
    return int(KEPT[0].execute(text("select 1")).scalar_one())


def listens_and_rolls_back(session: Session) -> None:
    event.listen(session, "after_commit", lambda _: COMMITS.append("commit"))
    session.execute(text("select 1"))
    session.rollback()


def driver(session: Session) -> Any:
    return session.connection().connection.driver_connection


class Shouting(TextLoader):
    def load(self, data: Any) -> str:
        return "shouted"


def registers(session: Session) -> None:
    driver(session).adapters.register_loader("int4", Shouting)
    driver(session).row_factory = dict_row
    driver(session).prepare_threshold = 0


def looks(session: Session) -> list[Any]:
    row = driver(session).execute("select 1::int4").fetchone()
    return [row, driver(session).prepare_threshold]


def opens_a_pipeline(session: Session) -> None:
    KEPT.append(pipeline := driver(session).pipeline())
    pipeline.__enter__()
    driver(session).execute("select 1")


def closes_the_connection(session: Session) -> None:
    driver(session).close()


def commits() -> list[str]:
    return COMMITS


def test_what_an_application_changes_in_its_arguments_is_its_own(
    failure: Callable[[str], str], passes: Callable[[str], None]
) -> None:
    told = failure(f"""
    vars: {{d: {{y: 1}}}}
    operations:
      - {{call: "{HERE}changes_its_argument", args: ["{{{{ d }}}}"], expect: {{result: "{{{{ d }}}}"}}}}
    """)
    assert "unexpected key extra" in told
    passes(f"""
    vars: {{d: {{y: 1}}}}
    operations:
      - {{call: "{HERE}changes_its_argument", with: {{data: "{{{{ d }}}}"}}}}
      - {{sql: "select :d", params: {{d: "{{{{ d }}}}"}}, expect: {{value: {{y: 1}}}}}}
    """)


def test_a_session_dies_with_its_spec(
    failure: Callable[[str], str], passes: Callable[[str], None]
) -> None:
    passes(f'operations: [{{call: "{HERE}keeps_its_session"}}]')
    told = failure(f'operations: [{{call: "{HERE}uses_what_was_kept"}}]')
    assert "the operation failed" in told


def test_nothing_is_committed_where_nothing_is_open(passes: Callable[[str], None]) -> None:
    passes(f"""
    operations:
      - {{call: "{HERE}listens_and_rolls_back"}}
      - {{call: "{HERE}commits", expect: {{result: []}}}}
    """)


def test_what_all_errors_of_a_class_have_is_saved(passes: Callable[[str], None]) -> None:
    passes(f"""
    operations:
      - {{call: "{HERE}refuses", expect: {{error: CodedError}}, save: {{code: error.code}}}}
      - {{sql: "select :code", params: {{code: "{{{{ code }}}}"}}, expect: {{value: E7}}}}
    """)


def test_an_operation_that_is_refused_shows_no_statement_of_the_one_before(run: Run) -> None:
    result = run("""
    actors: {nobody: {db_role: nobody}}
    operations:
      - sql: select 1
      - {sql: select 2, as: nobody}
    """)
    first, second = result.operations
    assert first.statement is not None
    assert second.mismatches
    assert second.statement is None


def test_what_is_set_on_the_drivers_connection_is_in_force_for_one_spec(
    passes: Callable[[str], None],
) -> None:
    for _ in range(2):
        passes(f"""
        operations:
          - {{call: "{HERE}looks", expect: {{result: [[1], null]}}}}
          - {{call: "{HERE}registers"}}
          - {{call: "{HERE}looks", expect: {{result: [{{int4: shouted}}, 0]}}}}
        """)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("opens_a_pipeline", "the connection was left in the middle of something"),
        ("closes_the_connection", "the connection to the database was closed here, or broken"),
    ],
)
def test_a_connection_that_is_of_no_use_any_more_costs_one_spec(
    name: str, told: str, run: Run, passes: Callable[[str], None]
) -> None:
    result = run(f'operations: [{{call: "{HERE}{name}"}}]')
    assert result.broken
    assert result.failures[-1][1].reason.startswith(told)
    KEPT.clear()
    passes("operations: [{sql: select 1, expect: {value: 1}}]")
