"""Deadlines: of work that waits, of work that computes, and of work that is done in time."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

import pytest

from harness.database.watchdog import Deadline, OverdueError, Watchdog

SOON = 0.05


def wait() -> None:
    threading.Event().wait()


def loop() -> None:
    while True:
        pass


def backtrack() -> None:
    re.search("(a+)+$", "a" * 100 + "b")


def sleep_and_catch_everything() -> None:
    while True:
        try:  # noqa: SIM105 - `suppress` would be another way out
            time.sleep(0.01)
        except BaseException:  # noqa: BLE001 - as careless as an application can be
            pass


def catch_everything() -> None:
    caught = 0
    while caught < 2:
        try:
            loop()
        except BaseException:  # noqa: BLE001 - as careless as an application can be
            caught += 1
    loop()


@pytest.mark.parametrize(
    "work", [wait, loop, backtrack, catch_everything, sleep_and_catch_everything]
)
def test_work_that_never_ends_is_interrupted(work: Callable[[], None]) -> None:
    acted = threading.Event()
    deadline = Deadline(SOON, acted.set)
    with pytest.raises(OverdueError), Watchdog().watch(deadline):
        work()
    assert acted.is_set()
    assert deadline.passed


def test_work_that_ends_with_the_action_is_not_interrupted() -> None:
    acted = threading.Event()
    watchdog = Watchdog()
    deadline = Deadline(SOON, acted.set)
    with watchdog.watch(deadline):
        acted.wait()
    assert deadline.passed
    later = Deadline(60, acted.clear)
    with watchdog.watch(later):
        pass
    assert not later.passed
    assert acted.is_set()


def test_no_limit_is_no_limit() -> None:
    deadline = Deadline(0, loop)
    with Watchdog().watch(deadline):
        pass
    assert not deadline.passed
