"""The database process is killed at every moment of a spec: that spec fails, and no other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from harness.database.protocol import Database
from harness.database.session import Session
from harness.database.turns import take_turn
from harness.results import Status
from tests.running.conftest import Run

HERE = f"{__name__}:"

# With a seed that needs two messages, an operation that may fail, actors, state and changes: at
# least one of every kind of message that a spec can have.
SPEC = f"""
seed:
  teams:
    blue: {{name: Blue}}
  codes:
    - {{code: 4ba6a7a2-4e4c-4d2a-a1b9-a4d6a5a0a5d1, team: blue, note: old}}
actors:
  someone: {{settings: {{app.name: someone}}, bypass: true}}
operations:
  - sql: select note from codes
    expect: [{{note: old}}]
  - sql: insert into teams (name) values (null)
    expect: {{error: not_null_violation}}
  - sql: update codes set note = 'new' where note = :note
    params: {{note: old}}
    as: someone
    expect: {{affected: 1, changes: {{codes: {{updated: [{{note: new}}]}}}}}}
  - call: "{HERE}count_codes"
    expect: {{result: 1}}
expect:
  tables:
    codes: [{{note: new}}]
"""


def count_codes(session: OrmSession) -> int:
    return int(session.execute(text("select count(*) from codes")).scalar_one())


def kill(database: Database) -> None:
    """Kill the process from outside, and see it gone but for its parent's knowledge."""
    held = database.footprint()
    assert held is not None
    os.kill(held.pid, signal.SIGKILL)
    os.waitid(os.P_PID, held.pid, os.WEXITED | os.WNOWAIT)


class Messages:
    """Counts the harness's own messages, and kills the database in the middle of one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
        self._database = database
        self.count = 0
        self.fatal: int | None = None
        for name in ("run", "execute"):
            monkeypatch.setattr(Session, name, self._counting(getattr(Session, name)))

    def _counting(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            self.count += 1
            if self.count == self.fatal:
                kill(self._database)
            return send(*args)

        return counted


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch, database: Database) -> Messages:
    database.replace()
    database.connect()  # what is asked once for a database is none of the spec's
    return Messages(monkeypatch, database)


def test_a_process_killed_at_any_message_fails_that_spec_alone(
    run: Run, messages: Messages, database: Database
) -> None:
    run(SPEC)
    messages.count = 0
    assert run(SPEC).failures == ()
    total = messages.count
    assert total > 8
    for number in range(1, total + 1):
        messages.count, messages.fatal = 0, number
        result = run(SPEC)
        messages.fatal = None
        reasons = [mismatch.reason.partition(";")[0] for _, mismatch in result.failures]
        assert reasons == ["the database process ended: killed by signal 9"], number
        assert result.broken
        take_turn(database)
    assert run(SPEC).status is Status.PASSED


def test_a_process_killed_between_specs_fails_none(run: Run, database: Database) -> None:
    assert run(SPEC).status is Status.PASSED
    kill(database)
    take_turn(database)
    assert run(SPEC).status is Status.PASSED
