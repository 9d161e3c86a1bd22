"""The template: a data directory with the project's schema, built once per content, then copied."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from harness.database.cache import Progress, build_once, cache_directory, sweep_unused
from harness.database.child import node_environment, spawn
from harness.database.node import Runtime, pinned_version, runtime
from harness.database.pglite import SETTINGS, PGliteProcess
from harness.database.setup import SetupStep, setup_steps, watched_content
from harness.errors import DatabaseError

_INITDB = Path(__file__).with_name("pglite_template.mjs")
# Whoever changes how templates are made must not be given old ones.
_RECIPE = tuple(
    Path(__file__).with_name(name)
    for name in ("template.py", "setup.py", "script.py", "migrations.py", "pglite_template.mjs")
)
_INITDB_SECONDS = 300
_KEPT_DAYS = 30
_WAL_SEGMENT = re.compile(r"[0-9A-F]{24}")


def template(  # noqa: PLR0913 - each is a setting of its own
    root: Path,
    setup: Sequence[str],
    watch: Sequence[str],
    extensions: Sequence[str],
    *,
    rebuild: bool = False,
    progress: Progress,
) -> Path:
    """The data directory with everything that the setup makes; built by the first call.

    Args:
        root: the project's folder, where relative paths begin.
        setup: see `harness.database.setup.setup_steps`.
        watch: globs of further files whose content decides about the template.
        extensions: names of the extensions to create before the setup.
        rebuild: build it anew.
        progress: called with one line before each step that takes long.

    Raises:
        ConfigError: a setting names something that is not there.
        DatabaseError: the setup fails, or PGlite cannot be installed or run.
    """
    machine = runtime(progress)
    names = tuple(dict.fromkeys(extensions))
    machine.extension_modules(names)  # refuses unknown ones before any work is done
    steps = setup_steps(root, setup)
    folder = _folder_of(root, steps, watch, names)

    def build(target: Path) -> None:
        # initdb takes seconds, the schema as a rule not: a changed schema starts from the former.
        base = build_once(
            base_folder(),
            lambda path: _build_base(machine, path, progress),
            progress,
        )
        progress("building the database template")
        started = time.monotonic()
        shutil.copytree(base / "data", target / "data")
        _build(machine, target / "data", names, steps)
        progress(f"the database template is ready ({time.monotonic() - started:.1f} s)")

    built = build_once(folder, build, progress, rebuild=rebuild)
    sweep_unused(folder.parent, _KEPT_DAYS)
    return built / "data"


def template_folder(
    root: Path, setup: Sequence[str], watch: Sequence[str], extensions: Sequence[str]
) -> Path:
    """Where `template` has put the template, or will; the data directory is in there.

    Raises:
        ConfigError: a setting names something that is not there.
        DatabaseError: the tables of a MetaData cannot be written as DDL.
    """
    return _folder_of(root, setup_steps(root, setup), watch, tuple(dict.fromkeys(extensions)))


def base_folder() -> Path:
    """Where the empty database is that templates are made from, or will be."""
    return templates_folder() / f"base-{_key([])}"


def templates_folder() -> Path:
    """Where in the user's cache all of them are."""
    return cache_directory() / "templates"


def _folder_of(
    root: Path, steps: Sequence[SetupStep], watch: Sequence[str], extensions: Sequence[str]
) -> Path:
    parts = [*(step.content() for step in steps), *watched_content(root, watch)]
    return templates_folder() / _key([*(name.encode() for name in extensions), b"", *parts])


def _key(parts: Iterable[bytes]) -> str:
    """A name for what the parts, this PGlite and our own way of building make together."""
    common = [pinned_version().encode(), repr(SETTINGS).encode()]
    recipe = [path.read_bytes() for path in _RECIPE]
    digest = hashlib.sha256()
    for part in (*common, *recipe, *parts):
        digest.update(hashlib.sha256(part).digest())  # of equal length: "ab","c" is not "a","bc"
    return digest.hexdigest()[:24]


def _build_base(machine: Runtime, target: Path, progress: Progress) -> None:
    progress("creating an empty database (once for this version of PGlite)")
    data = target / "data"
    _initdb(machine, data)
    _fill(machine, data, (), _drop_template_databases)


def _build(
    machine: Runtime, data: Path, extensions: tuple[str, ...], steps: Sequence[SetupStep]
) -> None:
    def set_up(dsn: str) -> None:
        _create_extensions(dsn, extensions)
        for step in steps:
            step.run(dsn)

    _fill(machine, data, extensions, set_up)


def _initdb(machine: Runtime, data: Path) -> None:
    command = [str(machine.node), "--liftoff-only", str(_INITDB), str(machine.modules), str(data)]
    path = data.with_name("initdb.log")
    with path.open("wb") as log:
        process = spawn(command, log=log, directory=data.parent, environment=node_environment())
    try:
        process.wait(_INITDB_SECONDS)
    except subprocess.TimeoutExpired:
        pass  # the exit code will be a signal's
    finally:
        process.kill()
        process.communicate()
    if process.returncode != 0:
        tail = "\n".join(path.read_text(errors="replace").splitlines()[-20:])
        raise DatabaseError(
            f"initdb failed with exit code {process.returncode}; its log ends with\n{tail}",
            hint="is there room on the disk? Removing the folder that HARNESS_CACHE_DIR names, or "
            f"{cache_directory()}, has everything installed anew",
        )
    path.unlink()


def _fill(
    machine: Runtime, data: Path, extensions: tuple[str, ...], work: Callable[[str], None]
) -> None:
    """Runs the work on a data directory, and leaves the directory small, clean and frozen."""
    process = PGliteProcess(machine)
    try:
        process.boot(data, extensions, in_place=True)
        process.start()
        work(process.dsn)
        with psycopg.connect(process.dsn, autocommit=True) as connection:
            connection.execute("vacuum (freeze, analyze)")
            connection.execute("checkpoint")
            segment = connection.execute("select pg_walfile_name(pg_current_wal_lsn())").fetchone()
        process.shut_down()
    except psycopg.OperationalError as error:
        raise DatabaseError(
            f"PGlite failed while the template was built: {error}\n{process.log_tail()}"
        ) from error
    finally:
        process.stop()
    assert segment is not None  # a select without FROM has one row
    _trim_wal(data / "pg_wal", segment[0])
    (data / "postmaster.pid").unlink(missing_ok=True)


def _trim_wal(folder: Path, current: str) -> None:
    """Leaves the current segment, and the next one: the shutdown may have been written there."""
    segments = sorted(path for path in folder.iterdir() if _WAL_SEGMENT.fullmatch(path.name))
    position = [path.name for path in segments].index(current)
    for path in (*segments[:position], *segments[position + 2 :]):
        path.unlink()


def _drop_template_databases(dsn: str) -> None:
    # PGlite has one database: those that others would be copied from are dead weight.
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("update pg_database set datistemplate = false, datallowconn = true")
        connection.execute("drop database template0")
        connection.execute("drop database template1")


def _create_extensions(dsn: str, names: Sequence[str]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in names:
            statement = sql.SQL("create extension if not exists {} cascade")
            try:
                connection.execute(statement.format(sql.Identifier(name)))
            except psycopg.Error as error:
                raise DatabaseError(
                    f"the extension {name!r} cannot be created: {error}",
                    hint="name the extensions that it needs before it",
                ) from error
