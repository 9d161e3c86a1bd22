"""Which of the server's messages a session keeps, and when."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from harness.config import Config
from harness.database.session import Session
from harness.database.worker import WorkerPGlite


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    root = tmp_path_factory.mktemp("notices")
    opened = WorkerPGlite(Config(root=root), lambda _message: None)
    yield opened.connect()[0]
    opened.replace()


@pytest.fixture
def session(connected: Session) -> Iterator[Session]:
    connected.run("begin")
    connected.take_notices()
    yield connected
    connected.run("rollback")


def raised(level: str, message: str = "hello") -> str:
    return f"do $$ begin raise {level} '{message}'; end $$"


@pytest.mark.parametrize("level", ["notice", "warning"])
def test_what_counts(session: Session, level: str) -> None:
    session.run(raised(level))
    assert session.take_notices() == ("hello",)


@pytest.mark.parametrize("level", ["info", "log", "debug"])
def test_what_does_not(session: Session, level: str) -> None:
    session.run(f"set local client_min_messages = debug1; {raised(level)}")
    assert session.take_notices() == ()


def test_all_of_a_message_in_order(session: Session) -> None:
    session.run(
        "; ".join(
            (
                raised("notice", "one"),
                "drop table if exists nothing",
                raised("warning", "three"),
                "select 1",
                raised("notice", "one"),
            )
        )
    )
    assert session.take_notices() == (
        "one",
        'table "nothing" does not exist, skipping',
        "three",
        "one",
    )


def test_with_parameters_and_while_rows_are_read(session: Session) -> None:
    session.run(
        "create function told(n int) returns int language plpgsql as"
        " $$ begin raise notice 'n is %', n; return n; end $$"
    )
    reply = session.execute("select told(n) from generate_series(1, $1) n", [3])
    assert len(reply.rows) == 3
    assert session.take_notices() == ("n is 1", "n is 2", "n is 3")


def test_what_came_before_an_error(session: Session) -> None:
    with pytest.raises(psycopg.errors.RaiseException):
        session.run(f"{raised('notice')}; {raised('exception', 'no')}; {raised('notice', 'never')}")
    assert session.take_notices() == ("hello",)


def test_what_was_rolled_back(session: Session) -> None:
    session.run(f"savepoint a; {raised('notice')}; rollback to savepoint a")
    assert session.take_notices() == ("hello",)


def test_they_are_taken_once(session: Session) -> None:
    session.run(raised("notice"))
    assert session.take_notices() == ("hello",)
    assert session.take_notices() == ()
    session.run("select 1")
    assert session.take_notices() == ()


def test_without_detail_and_hint_and_in_any_script(session: Session) -> None:
    session.run(
        "do $$ begin raise notice E'été\\n✓' using detail = 'more', hint = 'do'; end $$;"
        "do $$ begin raise notice ''; end $$"
    )
    assert session.take_notices() == ("été\n✓", "")


def test_what_the_server_holds_back_is_not_seen(session: Session) -> None:
    session.run(f"set local client_min_messages = warning; {raised('notice')}; {raised('warning')}")
    assert session.take_notices() == ("hello",)
