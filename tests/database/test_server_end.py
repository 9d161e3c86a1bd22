"""How the server's process begins to serve, and how it ends: always, soon, and with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from psycopg import errors

from harness.database.leftovers import sweep_left_overs
from harness.database.node import Runtime, pinned_version
from harness.database.pglite import PGliteProcess, Server
from harness.errors import DatabaseError
from tests.database.wire import Wire, query

# A program that starts PGlite and says where; in a thread, where Linux gives no promise to end
# what it started. "busy" is said from the middle of a query that does not end.
PROGRAM = """
import json, sys, threading
from pathlib import Path
import psycopg
from harness.database.node import runtime
from harness.database.pglite import PGliteProcess

process = PGliteProcess(runtime(print))

def start():
    process.boot(Path(sys.argv[3]))
    process.start()

if sys.argv[2] == "bound":
    start()
else:
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
print(json.dumps([process.pid, process.config.socket_path]), flush=True)
if sys.argv[1] == "busy":
    endless = (
        "copy (select n::text from generate_series(1, 100000) n"
        " union all select count(*)::text from generate_series(1, 1e12)) to stdout"
    )
    with psycopg.connect(process.dsn) as connection, connection.cursor() as cursor:
        with cursor.copy(endless) as copy:
            for row in copy.rows():
                if row == ("50000",):
                    print("busy", flush=True)
