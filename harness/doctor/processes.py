"""Checks of what earlier runs have left behind, and of databases that run just now."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from harness.database.leftovers import left_overs
from harness.doctor.finding import Check, Finding, note, ok, problem
from harness.doctor.folders import measured
from harness.doctor.phrases import counted, size
from harness.doctor.project import Project

_OURS = "pglite_server.mjs"
_PY_PGLITE = "pglite_manager.js"
# The server is told which process it belongs to.
_PARENT = re.compile(r'"parent":\s*(\d+)')


@dataclass(frozen=True, slots=True)
class Server:
    """A running PGlite.

    Attributes:
        script: what Node runs: ours, or py-pglite's.
        is_orphan: its parent is gone, so that nobody will end it.
        memory: its resident bytes.
    """

    pid: int
    script: str
    is_orphan: bool
    memory: int


def directories(_: Project) -> Finding:
    """Work directories of killed processes."""
    found = left_overs()
    total = sum(measured(path)[0] for path in found)
    facts = {"paths": [str(path) for path in found], "bytes": total}
    if not found:
        return ok("none", **facts)
    return note(
        f"{counted(len(found), 'directory')} of killed runs, {size(total)}",
        "nothing: each start of a PGlite removes them, also the one that `pglite` below tells of",
        **facts,
    )


def servers(_: Project) -> Finding:
    """PGlites that run, with an owner or without."""
    found = sorted(_servers(), key=lambda server: server.pid)
    held = sum(server.memory for server in found)
    orphans = [server for server in found if server.is_orphan]
    foreign = [server for server in found if server.script == _PY_PGLITE]
    facts = {
        "running": [server.pid for server in found],
        "orphans": [server.pid for server in orphans],
        "of_py_pglite": [server.pid for server in foreign],
        "bytes": held,
    }
    if not found:
        return ok("none", **facts)
    text = f"{counted(len(found), 'PGlite')}, {size(held)}: {'; '.join(map(_told, found))}"
    if orphans:
        numbers = " ".join(str(server.pid) for server in orphans)
        return problem(text, f"whoever started them is gone: `kill {numbers}`", **facts)
    if foreign:
        return note(
            text,
            "py-pglite's own take 100 to 400 MB each: in tests use Harness's fixtures instead",
            **facts,
        )
    return ok(text, **facts)


CHECKS: Mapping[str, Check] = {"left-overs": directories, "running": servers}


def _told(server: Server) -> str:
    whose = "of py-pglite " if server.script == _PY_PGLITE else ""
    return f"{server.pid} {whose}{'without a parent' if server.is_orphan else 'in use'}"


def _servers() -> Iterator[Server]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone meanwhile, or not ours to see
            if process.uids().real != os.getuid():
                continue
            arguments = process.cmdline()
            script = next((each for each in (_OURS, _PY_PGLITE) if _runs(arguments, each)), None)
            if script is not None:
                orphan = _is_orphan(process, arguments)
                yield Server(process.pid, script, orphan, process.memory_info().rss)


def _runs(arguments: list[str], script: str) -> bool:
    """Whether it is Node with this script, not an editor or a search that has it as an argument."""
    is_node = bool(arguments) and os.path.basename(arguments[0]).startswith("node")
    return is_node and any(os.path.basename(each) == script for each in arguments[1:])


def _is_orphan(process: psutil.Process, arguments: list[str]) -> bool:
    told = _PARENT.search(arguments[-1])
    if told is not None:
        return process.ppid() != int(told[1])
    # py-pglite tells its server nothing, and starts it from Python. Who adopts orphans is init or
    # a session's manager.
    parent = process.parent()
    return parent is None or not _is_python(parent)


def _is_python(process: psutil.Process) -> bool:
    try:
        executable = os.path.basename(process.exe()).lower()
    except psutil.Error:  # another user's, as init
        return False
    return executable.startswith(("python", "pypy"))
