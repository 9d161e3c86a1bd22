"""The worker's PGlite: it takes what was launched before, and tells what ended it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from harness.config import Config
from harness.database.node import runtime
from harness.database.pglite import PGliteProcess
from harness.database.worker import WorkerPGlite
from harness.errors import ConfigError, DatabaseError


def ignore(_: str) -> None:
    pass


@pytest.fixture
def launched() -> PGliteProcess:
    process = PGliteProcess(runtime(ignore))
    process.launch()
    return process


def test_the_launched_process_is_the_first_one(tmp_path: Path, launched: PGliteProcess) -> None:
    pid = launched.pid
    database = WorkerPGlite(Config(root=tmp_path), ignore, launched=launched)
    database.launch()
    database.connect()
    assert launched.pid == pid
    database.replace()
    assert not psutil.pid_exists(pid)
    assert database.connect()[0].run("select 1")[-1].rows == (("1",),)
    database.replace()


def test_a_wrong_setup_ends_what_was_launched(tmp_path: Path, launched: PGliteProcess) -> None:
    pid = launched.pid
    directory = launched.work_dir
    database = WorkerPGlite(
        Config(root=tmp_path, setup=("nowhere.sql",)), ignore, launched=launched
    )
    with pytest.raises(ConfigError, match=r"setup: 'nowhere.sql' matches no file"):
        database.launch()
    assert not psutil.pid_exists(pid)
    assert directory is not None
    assert not directory.exists()
    with pytest.raises(ConfigError, match="matches no file"):
        database.connect()


@pytest.mark.parametrize("is_up", [False, True])
def test_a_process_that_was_killed_before_its_first_use_is_told(
    tmp_path: Path, launched: PGliteProcess, is_up: bool
) -> None:
    database = WorkerPGlite(Config(root=tmp_path), ignore, launched=launched)
    database.launch()
    if is_up:
        launched.start()
    database.kill()
    assert launched.process is not None
    launched.process.wait(20)
    for _ in range(2):  # what failed once fails every time
        with pytest.raises(DatabaseError, match="killed by signal 9"):
            database.connect()
    database.replace()
