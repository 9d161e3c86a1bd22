"""What pglite_server.mjs makes of PostgreSQL's protocol, seen by libpq and by bare sockets."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from harness.database.pglite import PGliteProcess
from tests.database.wire import (
    FLUSH,
    SSL_REQUEST,
    SYNC,
    TERMINATE,
    Wire,
    extended,
    query,
    shown,
    startup,
)


def test_messages_may_come_byte_by_byte(path: str) -> None:
    with Wire(path) as wire:
        for byte in startup() + query("select 'whole'"):
            wire.send(bytes([byte]))
            wire.await_read()
        assert b"whole" in wire.receive(count=2)


def test_messages_may_come_all_at_once(path: str) -> None:
    with Wire(path).begin() as wire:
        wire.send(query("select 'first'") + query("select 'second'") + query("select 1/0"))
        seen = wire.receive(count=3)
    assert seen.index(b"first") < seen.index(b"second") < seen.index(b"division by zero")


# What native PostgreSQL 18 answers, message by message.
THIRD_FAILS = [
    "select 1",
    "insert into t values (1)",
    "select 1/0",
    "insert into t values (2)",
    "select 5",
]
ROWS = ["1", "2", "T", "D", "C SELECT 1"]
INSERTED = ["1", "2", "n", "C INSERT 0 1"]


def test_an_error_ends_a_pipeline_up_to_the_next_sync(
    connection: psycopg.Connection[Any], process: PGliteProcess, path: str
) -> None:
    connection.close()
    with Wire(path).begin() as wire:
        wire.send(b"".join(map(extended, THIRD_FAILS)) + SYNC + query("select count(*) from t"))
        seen = shown(wire.receive(count=2))
    assert seen == [
        *ROWS,
        *INSERTED,
        "1",
        "E 22012",
        "Z I",
        "T",
        "D",
        "C SELECT 1",
        "Z I",
    ]
    with psycopg.connect(process.dsn) as again:
        assert again.execute("select count(*) from t").fetchone() == (0,)


def test_with_a_sync_between_statements_only_one_of_them_fails(
    connection: psycopg.Connection[Any], process: PGliteProcess, path: str
) -> None:
    connection.close()
    with Wire(path).begin() as wire:
        wire.send(b"".join(extended(sql) + SYNC for sql in THIRD_FAILS))
        seen = shown(wire.receive(count=5))
    assert seen == [
        *ROWS, "Z I", *INSERTED, "Z I", "1", "E 22012", "Z I", *INSERTED, "Z I", *ROWS, "Z I",
    ]  # fmt: skip
    with psycopg.connect(process.dsn) as again:
        assert again.execute("select a from t").fetchall() == [(1,), (2,)]


def test_in_a_failed_transaction_every_statement_fails_until_its_end(path: str) -> None:
    with Wire(path).begin() as wire:
        wire.send(query("begin") + extended("select 1/0") + SYNC + extended("select 1") + SYNC)
        wire.send(extended("rollback") + SYNC)
        seen = shown(wire.receive(count=4))
    assert seen == [
        "C BEGIN", "Z T", "1", "E 22012", "Z E", "E 25P02", "Z E",
        "1", "2", "n", "C ROLLBACK", "Z I",
    ]  # fmt: skip


def test_a_flush_is_answered_before_the_sync(path: str) -> None:
    with Wire(path).begin() as wire:
        wire.send(extended("select 1") + FLUSH)
        assert shown(wire.receive("C")) == ROWS
        wire.send(SYNC)
        assert shown(wire.receive()) == ["Z I"]


def test_what_comes_after_the_end_of_a_session_is_not_heard(path: str) -> None:
    with Wire(path).begin() as wire:
        wire.send(query("select 1") + TERMINATE + query("select 2"))
        assert shown(wire.rest()) == ["T", "D", "C SELECT 1", "Z I"]


def test_encryption_is_declined(path: str) -> None:
    with Wire(path) as wire:
        wire.send(SSL_REQUEST)
        assert wire.socket.recv(1) == b"N"
        wire.begin()


def test_a_cancel_request_is_closed_and_nothing_else(path: str) -> None:
    with Wire(path).begin() as first, Wire(path) as second:
        second.send(startup(bytes(8), version=80877102))
        assert second.rest() == b""
        first.send(query("select 'unharmed'"))
        assert b"unharmed" in first.receive()


def test_a_second_client_is_told_that_there_is_one_place(
    connection: psycopg.Connection[Any], process: PGliteProcess, path: str
) -> None:
    with pytest.raises(psycopg.OperationalError, match="PGlite has one place"):
        psycopg.connect(process.dsn)
    with Wire(path) as wire:
        wire.send(startup())
        assert b"C53300\0" in wire.rest()
    assert connection.execute("select 1").fetchone() == (1,)


def test_the_next_client_may_come_as_soon_as_the_first_has_left(process: PGliteProcess) -> None:
    for _ in range(50):
        psycopg.connect(process.dsn).close()


def test_a_client_waits_for_the_place_of_one_that_is_about_to_leave(path: str) -> None:
    with Wire(path).begin() as first, Wire(path) as second:
        second.send(startup())
        second.await_read()
        first.send(query("select count(*) from generate_series(1, 50000)"))  # a little while
        first.receive()
        first.socket.close()
        second.receive()


def test_a_client_that_leaves_takes_its_transaction_and_session_along(
    process: PGliteProcess,
    path: str,
) -> None:
    with Wire(path).begin() as wire:
        wire.send(query("begin; create table gone (a int); set search_path to nowhere"))
        wire.receive()
    with Wire(path).begin() as wire:
        wire.send(
            query("prepare p as select 1; set datestyle to german; select pg_advisory_lock(1)")
        )
        wire.receive()
    with psycopg.connect(process.dsn) as connection:
        row = connection.execute(
            "select to_regclass('gone'), current_setting('search_path'),"
            " current_setting('datestyle'), (select count(*) from pg_prepared_statements),"
            " (select count(*) from pg_locks where locktype = 'advisory')"
        ).fetchone()
    assert row == (None, "public", "ISO, MDY", 0, 0)


def test_a_client_may_leave_in_the_middle_of_an_extended_query(
    process: PGliteProcess, path: str
) -> None:
    with Wire(path).begin() as wire:
        wire.send(extended("nonsense"))  # an error: PostgreSQL now ignores everything until a Sync
    with psycopg.connect(process.dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


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
