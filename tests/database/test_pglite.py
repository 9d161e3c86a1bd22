"""One PGlite process: it starts, answers, and leaves neither a process nor a directory behind."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from harness.database.leftovers import WorkDirectory, sweep_left_overs
from harness.database.node import Runtime
from harness.database.pglite import PGliteProcess
from harness.errors import ConfigError, DatabaseError

ENDLESS = "select count(*) from generate_series(1, 1e10)"

# A program that starts PGlite, says where, and then does what its first argument names.
PROGRAM = f"""
import json, os, sys, threading
from pathlib import Path
import psycopg
from harness.database.node import runtime
from harness.database.pglite import PGliteProcess

process = PGliteProcess(runtime(print))
process.boot(Path(sys.argv[2]))
process.start()
connection = psycopg.connect(process.dsn)
connection.execute("select 1")
place = {{"node": process.pid, "directory": str(process.work_dir)}}
print(json.dumps(place), flush=True)
if sys.argv[1] == "query":
    connection.execute("{ENDLESS}")
elif sys.argv[1] == "idle":
    threading.Event().wait()
elif sys.argv[1] == "fail":
    raise RuntimeError("no stop() is ever called")
elif sys.argv[1] == "stop":
    connection.close()
    process.stop()
"""


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


@pytest.fixture
def process(machine: Runtime) -> Iterator[PGliteProcess]:
    process = PGliteProcess(machine)
    yield process
    process.stop()


class Parent:
    """Another Python with a PGlite of its own."""

    def __init__(self, mode: str, data: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, mode, str(data)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        place = json.loads(self.process.stdout.readline())
        self.directory = Path(place["directory"])
        self.node = psutil.Process(place["node"])

        self.start_up_seconds = self.node.cpu_times().user

    def is_busy(self) -> bool:
        """Whether its PGlite has computed for half a second since it was up."""
        return self.node.cpu_times().user > self.start_up_seconds + 0.5

    def node_is_gone(self) -> bool:
        return not self.node.is_running() or self.node.status() == psutil.STATUS_ZOMBIE


@contextmanager
def parent(mode: str, data: Path) -> Iterator[Parent]:
    other = Parent(mode, data)
    try:
        yield other
    finally:
        other.process.kill()
        other.process.communicate()
        if other.node.is_running():
            other.node.kill()


def test_it_starts_on_a_copy_and_leaves_nothing(
    process: PGliteProcess, machine: Runtime, data: Path
) -> None:
    process.boot(data)
    process.start()
    process.start()  # is running already
    directory = process.work_dir
    assert directory is not None
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    node = psutil.Process(process.pid)
    with psycopg.connect(process.dsn, autocommit=True) as connection:
        connection.execute("create table mine (a int)")
    process.stop()
    process.stop()
    assert not node.is_running()
    assert not directory.exists()
    other = PGliteProcess(machine)
    other.boot(data)
    other.start()
    with psycopg.connect(other.dsn) as connection:
        assert connection.execute("select to_regclass('mine')").fetchone() == (None,)
    other.stop()


def test_it_changes_nothing_of_this_process(
    process: PGliteProcess, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Node refuses these flags there, and would not start.
    monkeypatch.setenv("NODE_OPTIONS", "--liftoff-only")
    before = Path.cwd()
    process.boot(data)
    process.start()
    assert Path.cwd() == before
    handlers = logging.getLogger("py_pglite.manager").handlers
    assert not [each for each in handlers if isinstance(each, logging.StreamHandler)]


def test_a_long_temporary_path_does_not_lengthen_the_socket(
    tmp_path: Path, machine: Runtime, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long-" * 20)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    process = PGliteProcess(machine)
    try:
        process.boot(data)
        process.start()
        assert len(process.config.socket_path) < 100
        psycopg.connect(process.dsn).close()
    finally:
        process.stop()


def test_kill_ends_a_query_from_another_thread(process: PGliteProcess, data: Path) -> None:
    process.boot(data)
    process.start()
    node = psutil.Process(process.pid)
    idle = node.cpu_times().user

    def watch() -> None:
        eventually(lambda: node.cpu_times().user > idle + 0.5)
        process.kill()

    watchdog = threading.Thread(target=watch)
    with psycopg.connect(process.dsn) as connection:
        watchdog.start()
        with pytest.raises(psycopg.OperationalError):
            connection.execute(ENDLESS)
    watchdog.join()
    assert eventually(lambda: process.exit_description() == "killed by signal 9")
    process.stop()
    assert process.exit_description() == "killed by signal 9"


def test_exit_descriptions(process: PGliteProcess, data: Path) -> None:
    assert process.exit_description() == "never started"
    with pytest.raises(DatabaseError, match="not running"):
        _ = process.pid
    process.boot(data)
    process.start()
    assert process.exit_description() == "still running"
    process.shut_down()
    assert process.exit_description() == "exit code 0"


def test_a_broken_template_is_reported_with_the_end_of_the_log(
    tmp_path: Path, machine: Runtime, data: Path
) -> None:
    broken = tmp_path / "data"
    shutil.copytree(data, broken)
    (broken / "global" / "pg_control").unlink()
    process = PGliteProcess(machine)
    process.boot(broken)
    with pytest.raises(DatabaseError, match=r"did not start(.|\n)*pg_control(.|\n)*rebuild"):
        process.start()
    assert process.process is None
    assert not Path(process.config.socket_path).parent.exists()


def test_a_missing_template_is_reported(tmp_path: Path, machine: Runtime) -> None:
    process = PGliteProcess(machine)
    process.boot(tmp_path / "nowhere")
    with pytest.raises(DatabaseError, match=r"template cannot be copied(.|\n)*is there room"):
        process.start()
    assert not Path(process.config.socket_path).parent.exists()


def test_an_interrupted_start_leaves_no_process(
    process: PGliteProcess, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[str]] = []

    def interrupt(popen: subprocess.Popen[str]) -> None:
        started.append(popen)
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "_await_ready", interrupt)
    process.boot(data)
    with pytest.raises(KeyboardInterrupt):
        process.start()
    assert started[0].returncode is not None
    assert not Path(process.config.socket_path).parent.exists()


def test_an_unknown_extension_is_an_error_that_lists_the_known(
    machine: Runtime, data: Path
) -> None:
    with pytest.raises(ConfigError, match=r"'vectr'(.|\n)*did you mean 'vector'(.|\n)*pgcrypto"):
        PGliteProcess(machine).boot(data, ("vectr",))


@pytest.mark.parametrize("mode", ["stop", "fail"])
def test_a_parent_that_ends_leaves_nothing(mode: str, data: Path) -> None:
    with parent(mode, data) as other:
        other.process.wait(20)
        assert eventually(other.node_is_gone)
        assert not other.directory.exists()


def test_an_interrupted_parent_leaves_nothing(data: Path) -> None:
    with parent("idle", data) as other:
        other.process.send_signal(signal.SIGINT)
        other.process.wait(20)
        assert eventually(other.node_is_gone)
        assert not other.directory.exists()


@pytest.mark.parametrize("mode", ["idle", "query"])
def test_a_killed_parent_takes_its_pglite_along_and_the_next_start_sweeps(
    mode: str, data: Path, process: PGliteProcess
) -> None:
    with parent(mode, data) as other:
        if mode == "query":
            assert eventually(other.is_busy)
        other.process.kill()
        other.process.wait(20)
        assert eventually(other.node_is_gone)
        assert other.directory.exists()
        process.boot(data)
        process.start()
        assert not other.directory.exists()


def test_sweeping_spares_what_is_in_use_and_kills_orphans() -> None:
    mine = WorkDirectory()
    orphaned = WorkDirectory()
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", str(orphaned.path)],
        stdin=subprocess.PIPE,
    )
    orphaned.note_process(orphan.pid)
    os.close(orphaned._descriptor)  # as when its process is killed
    orphaned._remover.detach()
    try:
        sweep_left_overs()
        assert mine.path.exists()
        assert not orphaned.path.exists()
        assert orphan.wait(20) == -signal.SIGKILL
    finally:
        orphan.kill()
        orphan.communicate()
        mine.remove()
    assert not mine.path.exists()


def test_sweeping_kills_no_stranger_that_has_the_number_now() -> None:
    directory = WorkDirectory()
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as stranger:
        directory.note_process(stranger.pid)
        os.close(directory._descriptor)
        directory._remover.detach()
        sweep_left_overs()
        assert not directory.path.exists()
        assert stranger.poll() is None


def test_a_fork_that_ends_leaves_its_parents_directory_alone() -> None:
    directory = WorkDirectory()
    code = """
import os, sys
from harness.database.leftovers import WorkDirectory
directory = WorkDirectory()
if os.fork() == 0:
    sys.exit()
os.wait()
print(directory.path.exists())
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "True\n"
    directory.remove()
