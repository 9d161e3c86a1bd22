"""The check of all that together: a PGlite is started, asked, and ended."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg

from harness.database.node import Runtime, find_node, is_installed, packages_folder
from harness.database.pglite import PGliteProcess
from harness.database.template import base_folder, template_folder
from harness.doctor.finding import Check, Finding, note, ok
from harness.doctor.phrases import size
from harness.doctor.project import Project
from harness.errors import DatabaseError, HarnessError

_SLOW_SECONDS = 5


def pglite(found: Project) -> Finding:
    """Whether a PGlite starts as it does in a run: with the template, or an empty database."""
    if not is_installed():
        return note("not tried: the packages are not installed", "see `npm`")
    template, extensions, whose = _database(found)
    if template is None:
        return note(
            "not tried: there is neither a template nor an empty database to start from",
            "the next `pytest` with a spec makes them",
        )
    started = time.monotonic()
    process = PGliteProcess(Runtime(find_node(), packages_folder() / "node_modules"))
    try:
        process.boot(template, extensions)
        process.start()
        version = _version(process.dsn)
        seconds = time.monotonic() - started
        held = psutil.Process(process.pid).memory_info().rss
    except psycopg.Error as error:
        raise DatabaseError(f"PGlite started and does not answer: {error}") from error
    finally:
        process.stop()
    facts = {"version": version, "seconds": round(seconds, 2), "bytes": held, "from": whose}
    text = f"{version}, up in {seconds:.1f} s from {whose}, {size(held)}"
    if seconds > _SLOW_SECONDS:
        load = os.getloadavg()[0]
        return note(
            text,
            f"that is slow: the machine has a load of {load:.1f}, or is short of memory",
            **facts,
        )
    return ok(text, **facts)


CHECKS: Mapping[str, Check] = {"pglite": pglite}


def _database(found: Project) -> tuple[Path | None, tuple[str, ...], str]:
    config = found.settled
    if config is not None:
        try:
            own = template_folder(config.root, config.setup, config.watch, config.extensions)
        except HarnessError:  # told by `setup`
            own = None
        if own is not None and own.is_dir():
            return own / "data", tuple(config.extensions), "the project's template"
    empty = base_folder()
    return (empty / "data" if empty.is_dir() else None), (), "an empty database"


def _version(dsn: str) -> str:
    with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
        row = connection.execute("select version()").fetchone()
    assert row is not None  # a select without FROM has one row
    return " ".join(str(row[0]).split()[:2])
