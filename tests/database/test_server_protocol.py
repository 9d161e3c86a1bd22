"""What pglite_server.mjs makes of PostgreSQL's protocol, seen by libpq and by bare sockets."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from harness.database.node import runtime
from harness.database.pglite import PGliteProcess
from harness.database.template import template

STARTUP = b"user\0postgres\0database\0postgres\0\0"
READY = b"Z\0\0\0\5"


def ignore(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PGliteProcess]:
    data = template(tmp_path_factory.mktemp("project"), [], [], [], progress=ignore)
    process = PGliteProcess(runtime(ignore))
    process.boot(data)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def connection(process: PGliteProcess) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(process.dsn, autocommit=True) as connection:
        connection.execute("create table t (a int, b text)")
        yield connection
        if not connection.closed:
            connection.execute("drop table if exists t")


class Wire:
    """A client that sends exactly the bytes it is told to."""

    def __init__(self, process: PGliteProcess) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(process.config.socket_path)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def await_read(self) -> None:
        """Returns when the server has taken all that was sent."""
        unread = struct.pack("i", 1)
        deadline = time.monotonic() + 20
        while unread != bytes(4) and time.monotonic() < deadline:
            unread = fcntl.ioctl(self.socket, termios.TIOCOUTQ, unread)
        assert unread == bytes(4)

    def until(self, end: bytes, count: int = 1) -> bytes:
        seen = b""
        while seen.count(end) < count:
            chunk = self.socket.recv(65536)
            assert chunk, f"closed after {seen!r}"
            seen += chunk
        return seen

    def rest(self) -> bytes:
        seen = b""
        while chunk := self.socket.recv(65536):
            seen += chunk
        return seen

    def begin(self) -> Wire:
        self.send(startup())
        self.until(READY)
        return self


def startup() -> bytes:
    return struct.pack("!II", len(STARTUP) + 8, 196608) + STARTUP


def query(sql: str) -> bytes:
    body = sql.encode() + b"\0"
    return b"Q" + struct.pack("!I", len(body) + 4) + body


def test_messages_may_come_byte_by_byte(process: PGliteProcess) -> None:
    with Wire(process) as wire:
        for byte in startup() + query("select 'whole'"):
            wire.send(bytes([byte]))
            wire.await_read()
        assert b"whole" in wire.until(READY, 2)


def test_messages_may_come_all_at_once(process: PGliteProcess) -> None:
    with Wire(process).begin() as wire:
        wire.send(query("select 'first'") + query("select 'second'") + query("select 1/0"))
        seen = wire.until(READY, 3)
    assert seen.index(b"first") < seen.index(b"second") < seen.index(b"division by zero")


def test_large_values_pass_in_both_directions(connection: psycopg.Connection[Any]) -> None:
    text = "ä" * 3_000_000
    assert connection.execute("select %s::text", [text]).fetchone() == (text,)


def test_encryption_is_declined(process: PGliteProcess) -> None:
    with Wire(process) as wire:
        wire.send(struct.pack("!II", 8, 80877103))
        assert wire.socket.recv(1) == b"N"
        wire.begin()


def test_a_cancel_request_is_closed_and_nothing_else(process: PGliteProcess) -> None:
    with Wire(process).begin() as first, Wire(process) as second:
        second.send(struct.pack("!IIII", 16, 80877102, 1, 2))
        assert second.rest() == b""
        first.send(query("select 'unharmed'"))
        assert b"unharmed" in first.until(READY)


def test_a_second_client_is_told_that_there_is_one_place(
    connection: psycopg.Connection[Any], process: PGliteProcess
) -> None:
    with pytest.raises(psycopg.OperationalError, match="PGlite has one place"):
        psycopg.connect(process.dsn)
    with Wire(process) as wire:
        wire.send(startup())
        assert b"C53300\0" in wire.rest()
    assert connection.execute("select 1").fetchone() == (1,)


def test_the_next_client_may_come_as_soon_as_the_first_has_left(process: PGliteProcess) -> None:
    for _ in range(50):
        psycopg.connect(process.dsn).close()


def test_a_client_waits_for_the_place_of_one_that_is_about_to_leave(
    process: PGliteProcess,
) -> None:
    with Wire(process).begin() as first, Wire(process) as second:
        second.send(startup())
        second.await_read()
        first.send(query("select count(*) from generate_series(1, 50000)"))  # a little while
        first.until(READY)
        first.socket.close()
        second.until(READY)


def test_a_client_that_leaves_takes_its_transaction_and_session_along(
    process: PGliteProcess,
) -> None:
    with Wire(process).begin() as wire:
        wire.send(query("begin; create table gone (a int); set search_path to nowhere"))
        wire.until(READY)
    with Wire(process).begin() as wire:
        wire.send(
            query("prepare p as select 1; set datestyle to german; select pg_advisory_lock(1)")
        )
        wire.until(READY)
    with psycopg.connect(process.dsn) as connection:
        row = connection.execute(
            "select to_regclass('gone'), current_setting('search_path'),"
            " current_setting('datestyle'), (select count(*) from pg_prepared_statements),"
            " (select count(*) from pg_locks where locktype = 'advisory')"
        ).fetchone()
    assert row == (None, "public", "ISO, MDY", 0, 0)


def test_a_client_may_leave_in_the_middle_of_an_extended_query(process: PGliteProcess) -> None:
    body = b"\0nonsense\0\0\0"
    parse = b"P" + struct.pack("!I", len(body) + 4) + body
    with Wire(process).begin() as wire:
        wire.send(parse)  # an error: PostgreSQL now ignores everything until a Sync
    with psycopg.connect(process.dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("statement", "params"),
    [
        ("copy t from stdin", None),
        ("-- a comment\n/* and another */ COPY t (a, b)\nFROM  STDIN", None),
        ("copy t from stdin (format binary)", None),
    ],
)
def test_copy_in(connection: psycopg.Connection[Any], statement: str, params: Any) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(statement.encode(), params) as copy:
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


def test_copy_in_among_other_statements_is_refused_and_harms_nothing(
    process: PGliteProcess, connection: psycopg.Connection[Any]
) -> None:
    connection.close()
    with Wire(process).begin() as wire:
        wire.send(query("select 1; copy t from stdin"))
        assert b"only as the sole statement" in wire.until(READY)
        wire.send(query("copy t from stdin; copy t from stdin"))
        wire.until(b"G")
        wire.send(b"d\0\0\0\x0a1\tone\n" + b"c\0\0\0\4")
        assert b"only as the sole statement" in wire.until(READY)
        wire.send(query("select 'from stdin', count(*) from t"))
        assert b"from stdin" in wire.until(READY)
    with psycopg.connect(process.dsn) as again:
        assert again.execute("select count(*) from t").fetchone() == (0,)
        again.execute("drop table t")


def test_a_client_may_leave_before_its_copy_is_done(
    process: PGliteProcess, connection: psycopg.Connection[Any]
) -> None:
    with pytest.raises(psycopg.ProgrammingError, match="COPY cannot be used"):
        connection.execute("copy t from stdin")
    connection.close()
    with psycopg.connect(process.dsn) as again:
        assert again.execute("select count(*) from t").fetchone() == (0,)
        again.execute("drop table t")


def test_copy_out(connection: psycopg.Connection[Any]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("copy (select generate_series(1, 3)) to stdout") as copy:
            assert list(copy.rows()) == [("1",), ("2",), ("3",)]
        with cursor.copy("copy (select generate_series(1, %s)) to stdout", [2]) as copy:
            assert list(copy.rows()) == [("1",), ("2",)]


def test_pipelines_work(connection: psycopg.Connection[Any]) -> None:
    with connection.pipeline():
        one = connection.execute("select 1")
        connection.execute("insert into t values (1, 'x')")
        two = connection.execute("select count(*) from t")
        assert (one.fetchone(), two.fetchone()) == ((1,), (1,))


def test_a_large_schema_fits_into_one_transaction(process: PGliteProcess) -> None:
    with psycopg.connect(process.dsn) as connection:
        for number in range(300):
            connection.execute(f"create table many{number} (id serial primary key, a text unique)")
        connection.rollback()


def test_endless_recursion_is_an_error_and_not_the_end(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(
        "create function f(i int) returns int language plpgsql as 'begin return f(i + 1); end'"
    )
    with pytest.raises(errors.StatementTooComplex):
        connection.execute("select f(1)")
    with pytest.raises(errors.StatementTooComplex):
        connection.execute("select " + "+".join(["1"] * 20_000))
    connection.execute("drop function f")


def test_a_trap_of_the_wasm_ends_the_process_instead_of_hanging(tmp_path: Path) -> None:
    data = template(tmp_path, [], [], [], progress=ignore)
    process = PGliteProcess(runtime(ignore))
    try:
        process.boot(data)
        process.start()
        with psycopg.connect(process.dsn, autocommit=True) as connection:
            connection.execute("set max_stack_depth to '2MB'")
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select " + "+".join(["1"] * 40_000))
        assert process.process is not None
        process.process.wait(20)
        assert process.exit_description() == "exit code 3"
        assert "PGlite broke down" in process.log_tail()
    finally:
        process.stop()


def test_dsn_rules_out_the_environment(
    process: PGliteProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGPORT": "1", "PGHOSTADDR": "127.0.0.1", "PGSSLMODE": "require", "PGDATABASE": "other",
        "PGUSER": "nobody", "PGOPTIONS": "-c datestyle=german", "PGCLIENTENCODING": "latin1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with psycopg.connect(process.dsn) as connection:
        row = connection.execute("select current_setting('datestyle'), 'ä'").fetchone()
    assert row == ("ISO, MDY", "ä")
    assert conninfo_to_dict(process.dsn)["user"] == "postgres"
