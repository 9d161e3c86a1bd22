"""The console script `harness`: arguments in, one command, an exit status out."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from harness import __version__
from harness.errors import HarnessError

COMMANDS = ("schema", "doctor", "lint")
"""Each a module of `harness.commands`, in the order of the help."""

FAILED = 2
"""Exit status of a usage error or of an environment that does not allow the command.

0 is fine, and 1 means that the command found something.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; a wrong usage exits, as argparse does, with status 2."""
    given = sys.argv[1:] if argv is None else argv
    arguments = _parser(given).parse_args(given)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        status = run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads the output has seen enough; what is left must not be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        return FAILED
    return status


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of all commands, or of the one that is given: some take long to import."""
    parser = argparse.ArgumentParser(
        prog="harness",
        description="Declarative database tests. pytest runs the specs; these commands help to "
        "write them.",
    )
    parser.add_argument("--version", action="version", version=f"harness {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in given[:1] if given and given[0] in COMMANDS else COMMANDS:
        importlib.import_module(f"harness.commands.{name}").add_to(commands)
    return parser
