"""A deadline for work that may never come back: past it, an action runs in another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Deadline:
    """One piece of work under watch; `passed` says that the action was taken."""

    at: float
    action: Callable[[], None]
    passed: bool = False


class Watchdog:
    """One thread that waits for the deadline of whatever is under watch.

    A thread for each spec would cost more than many specs do.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._deadline: Deadline | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self, seconds: float, action: Callable[[], None]) -> Iterator[Deadline]:
        """Take `action` if the block lasts longer than `seconds`; zero is no limit."""
        deadline = Deadline(time.monotonic() + seconds, action)
        if not seconds:
            yield deadline
            return
        self._set(deadline)
        try:
            yield deadline
        finally:
            self._set(None)

    def _set(self, deadline: Deadline | None) -> None:
        with self._condition:
            self._deadline = deadline
            if self._thread is None:
                self._thread = threading.Thread(target=self._wait, name="watchdog", daemon=True)
                self._thread.start()
            # A later deadline than the one waited for is seen when that one passes.

    def _wait(self) -> None:
        with self._condition:
            while True:
                deadline = self._deadline
                remaining = deadline.at - time.monotonic() if deadline else _IDLE
                if deadline is not None and remaining <= 0:
                    deadline.passed = True
                    self._deadline = None
                    deadline.action()
                    continue
                self._condition.wait(min(remaining, _IDLE))


_IDLE = 0.1
"""Seconds between two looks: how late an action may be taken."""
