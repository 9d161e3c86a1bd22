"""Engines whose transactions are savepoints: how they stand inside and beside each other."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, InternalError, MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncSession

from harness.config import Config
from harness.database.isolation import Isolation
from harness.database.joined import Joined, at_once
from harness.database.protocol import Database
from harness.database.recorder import Recorder, is_control
from harness.database.savepoints import OverlapError
from harness.database.worker import WorkerPGlite

SCHEMA = "create table notes (id integer primary key)"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    root = tmp_path_factory.mktemp("project")
    root.joinpath("schema.sql").write_text(SCHEMA)
    opened = WorkerPGlite(Config(root=root, setup=("schema.sql",)), lambda _message: None)
    yield opened
    opened.replace()


@pytest.fixture
def driver(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The connection, in a transaction that is rolled back."""
    session, catalog = database.connect()
    isolation = Isolation(session, catalog)
    isolation.begin()
    yield session.connection
    isolation.end()


@pytest.fixture
def joined(driver: psycopg.Connection[Any]) -> Joined:
    made = Joined(lambda: driver)
    driver.recorder = Recorder(made.transactions)  # type: ignore[attr-defined]  # the worker's own kind has it
    return made


@pytest.fixture
def recorder(joined: Joined, driver: psycopg.Connection[Any]) -> Recorder:
    found: Recorder = driver.recorder  # type: ignore[attr-defined]  # the worker's own kind has it
    return found


@pytest.fixture
def first(joined: Joined) -> Iterator[Connection]:
    with suppress(OverlapError), joined.engine.connect() as connection:
        yield connection


@pytest.fixture
def second(joined: Joined) -> Iterator[Connection]:
    with suppress(OverlapError), joined.engine.connect() as connection:
        yield connection


def _write(connection: Connection, number: int) -> None:
    connection.execute(text(f"insert into notes values ({number})"))


def _read(connection: Connection) -> None:
    connection.execute(text("select count(*) from notes"))


def _kept(driver: psycopg.Connection[Any]) -> list[int]:
    rows = psycopg.RawCursor(driver).execute("select id from notes order by id").fetchall()
    return [row[0] for row in rows]


# `1` and `2` are connections: r reads, w writes a note of its number (and then 10 more each time),
# c commits, b rolls back.
@pytest.mark.parametrize(
    ("story", "kept"),
    [
        ("1w 1c", [1]),
        ("1w 1b", []),
        ("1w 1c 1w 1b", [1]),
        # inside each other
        ("1w 2w 2c 1c", [1, 2]),
        ("1w 2w 2b 1c", [1]),
        ("1w 2w 2b 1b", []),
        ("1w 2r 2c 1b", []),
        # one that only reads is never in the way
        ("1r 2w 2c 1b", [2]),
        ("1r 2w 2b 1c", []),
        ("1r 2w 2c 1w 1b", [2]),
        ("1r 2w 2c 1w 1c", [1, 2]),
        ("1w 2r 1w 2b 1c", [1, 11]),
        ("1w 2r 1w 2w 2b 1c", [1, 11]),
        ("1w 2r 1b 2w 2c", [2]),
        ("1w 2r 1c 2w 2b", [1]),
        ("1w 2r 1c 2w 2c", [1, 2]),
        ("1r 2w 1c 2c", [2]),
        # overlapping, where it makes no difference
        ("1w 2w 1c 2c", [1, 2]),
        ("1w 2w 1c 2w 2c", [1, 2, 12]),
        ("1w 2w 1b 2b", []),
        ("1w 2w 1w 1b 2b", []),
        ("1w 2w 1w 2c 1c", [1, 2, 11]),
        ("1w 2w 2c 1w 1c", [1, 2, 11]),
    ],
)
def test_each_transaction_has_its_own_end(
    story: str,
    kept: list[int],
    driver: psycopg.Connection[Any],
    first: Connection,
    second: Connection,
) -> None:
    _tell(story, first, second)
    assert _kept(driver) == kept


@pytest.mark.parametrize(
    "story",
    [
        "1w 2w 2c 1b",  # what is kept would be undone
        "1w 2w 1b 2c",  # what is undone would be kept
        "1w 2w 1c 2b",
        "1w 2w 1w 2b",
        "1w 2w 1w 2c 1b",
        "1w 2w 1c 2w 2b",
        "1w 1f 2r",  # nothing can be sent before the first one is rolled back
    ],
)
def test_what_savepoints_cannot_do_is_refused(
    story: str, joined: Joined, first: Connection, second: Connection
) -> None:
    *before, last = story.split()
    _tell(" ".join(before), first, second)
    with pytest.raises(OverlapError, match=r"overlap: one that began at .*test_joined\.py:"):
        _tell(last, first, second)
    with pytest.raises(OverlapError):  # although the application may have caught it
        joined.undo()


def _tell(story: str, first: Connection, second: Connection) -> None:
    written = {"1": 1, "2": 2}
    for step in story.split():
        who, does = step[0], step[1]
        connection = first if who == "1" else second
        if does == "w":
            _write(connection, written[who])
            written[who] += 10
        elif does == "f":
            with pytest.raises(DBAPIError):
                connection.execute(text("select 1 / 0"))
        else:
            {"r": _read, "c": Connection.commit, "b": Connection.rollback}[does](connection)


