"""Child processes that end when this process ends, in whatever way it does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

# Asks Linux to kill this process with its parent, then becomes the command. Popen's preexec_fn
# could do it without another interpreter, but is unsafe, and warns, in a process that has threads.
_BOUND = """
import os, sys
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
except (ImportError, OSError, AttributeError):
    pass  # the end of stdin will have to do
if os.getppid() == int(sys.argv[1]):  # else it died before the request
    os.execv(sys.argv[2], sys.argv[2:])
"""


def spawn(
    command: Sequence[str], *, log: IO[bytes], directory: Path, environment: dict[str, str]
) -> subprocess.Popen[str]:
    """Starts a command that also ends with this process; stdin and stdout are pipes.

    Ctrl-C in the terminal does not reach it: it is this process that decides when to end it. The
    end of its stdin tells it that we are gone. Where it cannot listen, being busy, Linux kills it;
    that promise is bound to the thread that forks, and is asked for in the main thread only.
    """
    is_lasting = threading.current_thread() is threading.main_thread()
    bind = sys.platform == "linux" and is_lasting and bool(sys.executable)
    prefix = [sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid())] if bind else []
    return subprocess.Popen(
        [*prefix, *command],
        cwd=directory,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )


def node_environment() -> dict[str, str]:
    """This process's environment for Node, without options that were meant for other programs."""
    environment = dict(os.environ, MALLOC_ARENA_MAX="1")
    environment.pop("NODE_OPTIONS", None)
    return environment
