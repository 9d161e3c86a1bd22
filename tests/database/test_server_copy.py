"""COPY in and out: PostgreSQL reads the data from its client as it does on a server."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors

from harness.database.pglite import PGliteProcess
from tests.database.wire import (
    COPY_DONE,
    FLUSH,
    SYNC,
    Wire,
    answers,
    copy_data,
    copy_fail,
    extended,
    message,
    query,
    run_prepared,
    shown,
)

TABLE = query("create temp table t (a int, b text)")


@pytest.fixture
def wire(path: str) -> Any:
    with Wire(path).begin() as wire:
        wire.send(TABLE)
        wire.receive()
        yield wire


def count(wire: Wire) -> int:
    wire.send(query("select count(*) from t"))
    (row,) = (answer for answer in answers(wire.receive()) if answer.kind == "D")
    return int(row.body[6:])


@pytest.mark.parametrize(
    "statement",
    [
        "copy t from stdin",
        "-- a comment\n/* and another */ COPY t (a, b)\nFROM  STDIN",
        "copy t from stdin (format binary)",
    ],
)
def test_copy_in(connection: psycopg.Connection[Any], statement: str) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(statement.encode()) as copy:
            copy.set_types(["int4", "text"])
            for number in range(2000):
                copy.write_row((number, f"row {number}"))
        assert cursor.statusmessage == "COPY 2000"
    assert connection.execute("select sum(a), max(b) from t").fetchone() == (1999000, "row 999")


def test_copy_in_as_an_extended_query(connection: psycopg.Connection[Any]) -> None:
    pgconn = connection.pgconn
    pgconn.send_query_params(b"copy t from stdin", [])
    assert (result := pgconn.get_result()) is not None
    assert result.status == psycopg.pq.ExecStatus.COPY_IN
    pgconn.put_copy_data(b"7\tseven\n")
    pgconn.put_copy_end()
    assert (result := pgconn.get_result()) is not None
    assert result.command_status == b"COPY 1"
    assert pgconn.get_result() is None
    assert connection.execute("select b from t").fetchall() == [("seven",)]


def test_copy_in_fails_as_it_should(connection: psycopg.Connection[Any]) -> None:
    with connection.cursor() as cursor:
        with pytest.raises(errors.UndefinedTable), cursor.copy("copy nothing from stdin") as copy:
            copy.write("1\n")
        with (
            pytest.raises(errors.InvalidTextRepresentation) as caught,
            cursor.copy("copy t from stdin") as copy,
        ):
            copy.write("1\tone\nx\ttwo\n")
        assert caught.value.diag.context is not None
        assert "line 2, column a" in caught.value.diag.context
        with pytest.raises(ZeroDivisionError), cursor.copy("copy t from stdin") as copy:
            copy.write(f"{1 // 0}\tone\n")
    assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_copy_out(connection: psycopg.Connection[Any]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("copy (select generate_series(1, 3)) to stdout") as copy:
            assert list(copy.rows()) == [("1",), ("2",), ("3",)]
        with cursor.copy("copy (select generate_series(1, %s)) to stdout", [2]) as copy:
            assert list(copy.rows()) == [("1",), ("2",)]
        with cursor.copy("copy (values (1, 'x')) to stdout (format binary)") as copy:
            copy.set_types(["int4", "text"])
            assert list(copy.rows()) == [(1, "x")]
        with (
            pytest.raises(errors.DivisionByZero),
            cursor.copy("copy (select 1 / (3 - n) from generate_series(1, 5) n) to stdout") as copy,
        ):
            list(copy.rows())
    assert connection.execute("select 1").fetchone() == (1,)


def test_a_client_may_leave_before_its_copy_is_done(
    connection: psycopg.Connection[Any], process: PGliteProcess
) -> None:
    with pytest.raises(psycopg.ProgrammingError, match="COPY cannot be used"):
        connection.execute("copy t from stdin")
    connection.close()
    with psycopg.connect(process.dsn) as again:
        assert again.execute("select count(*) from t").fetchone() == (0,)


def test_a_client_may_die_in_the_middle_of_its_data(
    connection: psycopg.Connection[Any], process: PGliteProcess, path: str
) -> None:
    connection.close()
    with Wire(path).begin() as wire:
        wire.send(query("copy t from stdin"))
        wire.receive("G")
        wire.send(copy_data(b"1\tone\n") + copy_data(b"2\ttwo\n")[:-3])
        wire.await_read()
    with psycopg.connect(process.dsn) as again:
        assert again.execute("select count(*) from t").fetchone() == (0,)


def test_copy_in_stands_anywhere_among_other_statements(wire: Wire) -> None:
    wire.send(query("select 1; copy t from stdin; copy t from stdin; select count(*) from t"))
    assert shown(wire.receive("G")) == ["T", "D", "C SELECT 1", "G"]
    wire.send(copy_data(b"1\tone\n") + COPY_DONE)
    assert shown(wire.receive("G")) == ["C COPY 1", "G"]
    wire.send(copy_data(b"2\ttwo\n") + COPY_DONE)
    assert shown(wire.receive()) == ["C COPY 1", "T", "D", "C SELECT 1", "Z I"]
    assert count(wire) == 2


def test_a_prepared_copy_in_runs_long_after_it_was_parsed(wire: Wire) -> None:
    wire.send(message(b"P", b"later\0copy t from stdin\0\0\0") + SYNC + query("select 'stdin'"))
    wire.receive(count=2)
    for _ in range(2):
        wire.send(run_prepared("later") + SYNC)  # libpq sends this Sync; PostgreSQL ignores it
        assert shown(wire.receive("G")) == ["2", "n", "G"]
        wire.send(copy_data(b"1\tone\n") + COPY_DONE + SYNC)
        assert shown(wire.receive()) == ["C COPY 1", "Z I"]
    assert count(wire) == 2


def test_a_pipeline_goes_on_after_a_copy(wire: Wire) -> None:
    wire.send(extended("copy t from stdin") + FLUSH)
    wire.receive("G")
    wire.send(FLUSH + copy_data(b"1\tone\n") + COPY_DONE + extended("select 1") + SYNC)
    assert shown(wire.receive()) == ["C COPY 1", "1", "2", "T", "D", "C SELECT 1", "Z I"]


def test_copy_in_that_fails_takes_the_rest_of_its_pipeline_along(wire: Wire) -> None:
    wire.send(extended("copy t from stdin"))
    wire.receive("G")
    wire.send(copy_data(b"x\n") + copy_data(b"1\tone\n") + COPY_DONE + extended("select 1") + SYNC)
    assert shown(wire.receive()) == ["E 22P02", "Z I"]
    assert count(wire) == 0


def test_data_that_comes_after_the_failure_is_ignored(wire: Wire) -> None:
    wire.send(query("copy t from stdin"))
    wire.receive("G")
    wire.send(copy_data(b"x\n"))
    assert shown(wire.receive()) == ["E 22P02", "Z I"]
    wire.send(copy_data(b"1\tone\n") + COPY_DONE)
    assert count(wire) == 0


def test_a_client_may_give_up(wire: Wire) -> None:
    wire.send(query("copy t from stdin") + copy_data(b"1\tone\n") + copy_fail("enough"))
    seen = answers(wire.receive())
    assert [str(answer) for answer in seen] == ["G", "E 57014", "Z I"]
    assert seen[1].field("M") == "COPY from stdin failed: enough"
    assert count(wire) == 0


def test_what_is_no_data_ends_the_session_of_that_client_alone(
    wire: Wire, process: PGliteProcess
) -> None:
    wire.send(query("copy t from stdin") + copy_data(b"1\tone\n") + query("select 1"))
    *_, last = answers(wire.rest())
    assert str(last) == "E 08P01"
    assert last.field("M") == "unexpected message type 81 during COPY from stdin"
    psycopg.connect(process.dsn).close()
