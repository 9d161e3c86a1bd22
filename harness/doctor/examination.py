"""The whole report: every check in its order, each by itself."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FrameType

from harness.doctor.finding import Check, Finding, problem, refusal
from harness.doctor.project import Project, find
from harness.errors import HarnessError

# Imported one by one: a package that does not import breaks the checks that need it, and no other.
_MODULES = (
    "installation",
    "settings",
    "environment",
    "runtime",
    "storage",
    "memory",
    "processes",
    "boot",
)
_REPORT = (
    "if the rest of this report does not explain it, it is a bug of Harness: please tell of it"
)


class _TimeUpError(BaseException):
    """A check takes too long. No Exception: code of the project's own might catch that."""


def examine(folder: Path) -> dict[str, Finding]:
    """What is there and what is missing for specs in this folder, by the names of the checks."""
    found = find(folder)
    report: dict[str, Finding] = {}
    for module in _MODULES:
        try:
            checks = importlib.import_module(f"harness.doctor.{module}").CHECKS
        except Exception as error:  # noqa: BLE001 - whatever is wrong with what it imports
            report[module] = _broken(error)
            continue
        report |= {name: look(check, found) for name, check in checks.items()}
    return report


def look(check: Check, found: Project, seconds: float = 20) -> Finding:
    """What a check finds; whatever goes wrong with it, and if it takes too long, is a problem."""
    try:
        # Setups import modules of the project's own, which may print.
        with _time_limit(seconds), found.importable(), redirect_stdout(sys.stderr):
            return check(found)
    except HarnessError as error:
        return refusal(error)
    except _TimeUpError:
        return problem(
            f"took longer than {seconds:g} seconds, and was given up",
            "what it waits for hangs: a disk, a Node, or a module of the project when imported",
        )
    except Exception as error:  # noqa: BLE001 - one check that fails is not the end of the report
        return _broken(error)


def _broken(error: Exception) -> Finding:
    return problem(f"{type(error).__name__}: {error}", _REPORT)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer"):  # not POSIX, which is said
        yield
        return

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise _TimeUpError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
