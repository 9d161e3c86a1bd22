"""A pytest plugin that the measured runs load: what can only be seen from inside, in clock.json.

It is copied into each throw-away project, and needs nothing but pytest. The first result counts
when pytest has told it to everybody, which is what a user waits for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest


class Clock:
    """Notes when collection began and ended, and when the first and the last result came."""

    def __init__(self) -> None:
        self.count = 0
        self.collected = 0
        self.first = self.last = 0.0
        self.collection = 0.0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.collection = time.perf_counter() - started
        self.collected = len(session.items)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.last = time.time()
            self.first = self.first or self.last
            self.count += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):  # a worker's results are the controller's, too
            return
        figures = {
            "count": self.count,
            "collected": self.collected,
            "collection": self.collection,
            "first_at": self.first,
        }
        if self.count > 1:
            figures["each"] = (self.last - self.first) / (self.count - 1)
        (session.config.rootpath / "clock.json").write_text(json.dumps(figures))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Clock(), "benchmark-clock")
