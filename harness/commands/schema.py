"""`harness schema`: the format as JSON Schema, for editors."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness import schema
from harness.errors import HarnessError


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "schema",
        help="write the JSON Schema of spec files, for editors",
        description="Write the JSON Schema of spec files, by which editors complete, explain and "
        "check them. Point to it in a file's first line: "
        "# yaml-language-server: $schema=schema.json",
    )
    target = parser.add_mutually_exclusive_group()
    target.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write to FILE, not to standard output"
    )
    target.add_argument(
        "--check", type=Path, metavar="FILE", help="write nothing; exit with 1 if FILE is outdated"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write or check the schema.

    Returns:
        1 if the file to check is outdated.

    Raises:
        HarnessError: a file cannot be read or written.
    """
    content = schema.text()
    try:
        if arguments.check is not None:
            return _check(arguments.check, content)
        if arguments.output is not None:
            arguments.output.write_text(content, encoding="utf-8", newline="\n")
        else:
            sys.stdout.write(content)
    except OSError as error:
        if error.filename is None:
            raise
        raise HarnessError(
            f"{error.filename}: {error.strerror}", hint="name a file in a folder that exists"
        ) from None
    return 0


def _check(path: Path, content: str) -> int:
    if path.read_bytes() == content.encode():
        return 0
    print(f"{path}: outdated; write it anew with `harness schema -o {path}`")
    return 1