def test_three_inside_each_other(joined: Joined, driver: psycopg.Connection[Any]) -> None:
    outer, middle, inner = (joined.engine.connect() for _ in range(3))
    _read(outer)
    _write(middle, 1)
    _read(inner)
    middle.commit()
    _write(inner, 2)
    inner.rollback()
    _write(outer, 3)
    outer.close()
    assert _kept(driver) == [1]
    _read(outer := joined.engine.connect())
    _write(middle, 4)
    _write(inner, 5)
    inner.commit()
    middle.commit()
    outer.rollback()
    assert _kept(driver) == [1, 4, 5]


def test_a_transaction_that_only_reads_cannot_write(joined: Joined) -> None:
    with joined.engine.connect().execution_options(postgresql_readonly=True) as connection:
        _read(connection)
        with pytest.raises(InternalError, match="read-only transaction"):
            _write(connection, 1)
    with joined.engine.connect() as connection:
        _write(connection, 1)


def test_undo_undoes_what_is_open_and_tells_where_it_began(
    joined: Joined, driver: psycopg.Connection[Any], first: Connection, second: Connection
) -> None:
    _tell("1w 1c 1w 2w", first, second)
    left = joined.undo()
    assert _kept(driver) == [1]
    assert [each.origin for each in left] == [left[0].origin] * 2
    assert "test_joined.py:" in (left[0].origin or "")
    assert joined.undo() == ()


def test_what_the_garbage_collector_closes_is_undone(
    joined: Joined, driver: psycopg.Connection[Any]
) -> None:
    connection = joined.engine.connect()
    _write(connection, 1)
    del connection
    gc.collect()
    assert _kept(driver) == []
    assert joined.undo() == ()


def test_the_garbage_collector_waits_for_a_statement(
    joined: Joined, driver: psycopg.Connection[Any]
) -> None:
    connection = joined.engine.connect()
    _write(connection, 1)
    with driver.lock:  # as in the middle of one
        del connection
        gc.collect()
    assert _kept(driver) == [1]
    assert len(joined.undo()) == 1
    assert _kept(driver) == []


def test_checkouts_leave_nothing_on_the_connection(
    joined: Joined, driver: psycopg.Connection[Any]
) -> None:
    before = len(driver._notice_handlers)
    for _ in range(3):
        joined.engine.connect().close()
    assert len(driver._notice_handlers) == before


def test_asynchronous_code_that_does_not_await(joined: Joined) -> None:
    with (
        joined.async_engine.sync_engine.connect() as connection,
        pytest.raises(MissingGreenlet),
    ):
        _read(connection)


def test_asynchronous_work_can_be_ended_without_a_loop(
    joined: Joined, driver: psycopg.Connection[Any]
) -> None:
    session = AsyncSession(joined.async_engine)
    for number, end in ((1, session.commit), (2, session.rollback), (3, session.close)):
        at_once(session.execute(text(f"insert into notes values ({number})")))
        at_once(end())
    assert _kept(driver) == [1]


@pytest.mark.parametrize(
    ("statement", "writes", "makes"),
    [
        ("select 1", False, False),
        ("select id from notes for update", False, False),
        ("show timezone", False, False),
        ("set local work_mem = 64", False, False),
        ("insert into notes values (1)", True, False),
        ("with w as (insert into notes values (1) returning id) select id from w", True, False),
        ("select 1; insert into notes values (1)", True, False),
        ("do $$ begin insert into notes values (1); end $$", True, False),
        ("create table more (id integer)", True, True),
        ("select 1 as one into more", False, False),
        ("do $$ begin create table more (id integer); end $$", True, True),
    ],
)
def test_what_statements_do(
    statement: str, writes: bool, makes: bool, joined: Joined, recorder: Recorder
) -> None:
    recorder.schema_changed = False
    with joined.engine.connect() as connection:
        connection.exec_driver_sql(statement)
        assert joined.transactions.uncommitted is writes
    assert recorder.schema_changed is makes


def test_statements_are_noted_while_somebody_listens(joined: Joined, recorder: Recorder) -> None:
    with joined.engine.connect() as connection:
        _read(connection)
        with recorder.recording() as sent:
            _write(connection, 1)
            with recorder.recording() as inner:
                _read(connection)
            with connection.begin_nested():
                _write(connection, 2)
        _read(connection)
    assert [each.text for each in sent] == [f"insert into notes values ({n})" for n in (1, 2)]
    assert [each.text for each in inner] == ["select count(*) from notes"]
    assert [each.place and each.place.partition(" ")[2] for each in sent] == ["in _write"] * 2


@pytest.mark.parametrize("text", ["BEGIN", " commit;", "savepoint a", "ROLLBACK TO a", "release a"])
def test_control_of_transactions(text: str) -> None:
    assert is_control(text)


@pytest.mark.parametrize("text", ["select 1", "beginning", "insert into ends values (1)"])
def test_all_else_is_no_control(text: str) -> None:
    assert not is_control(text)
