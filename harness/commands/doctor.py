"""`harness doctor`: what is there, what is missing, what to do."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from harness.doctor import report
from harness.doctor.examination import examine
from harness.doctor.finding import Mark
from harness.errors import HarnessError

_WIDTHS = (60, 120)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "doctor",
        help="look at this machine and project: what is there, what is missing, what to do",
        description="Look at Python, the project, Node, the cache, the template, memory and what "
        "killed runs have left, and start a PGlite to see whether it does. Nothing is installed.",
        epilog="Exit status: 0 without a problem, 1 with one.",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json for CI and for bug reports"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the report.

    Returns:
        1 if there is a problem.

    Raises:
        HarnessError: the working directory is gone.
    """
    findings = examine(_folder())
    if arguments.format == "json":
        print(report.as_json(findings))
    else:
        columns = min(max(shutil.get_terminal_size((100, 24)).columns, _WIDTHS[0]), _WIDTHS[1])
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print(report.as_text(findings, columns, colour=colour))
    return 1 if report.worst(findings) is Mark.PROBLEM else 0


def _folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise HarnessError(
            "the working directory does not exist any more", hint="change to one that does"
        ) from None
