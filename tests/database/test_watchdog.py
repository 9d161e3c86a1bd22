"""Deadlines: of work that waits, of work that computes, and of work that is done in time."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from harness.database.watchdog import OverdueError, Watchdog

SOON = 0.05


def wait() -> None:
    threading.Event().wait()


def loop() -> None:
    while True:
        pass


def backtrack() -> None:
    re.search("(a+)+$", "a" * 100 + "b")


@pytest.mark.parametrize("work", [wait, loop, backtrack])
def test_work_that_never_ends_is_interrupted(work: Callable[[], None]) -> None:
    acted = threading.Event()
    with pytest.raises(OverdueError), Watchdog().watch(SOON, acted.set) as deadline:
        work()
    assert acted.is_set()
    assert deadline.passed


def test_work_that_ends_with_the_action_is_not_interrupted() -> None:
    acted = threading.Event()
    watchdog = Watchdog()
    with watchdog.watch(SOON, acted.set) as deadline:
        acted.wait()
    assert deadline.passed
    with watchdog.watch(60, acted.clear) as later:
        pass
    assert not later.passed
    assert acted.is_set()


def test_no_limit_is_no_limit() -> None:
    with Watchdog().watch(0, loop) as deadline:
        pass
    assert not deadline.passed