threading.Event().wait()
"""


@pytest.fixture
def process(machine: Runtime, data: Path) -> Iterator[PGliteProcess]:
    process = PGliteProcess(machine)
    process.boot(data)
    process.start()
    watchdog = threading.Timer(60, process.kill)  # a server that does not end fails its test
    watchdog.start()
    yield process
    watchdog.cancel()
    process.stop()


def last_words(process: PGliteProcess) -> tuple[str, str]:
    """How the process ended by itself, and the end of its log."""
    assert process.process is not None
    process.process.wait(20)
    return process.exit_description(), process.log_tail(5)


def test_it_says_what_it_is(process: PGliteProcess, machine: Runtime) -> None:
    server = process.server
    assert server is not None
    assert server.pid == process.pid
    assert server.pglite == pinned_version()
    with psycopg.connect(process.dsn) as connection:
        assert connection.info.parameter_status("server_version") == server.postgres
    told = subprocess.run([machine.node, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == f"v{server.node}"
    assert str(server) == (
        f"PGlite {server.pglite} (PostgreSQL {server.postgres}) on Node {server.node}, "
        f"process {server.pid}"
    )


@pytest.mark.parametrize(
    "line",
    [
        "ready\n",
        "[1]\n",
        '{"pid": 1, "node": "20", "pglite": "0.5"}\n',
        '{"pid": "1", "node": "20", "pglite": "0.5", "postgres": "18"}\n',
        '{"pid": 1, "node": "20", "pglite": "0.5", "postgres": "18", "more": 1}\n',
    ],
)
def test_a_line_that_says_something_else_is_an_error(line: str) -> None:
    with pytest.raises(
        DatabaseError, match="PGlite was to say that it is ready, and said"
    ) as caught:
        Server.parse(line)
    assert repr(line.rstrip()) in str(caught.value)


def test_another_line_on_stdout_ends_the_start(
    machine: Runtime, tmp_path: Path, data: Path
) -> None:
    node = tmp_path / "node"
    node.write_text(f'#!/bin/sh\necho "using node 20"\nexec "{machine.node}" "$@"\n')
    node.chmod(0o755)
    process = PGliteProcess(Runtime(node, machine.modules))
    process.boot(data)
    with pytest.raises(DatabaseError, match="'using node 20'"):
        process.start()
    assert process.process is None
    assert process.server is None


def idle(connection: psycopg.Connection[Any]) -> None:
    """Sends little, with pauses: they are what ends the session."""
    for _ in range(100):
        time.sleep(0.05)
        connection.execute("select 1")


# Natively, too, each ends the session, of which a server has more than one.
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("begin; set local transaction_timeout = '20ms'", errors.TransactionTimeout),
        ("set transaction_timeout = '20ms'; begin", errors.TransactionTimeout),
        (
            "set idle_in_transaction_session_timeout = '20ms'; begin",
            errors.IdleInTransactionSessionTimeout,
        ),
        ("set idle_session_timeout = '20ms'", errors.IdleSessionTimeout),
    ],
)
def test_a_session_that_postgresql_ends_ends_the_process(
    process: PGliteProcess, statement: str, expected: type[psycopg.Error]
) -> None:
    with psycopg.connect(process.dsn, autocommit=True) as connection:
        connection.execute(statement)
        with pytest.raises(expected, match="terminating connection due to"):
            idle(connection)
        assert connection.closed
    how, log = last_words(process)
    assert how == "exit code 3"
    assert "FATAL:  terminating connection due to" in log
    assert "PostgreSQL has ended the session, and PGlite has no other" in log


def test_a_session_that_ends_when_nobody_is_there_ends_the_process(process: PGliteProcess) -> None:
    with Wire(process.config.socket_path).begin() as wire:
        wire.send(query("set transaction_timeout = '20ms'; begin"))
        wire.receive()
        time.sleep(0.1)  # as above
    assert last_words(process)[0] == "exit code 3"


def test_what_the_client_was_owed_comes_before_the_end(process: PGliteProcess) -> None:
    with Wire(process.config.socket_path).begin() as wire:
        wire.send(query("set transaction_timeout = '20ms'; begin; select 'owed'"))
        wire.receive()
        time.sleep(0.1)  # as above
        wire.send(query("select 'no more'"))
        seen = wire.rest()
    assert b"C25P04\0" in seen
    assert b"no more" not in seen


def test_a_trap_of_the_wasm_ends_the_process_instead_of_hanging(process: PGliteProcess) -> None:
    with psycopg.connect(process.dsn, autocommit=True) as connection:
        connection.execute("set max_stack_depth to '2MB'")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select " + "+".join(["1"] * 40_000))
    how, log = last_words(process)
    assert how == "exit code 3"
    assert "PGlite broke down" in log


@pytest.mark.parametrize("statement", ["copy t from program 'ls'", "copy t from '/dev/blob'"])
def test_what_pglite_does_not_have_ends_the_process(process: PGliteProcess, statement: str) -> None:
    with psycopg.connect(process.dsn, autocommit=True) as connection:
        connection.execute("create table t (a text)")
        with pytest.raises(psycopg.OperationalError):
            connection.execute(statement)
    assert last_words(process)[0] == "exit code 3"


@pytest.mark.parametrize("statement", ["pg_terminate_backend", "pg_cancel_backend"])
def test_postgresql_cannot_signal_itself(process: PGliteProcess, statement: str) -> None:
    with psycopg.connect(process.dsn) as connection:
        row = connection.execute(f"select {statement}(pg_backend_pid())".encode()).fetchone()
        assert row == (False,)


def test_the_end_of_stdin_ends_it(process: PGliteProcess) -> None:
    assert process.process is not None
    assert process.process.stdin is not None
    with psycopg.connect(process.dsn):
        process.process.stdin.close()
        assert last_words(process) == ("exit code 0", "")


@contextmanager
def parent(
    mode: str, binding: str, data: Path
) -> Iterator[tuple[subprocess.Popen[str], psutil.Process, str]]:
    """Another Python with a PGlite of its own, that process, and its socket."""
    command = [sys.executable, "-c", PROGRAM, mode, binding, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        pid, path = json.loads(other.stdout.readline())
        node = psutil.Process(pid)
        try:
            if mode == "busy":
                assert other.stdout.readline() == "busy\n"
            yield other, node, path
        finally:
            other.kill()
            if node.is_running():
                node.kill()


def is_gone(node: psutil.Process) -> bool:
    """Whether a process has ended; who inherited it may not have noticed yet."""
    return not node.is_running() or node.status() == psutil.STATUS_ZOMBIE


def ends(node: psutil.Process, witness: Wire) -> bool:
    """Whether a process ends: then it closes what it holds, and is gone a moment later."""
    assert witness.rest() == b""
    deadline = time.monotonic() + 20
    while not is_gone(node) and time.monotonic() < deadline:
        pass
    return is_gone(node)


ENDINGS = [("idle", "bound"), ("idle", "unbound")]
if sys.platform == "linux":
    ENDINGS.append(("busy", "bound"))


@pytest.mark.parametrize(("mode", "binding"), ENDINGS)
def test_a_killed_parent_takes_it_along(mode: str, binding: str, data: Path) -> None:
    with parent(mode, binding, data) as (other, node, path), Wire(path) as witness:
        other.kill()
        assert ends(node, witness)


def test_it_does_not_outlive_its_parent_waiting_for_a_client(data: Path) -> None:
    with parent("idle", "unbound", data) as (other, node, path), Wire(path).begin() as witness:
        witness.send(query("copy (select 1) to stdout; create table t (); copy t from stdin"))
        witness.receive("G")
        other.kill()
        assert ends(node, witness)


def test_where_nothing_ends_a_busy_one_the_next_start_does(data: Path) -> None:
    with parent("busy", "unbound", data) as (other, node, path), Wire(path) as witness:
        other.kill()
        other.wait()
        sweep_left_overs()
        assert ends(node, witness)
