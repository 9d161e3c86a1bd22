"""`harness lint`: what blows memory up in Python tests."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from harness.errors import HarnessError, did_you_mean
from harness.lint.files import chosen
from harness.lint.linting import Linted, lint
from harness.lint.output import FORMATS
from harness.lint.project import project_of
from harness.lint.rules import RULES


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "lint",
        help="find what blows memory up in Python tests",
        description="Find what blows memory up in Python tests: databases, engines and schemas "
        "made for each test, sessions that stay open, and the like. A remark allows one of them: "
        "# harness: allow[RULE]",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="files and folders; without any, pytest's testpaths or the current folder",
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="of what is found")
    told = parser.add_mutually_exclusive_group()
    told.add_argument("--rules", action="store_true", help="list the rules, and end")
    told.add_argument("--explain", metavar="RULE", help="tell all about a rule, and end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Lint, or tell of the rules.

    Returns:
        1 if anything was found.

    Raises:
        HarnessError: a path or a rule that does not exist, or settings that cannot be read.
    """
    if arguments.rules:
        sys.stdout.write("".join(f"{rule.name}: {rule.what}\n" for rule in RULES))
        return 0
    if arguments.explain is not None:
        print(_explained(arguments.explain))
        return 0
    here = Path.cwd()
    project = project_of(_start(arguments.paths, here))
    linted = lint(chosen(arguments.paths, here, project), project, lambda path: _shown(path, here))
    sys.stdout.write(FORMATS[arguments.format](linted.findings))
    if arguments.format == "text":
        print(_summary(linted), file=sys.stderr)
    return 1 if linted.findings else 0


def _explained(name: str) -> str:
    for rule in RULES:
        if rule.name == name:
            return str(rule)
    names = [rule.name for rule in RULES]
    raise HarnessError(f"there is no rule {name!r}", hint=did_you_mean(name, names))


def _start(paths: list[Path], here: Path) -> Path:
    """Where the project is looked for: the folder that holds all paths, as pytest does it."""
    if not paths:
        return here
    common = Path(os.path.commonpath([path.absolute() for path in paths]))
    return common if common.is_dir() else common.parent


def _shown(path: Path, here: Path) -> Path:
    absolute = Path(os.path.abspath(path))
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute


def _summary(linted: Linted) -> str:
    if not linted.files:
        return "nothing to lint: no Python file here"
    files = "1 file" if linted.files == 1 else f"{linted.files} files"
    count = len(linted.findings)
    return f"{count or 'no'} finding{'' if count == 1 else 's'} in {files}"
