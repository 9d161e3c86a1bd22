"""What no client can do to the server: break it, keep it waiting, or fill its memory."""

from __future__ import annotations

import random
import socket

import psutil
import psycopg
import pytest

from harness.database.pglite import PGliteProcess
from tests.database.wire import (
    SSL_REQUEST,
    Wire,
    answers,
    extended,
    message,
    query,
    shown,
    startup,
)

MEGABYTE = 2**20


def is_unharmed(process: PGliteProcess) -> bool:
    with psycopg.connect(process.dsn, autocommit=True, connect_timeout=20) as connection:
        return connection.execute("select 1").fetchone() == (1,)


def last_words(data: bytes) -> tuple[str, str]:
    *_, last = answers(data)
    return str(last), last.field("M")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "invalid length of startup packet"),
        (b"\x80\0\0\0\0\3\0\0", "invalid length of startup packet"),
        (b"\x7f\xff\xff\xff", "invalid length of startup packet"),
        (bytes(8), "invalid length of startup packet"),
        (startup(version=2 << 16), "unsupported frontend protocol 2.0: PGlite speaks 3"),
        (SSL_REQUEST * 3, "unsupported frontend protocol 1234.5679: PGlite speaks 3"),
        (startup(b"user\0postgres"), "invalid startup packet layout"),
        (startup(b"user\0postgres\0\0\0"), "invalid startup packet layout"),
        (startup(b""), "invalid startup packet layout"),
        (startup(b"database\0user\0\0"), "no PostgreSQL user name specified"),
        (startup(b"user\0postgres\0replication\0true\0\0"), "PGlite has no replication"),
    ],
)
def test_what_is_no_startup_packet_is_refused(
    path: str, process: PGliteProcess, sent: bytes, told: str
) -> None:
    with Wire(path) as wire:
        wire.send(sent)
        assert last_words(wire.rest().lstrip(b"N")) == ("E 08P01", told)
    assert is_unharmed(process)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"Q\0\0\0\3", "invalid message length"),
        (b"Q\0\0\0\0", "invalid message length"),
        (b"Q\xff\xff\xff\xff", "invalid message length"),
        (b"P\x7f\xff\xff\xff", "invalid message length"),
        (b"S\0\1\0\0", "invalid message length"),
        (message(b"p", b"a password\0"), "invalid frontend message type 112"),
        (bytes(5), "invalid frontend message type 0"),
        (startup(), "invalid frontend message type 0"),
    ],
)
def test_what_is_no_message_ends_the_session_of_that_client_alone(
    path: str, process: PGliteProcess, sent: bytes, told: str
) -> None:
    with Wire(path).begin() as wire:
        wire.send(query("begin") + sent)
        seen = wire.rest()
    assert shown(seen) == ["C BEGIN", "Z T", "E 08P01"]
    assert last_words(seen) == ("E 08P01", told)
    assert is_unharmed(process)


@pytest.mark.parametrize(
    "body", [b"", b"select 1", b"select 1\0and more", b"select '\xff'\0", b"\0\0\0"]
)
def test_a_message_with_the_wrong_content_is_an_error_and_no_more(path: str, body: bytes) -> None:
    with Wire(path).begin() as wire:
        for kind in (b"Q", b"P", b"B", b"D", b"E", b"C", b"F"):
            wire.send(message(kind, body) + message(b"S") + query("rollback"))
            wire.receive(count=2)
        wire.send(query("select 'unharmed'"))
        while b"unharmed" not in wire.receive():
            pass


def test_noise_harms_nobody_else(path: str, process: PGliteProcess) -> None:
    noise = random.Random(5)
    wires = []
    for number in range(40):
        wire = Wire(path)
        wire.send((startup() if number % 2 else b"") + noise.randbytes(noise.randrange(1, 3000)))
        if number % 3:
            wire.socket.close()
        else:
            wires.append(wire)
    for wire in wires:
        wire.socket.close()
    assert is_unharmed(process)


@pytest.mark.parametrize(
    "sent",
    [
        query("select generate_series(1, 1000000000000)"),
        query("copy (select generate_series(1, 1000000000000)) to stdout"),
        extended("select generate_series(1, 1000000000000)"),
        query("begin; select repeat('x', 50000000)"),
        2 * query("select generate_series(1, 1000000000000)"),
    ],
)
def test_a_result_that_nobody_wants_any_more_is_not_computed_to_its_end(
    path: str, process: PGliteProcess, sent: bytes
) -> None:
    with Wire(path).begin() as wire:
        wire.send(sent)
        wire.socket.recv(1)
    assert is_unharmed(process)


@pytest.mark.parametrize(
    "sent",
    [b"\0\0", startup()[:-1], startup() + query("select 1")[:-1], startup() + b"Q\x3f\0\0\0a"],
)
def test_a_client_may_leave_in_the_middle_of_a_message(
    path: str, process: PGliteProcess, sent: bytes
) -> None:
    with Wire(path) as wire:
        wire.send(sent)
        wire.await_read()
    assert is_unharmed(process)


def test_a_client_that_stops_sending_gets_what_it_had_asked_for(path: str) -> None:
    with Wire(path).begin() as wire:
        wire.send(query("select 'all of it', repeat('x', 3000000)"))
        wire.socket.shutdown(socket.SHUT_WR)
        assert len(wire.rest()) > 3_000_000


@pytest.mark.parametrize(
    "sql",
    [
        "select repeat('x', 1000) from generate_series(1, 100000)",
        "copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout",
    ],
)
def test_a_large_result_waits_for_its_client_in_postgresql(
    path: str, process: PGliteProcess, sql: str
) -> None:
    node = psutil.Process(process.pid)
    with Wire(path).begin() as wire:
        wire.send(query("select 1"))
        wire.receive()
        before = node.memory_info().rss
        wire.send(query(sql))
        size = peak = 0
        end = b""
        while end != message(b"Z", b"I"):
            chunk = wire.socket.recv(MEGABYTE)
            size += len(chunk)
            end = (end + chunk)[-6:]
            peak = max(peak, node.memory_info().rss)
    assert size > 100_000_000
    assert peak - before < 15 * MEGABYTE


def test_large_values_pass_in_both_directions(process: PGliteProcess) -> None:
    text = "ä" * 3_000_000
    with psycopg.connect(process.dsn) as connection:
        assert connection.execute("select %s::text", [text]).fetchone() == (text,)


def test_a_message_of_80_megabytes_is_put_together_in_time(path: str) -> None:
    # Joined at each chunk, it would take longer than Wire has patience.
    with Wire(path).begin() as wire:
        wire.send(query(f"select octet_length('{'x' * 80_000_000}')"))
        assert b"80000000" in wire.receive()


def test_data_of_a_copy_is_not_gathered(path: str, process: PGliteProcess) -> None:
    node = psutil.Process(process.pid)
    data = message(b"d", b"x" * 99_999 + b"\n")
    with Wire(path).begin() as wire:
        wire.send(query("create temp table t (a text); copy t from stdin where a = 'none'"))
        wire.receive("G")
        before = peak = node.memory_info().rss
        for _ in range(1000):
            wire.send(data)
            peak = max(peak, node.memory_info().rss)
        wire.send(message(b"c"))
        assert b"COPY 0" in wire.receive()
    assert peak - before < 15 * MEGABYTE
