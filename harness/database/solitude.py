"""One PGlite for each worker: another one is refused before it starts.

Memory is why there is this package: each PGlite takes 100 to 400 MB, and in a run with a hundred
tests nobody notices the one that starts its own until the machine stands still.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import Any

from harness.errors import DatabaseError

_MANAGER = "py_pglite.manager"
# What a manager does first, in this order: a folder for it, its files there, npm and Node.
_STEPS = frozenset({"tempfile.mkdtemp", "os.mkdir", "os.chdir", "subprocess.Popen"})


class SecondDatabaseError(DatabaseError):
    """Something in this process is about to start a PGlite of its own."""

    def __init__(self) -> None:
        super().__init__(
            "a second PGlite would be started in this worker, which has one that all tests share",
            hint="use the fixtures db_connection or db_session, or `harness.isolated(worker_db)`: "
            "each test has a transaction of its own there, which is rolled back",
        )


def refuse_others() -> Callable[[], None]:
    """From now on, refuse what py-pglite's managers and fixtures start; gives what ends that.

    Python's audit events are how that is seen: nothing of py-pglite is patched, and its processes
    are told from others by who starts them.
    """
    guard = _guard()
    guard.sessions += 1

    def end() -> None:
        guard.sessions -= 1

    return end


class _Guard:
    """The hook of a process.

    Attributes:
        sessions: of pytest that want it: there are several where pytest tests its plugins.
    """

    def __init__(self) -> None:
        self.sessions = 0

    def hook(self, event: str, _arguments: tuple[Any, ...]) -> None:
        """See an audit event; they are many, and nearly all are none of our business."""
        if event in _STEPS and self.sessions and _is_of_manager():
            raise SecondDatabaseError


@cache
def _guard() -> _Guard:
    """The one of this process: Python has no way to take a hook away."""
    guard = _Guard()
    sys.addaudithook(guard.hook)
    return guard


def _is_of_manager() -> bool:
    """Whether a manager of py-pglite is at work; one may be made, as long as it does not start."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if frame.f_globals.get("__name__") == _MANAGER and code.co_name != "__init__":
            return True
        frame = frame.f_back
    return False
