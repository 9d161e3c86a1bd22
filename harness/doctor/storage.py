"""Checks of the disk: the cache, the template in it, and the folder of data directories."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.database.cache import PARTIAL, cache_directory
from harness.database.leftovers import base
from harness.database.node import is_installed
from harness.database.template import template_folder, templates_folder
from harness.doctor.finding import Check, Finding, note, ok, problem
from harness.doctor.folders import measured, standing, unwritable
from harness.doctor.phrases import MEGABYTE, age, counted, shown, size
from harness.doctor.project import Project
from harness.errors import HarnessError

_NEEDED = 200 * MEGABYTE
"""On the disk of the cache: packages, a base and a template, and some air."""
_DEAD_SECONDS = 3600
_ANOTHER_CACHE = "let HARNESS_CACHE_DIR name another folder"


def cache(_: Project) -> Finding:
    """Whether the cache can be written, and what is in it."""
    folder = cache_directory()
    origin = "HARNESS_CACHE_DIR" if os.environ.get("HARNESS_CACHE_DIR") else "the platform's place"
    facts: dict[str, Any] = {"path": str(folder), "origin": origin}
    place = f"{shown(folder)} ({origin})"
    reason = unwritable(folder)
    if reason is not None:
        text = f"{place} cannot be written: {reason}"
        if is_installed():
            return note(text, f"for new templates, make it writable, or {_ANOTHER_CACHE}", **facts)
        return problem(text, f"make it writable, or {_ANOTHER_CACHE}", **facts)
    free = shutil.disk_usage(standing(folder)).free
    total, whole = measured(folder)
    templates = [path for path in templates_folder().glob("*") if _is_template(path)]
    facts |= {"free": free, "bytes": total, "bytes_are_all": whole, "templates": len(templates)}
    held = (
        f"{'' if whole else 'more than '}{size(total)} with {counted(len(templates), 'template')}"
    )
    text = f"{place}: {held}, {size(free)} free"
    if free < _NEEDED:
        return problem(text, f"make room ({size(_NEEDED)}), or {_ANOTHER_CACHE}", **facts)
    unfinished = _unfinished(folder)
    if unfinished:
        return note(
            f"{text}; {counted(len(unfinished), 'folder')} that a killed run has not finished",
            f"`rm -r {shown(folder)}/*/*{PARTIAL}*`",
            **facts,
        )
    return ok(text, **facts)


def template(found: Project) -> Finding:
    """Whether the database of this project is built, for what the setup says now."""
    config = found.settled
    if config is None:
        return note("not looked at: there are no settings that hold")
    try:
        folder = template_folder(config.root, config.setup, config.watch, config.extensions)
    except HarnessError:
        return note("not known until `setup` is right", path=None, built=False)
    facts = {"path": str(folder), "built": folder.is_dir()}
    if not folder.is_dir():
        return note(
            "not built for what `setup` says now",
            "the next `pytest` with a spec builds it, in a second or two",
            **facts,
        )
    total, _ = measured(folder)
    seconds = time.time() - folder.stat().st_mtime
    return ok(
        f"built {age(seconds)}, {size(total)}, {shown(folder)}",
        **facts,
        bytes=total,
        age_seconds=round(seconds),
    )


def work_folder(_: Project) -> Finding:
    """Where workers put their data directories."""
    folder = base()
    reason = unwritable(folder)
    facts = {"path": str(folder)}
    if reason is not None:
        remedy = "make it writable, or let TMPDIR name another folder"
        return problem(f"{folder} cannot be written: {reason}", remedy, **facts)
    free = shutil.disk_usage(folder).free
    text = f"{shown(folder)}, {size(free)} free"
    if free < _NEEDED:
        remedy = f"make room ({size(_NEEDED)}), or let TMPDIR name another folder"
        return problem(text, remedy, **facts, free=free)
    return ok(text, **facts, free=free)


CHECKS: Mapping[str, Check] = {"cache": cache, "template": template, "work-folder": work_folder}


def _is_template(path: Path) -> bool:
    return path.is_dir() and PARTIAL not in path.name and not path.name.startswith("base-")


def _unfinished(folder: Path) -> list[Path]:
    """What was begun so long ago that nobody builds it any more."""
    begun = time.time() - _DEAD_SECONDS
    found = []
    for path in folder.glob(f"*/*{PARTIAL}*"):
        with suppress(OSError):  # gone meanwhile
            if path.stat().st_mtime < begun:
                found.append(path)
    return found
